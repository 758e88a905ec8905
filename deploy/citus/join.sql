-- The servers of compose.citus.yaml become one Citus, whose coordinator hands the logins on to the workers. It runs before
-- each migration, and changes nothing where all of it is done.

\connect postgres postgres worker1 5432
SELECT 'CREATE DATABASE rovitracker' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'rovitracker') \gexec
\connect rovitracker
CREATE EXTENSION IF NOT EXISTS citus;

\connect postgres postgres worker2 5432
SELECT 'CREATE DATABASE rovitracker' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'rovitracker') \gexec
\connect rovitracker
CREATE EXTENSION IF NOT EXISTS citus;

\connect rovitracker postgres postgres 5432
CREATE EXTENSION IF NOT EXISTS citus;
SELECT citus_set_coordinator_host('postgres', 5432);
SELECT citus_add_node('worker1', 5432);
SELECT citus_add_node('worker2', 5432);
ALTER ROLE rovitracker_owner SET citus.override_table_visibility = off;

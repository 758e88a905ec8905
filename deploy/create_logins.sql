-- The logins, made by psql as a superuser from two passwords:
--
--   rovitracker_owner  owns the database and migrates it; it can create no role, so the two roles of the first
--                      migration stand here beforehand
--   rovitracker_login  what the service signs in as; it owns nothing and may become what the service works as
--
-- With compose.yaml it runs when the database server first starts, and reads the passwords from its secrets. Without
-- containers, say them in the environment, where no list of processes shows them:
--
--   OWNER_PASSWORD=... LOGIN_PASSWORD=... psql -v ON_ERROR_STOP=1 -f deploy/create_logins.sql postgres

\getenv owner_password OWNER_PASSWORD
\getenv login_password LOGIN_PASSWORD
\if :{?owner_password}
\else
    \set owner_password `cat /run/secrets/owner_password`
\endif
\if :{?login_password}
\else
    \set login_password `cat /run/secrets/login_password`
\endif
-- An empty password would let nobody in, and be noticed late.
SELECT :'owner_password' <> '' AND :'login_password' <> '' AS complete \gset
\if :complete
\else
    \warn 'create_logins.sql: set OWNER_PASSWORD and LOGIN_PASSWORD in the environment'
    DO 'BEGIN RAISE EXCEPTION ''a password is missing''; END';
\endif

CREATE ROLE rovitracker_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE rovitracker_login LOGIN PASSWORD :'login_password';
CREATE ROLE rovitracker_service NOLOGIN;
CREATE ROLE rovitracker_ingest NOLOGIN;

GRANT rovitracker_service TO rovitracker_owner WITH INHERIT FALSE, SET TRUE;
GRANT rovitracker_ingest TO rovitracker_owner, rovitracker_service WITH INHERIT FALSE, SET TRUE;
-- Inherited, so that the login may read the list of migrations before it becomes the service.
GRANT rovitracker_service TO rovitracker_login WITH INHERIT TRUE, SET TRUE;
-- The service says so in its own sessions. A pooler lends it others, which know it by the login alone.
ALTER ROLE rovitracker_login SET synchronous_commit = on;

CREATE DATABASE rovitracker OWNER rovitracker_owner;
REVOKE ALL ON DATABASE rovitracker FROM PUBLIC;
GRANT CONNECT ON DATABASE rovitracker TO rovitracker_login;

-- The logins of compose.yaml, made by psql when the database server first starts, from the passwords of its secrets.
--
--   rovitracker_owner  owns the database and migrates it; it can create no role, so the two roles of the first
--                      migration stand here beforehand
--   rovitracker_login  what the service signs in as; it owns nothing and may become what the service works as

\set owner_password `cat /run/secrets/owner_password`
\set login_password `cat /run/secrets/login_password`

CREATE ROLE rovitracker_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE rovitracker_login LOGIN PASSWORD :'login_password';
CREATE ROLE rovitracker_service NOLOGIN;
CREATE ROLE rovitracker_ingest NOLOGIN;

GRANT rovitracker_service TO rovitracker_owner WITH INHERIT FALSE, SET TRUE;
GRANT rovitracker_ingest TO rovitracker_owner, rovitracker_service WITH INHERIT FALSE, SET TRUE;
-- Inherited, so that the login may read the list of migrations before it becomes the service.
GRANT rovitracker_service TO rovitracker_login WITH INHERIT TRUE, SET TRUE;

CREATE DATABASE rovitracker OWNER rovitracker_owner;
REVOKE ALL ON DATABASE rovitracker FROM PUBLIC;
GRANT CONNECT ON DATABASE rovitracker TO rovitracker_login;

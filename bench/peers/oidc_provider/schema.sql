-- A table a model, of those the bench uses. The defaults of PostgreSQL hold: synchronous_commit stays on.
CREATE TABLE "grant" (
    id text PRIMARY KEY,
    payload jsonb NOT NULL,
    grant_id text,
    user_code text,
    uid text,
    expires_at timestamptz,
    consumed_at timestamptz
);
CREATE TABLE client (LIKE "grant" INCLUDING ALL);
CREATE TABLE authorization_code (LIKE "grant" INCLUDING ALL);
CREATE TABLE access_token (LIKE "grant" INCLUDING ALL);

-- What revokeByGrantId looks for.
CREATE INDEX ON authorization_code (grant_id);
CREATE INDEX ON access_token (grant_id);

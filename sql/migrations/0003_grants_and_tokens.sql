-- What was granted and what was issued from it. No row here holds a code, a token or anything one can be made from.
--
-- Every id is a UUIDv7 whose last 12 bits are a bucket (a hash of the customer, or of the application where there
-- is none), repeated in its own column: all rows of one customer share it, so that a distributed PostgreSQL can
-- shard by it and a look-up goes to one shard.

CREATE FUNCTION bucket_of(id uuid) RETURNS smallint LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (('x' || right(id::text, 3))::bit(12)::integer)::smallint;
COMMENT ON FUNCTION bucket_of IS 'The last 12 bits of an id';

CREATE TABLE authorization_grant (
    id             uuid NOT NULL,
    bucket         smallint NOT NULL CHECK (bucket BETWEEN 0 AND 4095),
    application_id uuid NOT NULL,
    customer_id    uuid NOT NULL,
    member_id      uuid,
    operator_id    uuid,
    code_digest    bytea CHECK (octet_length(code_digest) = 32),
    code_challenge text,
    first_token_id uuid NOT NULL,
    scope          text NOT NULL,
    audience       text,
    approved_at    timestamptz NOT NULL,
    revoked_at     timestamptz,
    PRIMARY KEY (id, bucket)
);
CREATE INDEX ON authorization_grant (customer_id, application_id);
CREATE INDEX ON authorization_grant (application_id);
COMMENT ON TABLE authorization_grant IS 'One redeemed approval. Its id is the authorization code''s id, so that of several redeemers exactly one inserts it.';
COMMENT ON COLUMN authorization_grant.first_token_id IS 'The token inserted by the same statement: a redeemer that reads its own id here has won';
COMMENT ON COLUMN authorization_grant.code_digest IS 'SHA-256 of the whole code: tells a replay of it from a guess';
COMMENT ON COLUMN authorization_grant.code_challenge IS 'Lets a public application prove that a replay is its own (RFC 7636)';
COMMENT ON COLUMN authorization_grant.operator_id IS 'Who issued it, on the manual route';

CREATE TABLE classic_token (
    id                  uuid NOT NULL,
    bucket              smallint NOT NULL,
    digest              bytea NOT NULL CHECK (octet_length(digest) = 32),
    grant_id            uuid,
    application_id      uuid NOT NULL,
    customer_id         uuid,
    scope               text NOT NULL,
    audience            text,
    approved_at         timestamptz NOT NULL,
    issued_at           timestamptz NOT NULL,
    used_at             timestamptz NOT NULL,
    expires_at          timestamptz NOT NULL,
    absolute_expires_at timestamptz NOT NULL,
    revoked_at          timestamptz,
    PRIMARY KEY (id, bucket)
) WITH (fillfactor = 80);
CREATE INDEX ON classic_token (customer_id, application_id, scope) WHERE revoked_at IS NULL;
CREATE INDEX ON classic_token (grant_id);
CREATE INDEX ON classic_token (application_id);
CREATE INDEX ON classic_token ((least(expires_at, revoked_at)));  -- when it was over: what retention asks for
COMMENT ON TABLE classic_token IS 'Long-lived access tokens (class letter c): 365 days from their last use, three years at most.';
COMMENT ON COLUMN classic_token.used_at IS 'Last renewal, to the day: a use moves it and expires_at at most once in 24 hours';

CREATE TABLE strict_token (
    id             uuid NOT NULL,
    bucket         smallint NOT NULL,
    digest         bytea NOT NULL CHECK (octet_length(digest) = 32),
    grant_id       uuid,
    application_id uuid NOT NULL,
    customer_id    uuid,
    scope          text NOT NULL,
    audience       text,
    confirmation   text,
    approved_at    timestamptz NOT NULL,
    issued_at      timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL,
    revoked_at     timestamptz,
    PRIMARY KEY (id, bucket)
) PARTITION BY RANGE (id);
CREATE INDEX ON strict_token (grant_id);
COMMENT ON TABLE strict_token IS 'Short-lived access tokens (class letter s), partitioned by id, that is by time: expiry is a dropped partition.';
COMMENT ON COLUMN strict_token.confirmation IS 'Thumbprint of the key the token is bound to (RFC 9449), where it is';

CREATE TABLE refresh_token (
    id                  uuid NOT NULL,
    bucket              smallint NOT NULL,
    digest              bytea NOT NULL CHECK (octet_length(digest) = 32),
    grant_id            uuid NOT NULL,
    application_id      uuid NOT NULL,
    customer_id         uuid,
    scope               text NOT NULL,
    audience            text,
    successor_id        uuid,
    approved_at         timestamptz NOT NULL,
    issued_at           timestamptz NOT NULL,
    expires_at          timestamptz NOT NULL,
    absolute_expires_at timestamptz NOT NULL,
    PRIMARY KEY (id, bucket)
) PARTITION BY RANGE (id);
CREATE INDEX ON refresh_token (grant_id);
COMMENT ON TABLE refresh_token IS 'Refresh tokens, spent ones too: a spent one names its successor and stays until its whole family is past.';

CREATE TABLE revocation (
    customer_id    uuid NOT NULL REFERENCES customer,
    application_id uuid NOT NULL REFERENCES application,
    revoked_before timestamptz NOT NULL,
    PRIMARY KEY (customer_id, application_id)
);
COMMENT ON TABLE revocation IS 'A customer cut an application: whatever was approved up to this moment is inactive. One row, however many tokens.';

GRANT SELECT, INSERT ON authorization_grant, classic_token, strict_token, refresh_token, revocation TO rovitracker_service;
GRANT UPDATE (revoked_at) ON authorization_grant, classic_token, strict_token TO rovitracker_service;
GRANT UPDATE (used_at, expires_at) ON classic_token TO rovitracker_service;
GRANT UPDATE (successor_id) ON refresh_token TO rovitracker_service;
GRANT UPDATE (revoked_before) ON revocation TO rovitracker_service;

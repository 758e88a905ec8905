-- The tables a token rests on, with the columns, keys and indexes of the service's own (a test compares them), and
-- nothing else: whoever is asked for is entitled, so no other table is needed.

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
    expires_at     timestamptz,
    PRIMARY KEY (id, bucket)
);
CREATE INDEX ON authorization_grant (customer_id) WHERE expires_at IS NOT NULL;

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
CREATE INDEX ON classic_token ((least(expires_at, revoked_at)));

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
CREATE TABLE strict_token_now PARTITION OF strict_token DEFAULT;

-- What a remembered page is judged by: one look at one row.
CREATE TABLE limit_fleet (
    customer_id uuid PRIMARY KEY,
    version     bigint NOT NULL
);

-- Read once at start.
CREATE TABLE limit_application (
    id            uuid PRIMARY KEY,
    secret_digest bytea NOT NULL,
    customer_id   uuid NOT NULL
);

-- A batch comes as one array of rows, which PostgreSQL and its driver read and write faster than an array for each column.
CREATE TYPE limit_exchange AS (
    id              uuid,
    bucket          int2,
    code_digest     bytea,
    application_id  uuid,
    customer_id     uuid,
    member_id       uuid,
    scope           text,
    approved_at_us  int8,
    token_id        uuid,
    token_digest    bytea
);
CREATE TYPE limit_token AS (
    id              uuid,
    bucket          int2,
    digest          bytea,
    application_id  uuid,
    customer_id     uuid,
    scope           text
);

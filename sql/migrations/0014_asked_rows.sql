-- What the service hands over to be inserted: a batch is one array of these rows instead of an array for each column.

CREATE TYPE redemption AS (
    id              uuid,
    token_id        uuid,
    token_digest    bytea,
    application_id  uuid,
    customer_id     uuid,
    member_id       uuid,
    code_digest     bytea,
    code_challenge  text,
    scope           text,
    approved_at_us  bigint,
    refresh_id      uuid,
    refresh_digest  bytea
);
COMMENT ON TYPE redemption IS 'A code that becomes a grant, its first token and, for some, its first refresh token';
COMMENT ON COLUMN redemption.id IS 'The id of the code, which the grant keeps';
COMMENT ON COLUMN redemption.approved_at_us IS 'Microseconds since 1970, by the clock of this database';

CREATE TYPE client_token AS (
    id              uuid,
    digest          bytea,
    application_id  uuid,
    customer_id     uuid,
    scope           text,
    audience        text
);
COMMENT ON TYPE client_token IS 'A token that an application gets for itself';

CREATE TYPE rotation AS (
    id                uuid,
    digest            bytea,
    application_id    uuid,
    successor_id      uuid,
    successor_digest  bytea,
    token_id          uuid,
    token_digest      bytea,
    scope             text,
    resource          text
);
COMMENT ON TYPE rotation IS 'A refresh token that is spent for its successor and an access token';

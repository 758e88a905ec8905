-- What outlives requests and processes: the trail of who did what to whom, and the keys the service signs with.

-- Rows of the trail are only ever added. Retention drops whole partitions.
CREATE TABLE audit_event (
    id             uuid NOT NULL PRIMARY KEY,
    at             timestamptz NOT NULL DEFAULT clock_timestamp(),
    event          text NOT NULL,
    actor_kind     text NOT NULL CHECK (actor_kind IN ('customer', 'operator', 'application owner', 'application', 'command line', 'service')),
    actor_id       uuid,
    application_id uuid,
    customer_id    uuid,
    grant_id       uuid,
    request_id     text,
    address        text,
    detail         jsonb NOT NULL DEFAULT '{}'
) PARTITION BY RANGE (id);
COMMENT ON COLUMN audit_event.request_id IS 'Of the request that did it, as its answer and the log have it';
COMMENT ON COLUMN audit_event.address IS 'Of the client that sent the request; null for a command and for the service itself';
CREATE INDEX ON audit_event (application_id, id);
CREATE INDEX ON audit_event (customer_id, id);
CREATE INDEX ON audit_event (actor_id, id) WHERE actor_kind IN ('customer', 'operator', 'application owner');
-- What happened to how a person signs in. Refused sign-ins stand apart: strangers cause them, as many as they like.
CREATE INDEX ON audit_event ((detail ->> 'person'), id) WHERE event LIKE 'person.%' AND event <> 'person.sign_in_failed';
CREATE INDEX ON audit_event ((detail ->> 'person'), id) WHERE event = 'person.sign_in_failed';

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;

-- Even the owner does not rewrite history by accident; the service has no right to try.
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_event
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON audit_event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT, INSERT ON audit_event TO rovitracker_service;
-- A change of machines and the event that tells of it stand or fall in one transaction.
GRANT INSERT ON audit_event TO rovitracker_ingest;

CREATE TABLE signing_key (
    kid         text PRIMARY KEY CHECK (octet_length(kid) = 43),
    public_jwk  jsonb NOT NULL CHECK (NOT public_jwk ? 'd'),  -- the private member of a key is never in the clear
    sealed      text NOT NULL,
    sealed_with text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    begins_at   timestamptz NOT NULL,
    leaves_at   timestamptz
);
COMMENT ON COLUMN signing_key.kid IS 'The thumbprint of the key (RFC 7638)';
COMMENT ON COLUMN signing_key.sealed IS 'The private half, under a subkey of the secret key that sealed_with names';
COMMENT ON COLUMN signing_key.begins_at IS 'When it begins to sign; it is published before';
COMMENT ON COLUMN signing_key.leaves_at IS 'When it is no longer published; null while no other follows it';

-- The service may not delete keys: somebody may still need a published one to verify a signature.
GRANT SELECT, INSERT, UPDATE (sealed, sealed_with, leaves_at) ON signing_key TO rovitracker_service;

-- Requests of applications that were refused, for their owners. No code, token, secret or verifier stands here.
CREATE TABLE refused_request (
    id             uuid PRIMARY KEY,
    at             timestamptz NOT NULL,
    reference      text NOT NULL CHECK (reference <> ''),
    application_id uuid REFERENCES application,
    path           text NOT NULL,
    status         smallint NOT NULL,
    error          text NOT NULL,
    detail         text NOT NULL
);
CREATE INDEX ON refused_request (application_id, id);
CREATE INDEX ON refused_request (reference);
CREATE INDEX ON refused_request (at);
COMMENT ON TABLE refused_request IS 'The last thousand of each application, for seven days. One that names no known application is found by its reference alone.';
COMMENT ON COLUMN refused_request.reference IS 'The request id, as the answer and the log have it';
COMMENT ON COLUMN refused_request.application_id IS 'The application that the request said it came from, whether or not it proved so';
COMMENT ON COLUMN refused_request.detail IS 'The exact cause, which the answer may have kept to itself';

GRANT SELECT, INSERT, DELETE ON refused_request TO rovitracker_service;

-- Who is who: customers and the people who sign in for them, people of RoviTracker, applications.

CREATE TABLE customer (
    id          uuid PRIMARY KEY,
    name        text NOT NULL CHECK (name <> ''),
    disabled_at timestamptz,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE customer IS 'An account that owns machines. Disabling it makes its tokens inactive; nothing is deleted.';

CREATE TABLE customer_member (
    id            uuid PRIMARY KEY,
    customer_id   uuid NOT NULL REFERENCES customer,
    email         text NOT NULL CHECK (email = lower(email)),
    name          text NOT NULL,
    password_hash text NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (email)
);
CREATE INDEX ON customer_member (customer_id);
COMMENT ON TABLE customer_member IS 'A person who signs in to a customer account with an e-mail address.';
COMMENT ON COLUMN customer_member.password_hash IS 'argon2id, PHC string';

CREATE TABLE operator (
    id            uuid PRIMARY KEY,
    email         text NOT NULL UNIQUE CHECK (email = lower(email)),
    name          text NOT NULL,
    password_hash text NOT NULL,
    disabled_at   timestamptz,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE operator IS 'A person of RoviTracker.';

CREATE TABLE application (
    id              uuid PRIMARY KEY,
    kind            text NOT NULL CHECK (kind IN ('classic', 'strict')),
    public          boolean NOT NULL CHECK (NOT public OR kind = 'strict'),
    name            text NOT NULL CHECK (name <> ''),
    company         text NOT NULL CHECK (company <> ''),
    status          text NOT NULL CHECK (status IN ('pending', 'active', 'suspended', 'deleted')),
    grants          text[] NOT NULL,
    scope           text NOT NULL,
    redirect_uris   text[] NOT NULL,
    audience        text UNIQUE,
    customer_id     uuid REFERENCES customer,
    logo_digest     bytea CHECK (octet_length(logo_digest) = 32),
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    jwks            jsonb,
    -- Only a confidential strict application proves itself by keys, and an empty set would prove nothing.
    CHECK (jwks IS NULL OR (kind = 'strict' AND NOT public AND jwks @? '$.keys[0]'))
);
COMMENT ON COLUMN application.id IS 'The client_id is this id in its canonical text form. Rows are never deleted, so no id is used twice.';
COMMENT ON COLUMN application.scope IS 'What it may ask for, space-separated (RFC 6749 section 3.3)';
COMMENT ON COLUMN application.audience IS 'Set for a resource server: the audience whose tokens it may introspect';
COMMENT ON COLUMN application.customer_id IS 'The customer that a client_credentials token acts for';
COMMENT ON COLUMN application.jwks IS 'Public keys (RFC 7517) of an application that signs its assertions and has no secret; null for all others';

CREATE TABLE application_logo (
    digest     bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    png        bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE application_logo IS 'Logos re-encoded by us, named by the SHA-256 of their bytes so that they can be cached for ever.';

CREATE TABLE client_secret (
    application_id uuid NOT NULL REFERENCES application,
    slot           smallint NOT NULL CHECK (slot IN (1, 2)),
    digest         bytea NOT NULL CHECK (octet_length(digest) = 32),
    created_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at     timestamptz,
    PRIMARY KEY (application_id, slot)
);
COMMENT ON TABLE client_secret IS 'The key allows an application two live secrets: the new one and the one that is leaving.';
COMMENT ON COLUMN client_secret.digest IS 'SHA-256 of the whole secret; it has 256 random bits, so it needs neither a key nor a slow hash';

CREATE TABLE browser_session (
    id_digest    bytea PRIMARY KEY CHECK (octet_length(id_digest) = 32),
    member_id    uuid NOT NULL REFERENCES customer_member,
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at   timestamptz NOT NULL
);
CREATE INDEX ON browser_session (member_id);
CREATE INDEX ON browser_session (expires_at);
COMMENT ON TABLE browser_session IS 'Who is signed in, by the SHA-256 of the cookie.';

CREATE TABLE known_browser (
    id_digest  bytea PRIMARY KEY CHECK (octet_length(id_digest) = 32),
    member_id  uuid NOT NULL REFERENCES customer_member,
    expires_at timestamptz NOT NULL
);
CREATE INDEX ON known_browser (member_id, expires_at);
CREATE INDEX ON known_browser (expires_at);
COMMENT ON TABLE known_browser IS 'A browser that a person signed in with, by the SHA-256 of its cookie. It opens nothing: its guesses are counted apart.';

CREATE TABLE guess (
    name  text PRIMARY KEY,
    level double precision NOT NULL,
    at    timestamptz NOT NULL
);
CREATE INDEX ON guess (at);
COMMENT ON TABLE guess IS 'How many passwords were guessed lately: for one account, from one network, or from one known browser.';
COMMENT ON COLUMN guess.name IS 'What is counted: account, network or browser, and which; an e-mail address and a cookie stand as digests';
COMMENT ON COLUMN guess.level IS 'The share of its limit that was used at the moment `at`; it drains from 1 to 0 in one window';

-- The service changes only what a verb changes. It deletes nothing that the audit trail may name.
GRANT SELECT, INSERT ON customer, customer_member, operator, application, application_logo, client_secret, browser_session,
    known_browser, guess TO rovitracker_service;
GRANT UPDATE (disabled_at) ON customer, operator TO rovitracker_service;
GRANT UPDATE (password_hash) ON customer_member, operator TO rovitracker_service;
GRANT UPDATE (name, company, status, grants, scope, redirect_uris, customer_id, logo_digest, jwks) ON application
    TO rovitracker_service;
GRANT UPDATE (digest, created_at, expires_at), DELETE ON client_secret TO rovitracker_service;
GRANT UPDATE (last_seen_at, expires_at), DELETE ON browser_session TO rovitracker_service;
GRANT UPDATE (expires_at), DELETE ON known_browser TO rovitracker_service;
GRANT UPDATE (level, at) ON guess TO rovitracker_service;
-- The role that writes machines looks their customers up.
GRANT SELECT ON customer TO rovitracker_ingest;

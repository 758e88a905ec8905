-- Who is who: customers and the people who sign in for them, people of RoviTracker, applications.

CREATE TABLE customer (
    id          uuid PRIMARY KEY,
    name        text NOT NULL CHECK (name <> ''),
    disabled_at timestamptz,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    former_id   text UNIQUE CHECK (former_id <> ''),
    closed_at   timestamptz,
    erased_at   timestamptz,
    CHECK (closed_at IS NULL OR disabled_at IS NOT NULL)
);
COMMENT ON COLUMN customer.former_id IS 'What a former system called it; imported tokens and applications may name it so';
COMMENT ON COLUMN customer.closed_at IS 'When an owner closed it; what it holds is erased 30 days later, unless it is enabled again';
COMMENT ON TABLE customer IS 'An account that owns machines. Disabling it makes its tokens inactive; nothing is deleted.';

CREATE TABLE person (
    id            uuid PRIMARY KEY,
    email         text NOT NULL CHECK (email = lower(email)),
    name          text NOT NULL,
    password_hash text NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    email_confirmed_at timestamptz,
    erased_at     timestamptz,
    totp_sealed      text,
    totp_sealed_with text,
    totp_last_step   bigint,
    language      text CHECK (language IN ('en', 'es')),
    time_zone     text NOT NULL DEFAULT 'UTC' CHECK (time_zone ~ '^[A-Za-z0-9_+/-]{1,40}$'),
    ends_told_at    timestamptz,
    secrets_told_at timestamptz,
    UNIQUE (email),
    CHECK (num_nonnulls(totp_sealed, totp_sealed_with, totp_last_step) IN (0, 3))
);
ALTER TABLE customer ADD COLUMN tester_id uuid UNIQUE REFERENCES person, ADD COLUMN simulated_at timestamptz;
CREATE INDEX ON customer (simulated_at) WHERE tester_id IS NOT NULL;
COMMENT ON COLUMN customer.simulated_at IS 'When the machines of a test customer were made to report last';
COMMENT ON COLUMN customer.tester_id IS 'The owner of applications whose test customer it is; null for a real customer';
COMMENT ON TABLE person IS 'Somebody who signs in with an e-mail address. What they may do follows from the rows below that name them.';
COMMENT ON COLUMN person.erased_at IS 'From then on the row holds nothing but the id, by which the audit trail names somebody';
COMMENT ON COLUMN person.password_hash IS 'argon2id, PHC string; a former system''s own hash until the first sign-in';
COMMENT ON COLUMN person.email_confirmed_at IS 'When somebody first used a link that was mailed to the address; null until then';
-- It stands in this row, so that the lock under which a session begins sees it come and go.
COMMENT ON COLUMN person.totp_sealed IS 'The secret of the authenticator app, under a subkey of the secret key that totp_sealed_with names; null without one';
COMMENT ON COLUMN person.totp_last_step IS 'The newest step (RFC 6238) whose code was used; none up to it is accepted again';
COMMENT ON COLUMN person.language IS 'In which pages and mails come; null: as the browser asks';
COMMENT ON COLUMN person.ends_told_at IS 'When an owner of applications was last mailed which connections end; null: never';
COMMENT ON COLUMN person.secrets_told_at IS 'The same of secrets that nobody uses, or that are old';
COMMENT ON COLUMN person.time_zone IS 'In which pages and mails tell the time: a name of the IANA database';

CREATE TABLE customer_member (
    person_id   uuid PRIMARY KEY REFERENCES person,
    customer_id uuid NOT NULL REFERENCES customer,
    role        text NOT NULL CHECK (role IN ('owner', 'connector', 'viewer')),
    joined_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    notices_off text[] NOT NULL DEFAULT '{}' CHECK (notices_off <@ ARRAY['changed', 'disconnected', 'ending'])
);
CREATE INDEX ON customer_member (customer_id);
COMMENT ON TABLE customer_member IS 'The people of a customer account. A person belongs to one account at most.';
COMMENT ON COLUMN customer_member.notices_off IS 'The notices about the account''s connections that the person does not want by mail; all others are mailed';
COMMENT ON COLUMN customer_member.role IS 'owner: everything; connector: connects and disconnects applications; viewer: looks';

CREATE TABLE invitation (
    id           uuid PRIMARY KEY,
    customer_id  uuid NOT NULL REFERENCES customer,
    email        text NOT NULL CHECK (email = lower(email)),
    role         text NOT NULL CHECK (role IN ('owner', 'connector', 'viewer')),
    invited_by   uuid REFERENCES person,
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at   timestamptz NOT NULL,
    mail_id      uuid,
    accepted_at  timestamptz,
    withdrawn_at timestamptz,
    CHECK (num_nonnulls(accepted_at, withdrawn_at) < 2)
);
CREATE UNIQUE INDEX ON invitation (customer_id, email) WHERE accepted_at IS NULL AND withdrawn_at IS NULL;
CREATE INDEX ON invitation (least(accepted_at, withdrawn_at, expires_at));
COMMENT ON TABLE invitation IS 'Who was asked by mail to join a customer account. The address may be nobody''s yet; the link is in mail_link.';
COMMENT ON COLUMN invitation.invited_by IS 'Null when a command line did it';
COMMENT ON COLUMN invitation.mail_id IS 'The newest mail about it, for as long as the outbox keeps it';

CREATE TABLE operator (
    person_id   uuid PRIMARY KEY REFERENCES person,
    role        text NOT NULL CHECK (role IN ('support', 'reviewer', 'admin')),
    disabled_at timestamptz,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE operator IS 'The people of RoviTracker.';
COMMENT ON COLUMN operator.role IS 'support: looks, helps, cuts; reviewer: also approves and releases; admin: also operators and keys';

CREATE TABLE recovery_code (
    digest    bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    person_id uuid NOT NULL REFERENCES person
);
CREATE INDEX ON recovery_code (person_id);
COMMENT ON TABLE recovery_code IS 'Codes of a person who lost the authenticator app, not used yet. Each has 80 random bits, so its SHA-256 needs no key.';

CREATE TABLE passkey (
    credential_id bytea PRIMARY KEY CHECK (octet_length(credential_id) BETWEEN 1 AND 1023),
    person_id     uuid NOT NULL REFERENCES person,
    rp_id         text NOT NULL CHECK (rp_id <> ''),
    public_key    bytea NOT NULL CHECK (octet_length(public_key) <= 1024),
    sign_count    bigint NOT NULL CHECK (sign_count >= 0),
    transports    text[] NOT NULL,
    name          text NOT NULL CHECK (name <> ''),
    backed_up     boolean NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_used_at  timestamptz
);
CREATE INDEX ON passkey (person_id);
COMMENT ON TABLE passkey IS 'Passkeys (WebAuthn) of people, ten a person at most. The private halves are in their devices, so nothing here opens anything.';
COMMENT ON COLUMN passkey.rp_id IS 'The host of PUBLIC_URL that it was made for; browsers offer it at no other';
COMMENT ON COLUMN passkey.public_key IS 'A COSE key (RFC 9052 section 7), as the authenticator wrote it';
COMMENT ON COLUMN passkey.sign_count IS 'How often it signed, by its own count; 0 for ever where it does not count';
COMMENT ON COLUMN passkey.name IS 'What the person calls it';
COMMENT ON COLUMN passkey.backed_up IS 'Whether a password manager keeps a copy elsewhere';

CREATE TABLE passkey_challenge (
    digest  bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    used_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX ON passkey_challenge (used_at);
COMMENT ON TABLE passkey_challenge IS 'Challenges that a passkey has answered, by their SHA-256, so that no answer counts twice.';

CREATE TABLE application (
    id              uuid PRIMARY KEY,
    -- RFC 6749 appendix A.1, without the blank
    former_client_id text UNIQUE CHECK (former_client_id ~ '^[!-~]{1,255}$'),
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
    live_at         timestamptz,
    terms_uri       text CHECK (terms_uri ~ '^https://'),
    privacy_uri     text CHECK (privacy_uri ~ '^https://'),
    scope_reasons   jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(scope_reasons) = 'object'),
    -- Only a confidential strict application proves itself by keys, and an empty set would prove nothing.
    CHECK (jwks IS NULL OR (kind = 'strict' AND NOT public AND jwks @? '$.keys[0]'))
);
COMMENT ON COLUMN application.id IS 'The client_id is this id in its canonical text form. Rows are never deleted, so no id is used twice.';
COMMENT ON COLUMN application.former_client_id IS 'The client_id of an imported application; its id is made of this text, so that the same look-up finds it';
COMMENT ON COLUMN application.scope IS 'What it may ask for, space-separated (RFC 6749 section 3.3)';
COMMENT ON COLUMN application.audience IS 'Set for a resource server: the audience whose tokens it may introspect';
COMMENT ON COLUMN application.customer_id IS 'The customer that a client_credentials token acts for';
COMMENT ON COLUMN application.live_at IS 'Since when it may meet real customers; null in test mode, where it meets test customers of its owners alone';
COMMENT ON COLUMN application.terms_uri IS 'Its terms, which consent leads to';
COMMENT ON COLUMN application.privacy_uri IS 'What it does with data, which consent leads to';
COMMENT ON COLUMN application.scope_reasons IS 'Why it asks for each scope, in its owners'' words for the reviewer';
COMMENT ON COLUMN application.jwks IS 'Public keys (RFC 7517) of an application that signs its assertions and has no secret; null for all others';

CREATE TABLE application_owner (
    application_id uuid NOT NULL REFERENCES application,
    person_id      uuid NOT NULL REFERENCES person,
    joined_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    contact        boolean NOT NULL DEFAULT false,
    notices_off    text[] NOT NULL DEFAULT '{}'
                   CHECK (notices_off <@ ARRAY['connected', 'changed', 'disconnected', 'ending', 'secret']),
    PRIMARY KEY (application_id, person_id)
);
CREATE INDEX ON application_owner (person_id);
CREATE UNIQUE INDEX ON application_owner (application_id) WHERE contact;
COMMENT ON COLUMN application_owner.contact IS 'Whom RoviTracker asks about the application: one of its owners, with a confirmed address';
COMMENT ON COLUMN application_owner.notices_off IS 'The notices about the application that the person does not want by mail; all others are mailed';
COMMENT ON TABLE application_owner IS 'The people an application belongs to. One that was registered on the command line may have none.';

CREATE TABLE sign_up (
    id             uuid PRIMARY KEY,
    email          text NOT NULL CHECK (email = lower(email)),
    application_id uuid REFERENCES application,
    invited_by     uuid REFERENCES person,
    expires_at     timestamptz NOT NULL,
    used_at        timestamptz,
    withdrawn_at   timestamptz,
    CHECK (num_nonnulls(used_at, withdrawn_at) < 2),
    CHECK ((application_id IS NULL) = (invited_by IS NULL))
);
CREATE INDEX ON sign_up (expires_at);
CREATE UNIQUE INDEX ON sign_up (application_id, email) WHERE used_at IS NULL AND withdrawn_at IS NULL;
COMMENT ON COLUMN sign_up.application_id IS 'The application that its owners invite the address to; null for somebody who came unasked';
COMMENT ON TABLE sign_up IS 'Who asked to sign up as an owner of applications. The address may be nobody''s, or somebody''s already; the link is in mail_link.';

CREATE TABLE application_logo (
    digest     bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    png        bytea NOT NULL,
    likeness   bigint,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON COLUMN application_logo.likeness IS 'A difference hash: of pictures that look the same, few of the 64 bits differ; null for one too plain to be compared';
COMMENT ON TABLE application_logo IS 'Logos re-encoded by us, named by the SHA-256 of their bytes so that they can be cached for ever.';

CREATE TABLE client_secret (
    application_id uuid NOT NULL REFERENCES application,
    slot           smallint NOT NULL CHECK (slot IN (1, 2)),
    digest         bytea CHECK (octet_length(digest) = 32),
    slow_hash      text,
    created_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at     timestamptz,
    PRIMARY KEY (application_id, slot),
    CHECK ((digest IS NULL) <> (slow_hash IS NULL))
);
COMMENT ON TABLE client_secret IS 'The key allows an application two live secrets: the new one and the one that is leaving.';
COMMENT ON COLUMN client_secret.digest IS 'SHA-256 of the whole secret; it has 256 random bits, so it needs neither a key nor a slow hash';
COMMENT ON COLUMN client_secret.slow_hash IS 'What a former system kept of an imported secret; the first use replaces it by the digest';

CREATE TABLE browser_session (
    id_digest    bytea PRIMARY KEY CHECK (octet_length(id_digest) = 32),
    person_id    uuid NOT NULL REFERENCES person,
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at   timestamptz NOT NULL,
    address      text NOT NULL,
    browser      text NOT NULL,
    proved_at    timestamptz
);
CREATE INDEX ON browser_session (person_id);
CREATE INDEX ON browser_session (expires_at);
COMMENT ON TABLE browser_session IS 'Who is signed in, by the SHA-256 of the cookie.';
COMMENT ON COLUMN browser_session.proved_at IS 'When a second factor was shown in it last; null after a password alone';
COMMENT ON COLUMN browser_session.address IS 'Of the client that signed in';
COMMENT ON COLUMN browser_session.browser IS 'What kind it is, in plain words, as it said at the sign-in';

CREATE TABLE known_browser (
    id_digest  bytea PRIMARY KEY CHECK (octet_length(id_digest) = 32),
    person_id  uuid NOT NULL REFERENCES person,
    expires_at timestamptz NOT NULL
);
CREATE INDEX ON known_browser (person_id, expires_at);
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
GRANT SELECT, INSERT ON customer, person, customer_member, invitation, operator, application, application_owner,
    application_logo, sign_up, client_secret, browser_session, known_browser, recovery_code, passkey, passkey_challenge, guess TO rovitracker_service;
GRANT UPDATE (name, disabled_at, closed_at, erased_at, simulated_at) ON customer TO rovitracker_service;
GRANT UPDATE (role, disabled_at) ON operator TO rovitracker_service;
GRANT UPDATE (role, notices_off), DELETE ON customer_member TO rovitracker_service;
GRANT UPDATE (role, invited_by, created_at, expires_at, mail_id, accepted_at, withdrawn_at) ON invitation
    TO rovitracker_service;
GRANT UPDATE (email, name, email_confirmed_at, password_hash, totp_sealed, totp_sealed_with, totp_last_step, language,
              time_zone, ends_told_at, secrets_told_at)
    ON person TO rovitracker_service;
GRANT DELETE ON recovery_code, application_owner TO rovitracker_service;
GRANT UPDATE (invited_by, expires_at, used_at, withdrawn_at) ON sign_up TO rovitracker_service;
-- To lock a row takes the right to change one of its columns.
GRANT UPDATE (joined_at, contact, notices_off) ON application_owner TO rovitracker_service;
GRANT UPDATE (sign_count, name, backed_up, last_used_at), DELETE ON passkey TO rovitracker_service;
GRANT UPDATE (name, company, status, grants, scope, redirect_uris, customer_id, logo_digest, jwks, live_at,
              terms_uri, privacy_uri, scope_reasons) ON application
    TO rovitracker_service;
GRANT UPDATE (digest, slow_hash, created_at, expires_at), DELETE ON client_secret TO rovitracker_service;
GRANT UPDATE (last_seen_at, expires_at, proved_at), DELETE ON browser_session TO rovitracker_service;
GRANT UPDATE (expires_at), DELETE ON known_browser TO rovitracker_service;
GRANT UPDATE (level, at) ON guess TO rovitracker_service;
-- The role that writes machines looks their customers up.
GRANT SELECT ON customer TO rovitracker_ingest;

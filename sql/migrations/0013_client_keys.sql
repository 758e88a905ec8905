-- Since when each public key of an application is registered here, which its key set itself does not say.

CREATE TABLE client_key (
    application_id uuid NOT NULL REFERENCES application,
    digest         bytea NOT NULL CHECK (octet_length(digest) = 32),
    kid            text NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (application_id, digest)
);
COMMENT ON TABLE client_key IS 'One row for each key of application.jwks, which alone decides what a key may do';
COMMENT ON COLUMN client_key.digest IS 'The thumbprint of the key (RFC 7638), as credential_use has it';
COMMENT ON COLUMN client_key.created_at IS 'When it was registered here. It stays when a new key set has the key too';

GRANT SELECT, INSERT, DELETE ON client_key TO rovitracker_service;
GRANT UPDATE (kid) ON client_key TO rovitracker_service;

INSERT INTO retention (name, kind, keep, partition_step, reason, past_at, key_columns) VALUES
    ('client_key', 'table', NULL, NULL, 'five rows an application at most', NULL, NULL);

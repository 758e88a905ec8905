-- When an application last proved itself by each of its secrets and keys.

-- It stands apart from client_secret, where each change makes every process read the application anew.
CREATE TABLE credential_use (
    application_id uuid NOT NULL REFERENCES application,
    digest         bytea NOT NULL CHECK (octet_length(digest) = 32),
    used_at        timestamptz NOT NULL,
    PRIMARY KEY (application_id, digest)
);
CREATE INDEX ON credential_use (used_at);
COMMENT ON TABLE credential_use IS 'Last uses. Each process gathers them in memory, and writes each once an hour at most.';
COMMENT ON COLUMN credential_use.digest IS 'SHA-256 of the secret, as client_secret has it, or the thumbprint of a public key (RFC 7638)';
COMMENT ON COLUMN credential_use.used_at IS 'The beginning of the hour, in UTC';

GRANT SELECT, INSERT ON credential_use TO rovitracker_service;
GRANT UPDATE (used_at) ON credential_use TO rovitracker_service;

INSERT INTO retention (name, kind, keep, partition_step, reason, past_at, key_columns) VALUES
    ('credential_use', 'table', '400 days', NULL, 'longer than a year, after which every secret is told of anyway', 'used_at',
     'application_id, digest');

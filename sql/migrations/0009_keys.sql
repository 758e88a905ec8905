-- The public keys applications prove themselves by.

INSERT INTO retention (name, kind, keep, partition_step, reason) VALUES
    ('rovi:{id}:assertion', 'key', '0', NULL, 'a client assertion that was used; a minute longer than itself, by its own TTL');

ALTER TABLE application
    ADD COLUMN jwks jsonb,
    ADD CHECK (jwks IS NULL OR (kind = 'strict' AND NOT public AND jwks @? '$.keys[0]'));
COMMENT ON COLUMN application.jwks IS 'Its public keys (RFC 7517): it proves itself by what it signs with them, and has no secret. Null: by a secret';
GRANT UPDATE (jwks) ON application TO rovitracker_service;

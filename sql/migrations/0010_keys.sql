-- The keys the service signs with, and the public keys applications prove themselves by.

CREATE TABLE signing_key (
    kid         text PRIMARY KEY CHECK (octet_length(kid) = 43),
    public_jwk  jsonb NOT NULL CHECK (NOT public_jwk ? 'd'),
    sealed      text NOT NULL,
    sealed_with text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    begins_at   timestamptz NOT NULL,
    leaves_at   timestamptz
);
COMMENT ON COLUMN signing_key.kid IS 'The thumbprint of the key (RFC 7638)';
COMMENT ON COLUMN signing_key.sealed IS 'The private half, under a subkey of the secret key that sealed_with names';
COMMENT ON COLUMN signing_key.begins_at IS 'From when on it signs; it is published before';
COMMENT ON COLUMN signing_key.leaves_at IS 'When it is no longer published; null while no other follows it';

INSERT INTO retention (name, kind, keep, partition_step, reason) VALUES
    ('signing_key',         'table', '0', NULL, 'until it is no longer published'),
    ('rovi:{id}:assertion', 'key',   '0', NULL, 'a client assertion that was used; a minute longer than itself, by its own TTL');

-- What is published and may still be wanted for a verification is not the service's to delete.
GRANT SELECT, INSERT, UPDATE (sealed, sealed_with, leaves_at) ON signing_key TO rovitracker_service;

CREATE FUNCTION delete_past_signing_keys() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    past bigint;
BEGIN
    DELETE FROM signing_key
    WHERE leaves_at < clock_timestamp() - (SELECT keep FROM retention WHERE name = 'signing_key');
    GET DIAGNOSTICS past = ROW_COUNT;
    RETURN past;
END $$;
REVOKE ALL ON FUNCTION delete_past_signing_keys() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION delete_past_signing_keys() TO rovitracker_service;

-- All keys are one subject, told as the nil UUID: processes of the version before expect an id.
CREATE FUNCTION tell_signing_keys() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('rovitracker_changes', '00000000-0000-0000-0000-000000000000');
    RETURN NULL;
END $$;
CREATE TRIGGER tell_changed AFTER INSERT OR UPDATE OR DELETE ON signing_key
    FOR EACH ROW EXECUTE FUNCTION tell_signing_keys();

ALTER TABLE application
    ADD COLUMN jwks jsonb,
    ADD CHECK (jwks IS NULL OR (kind = 'strict' AND NOT public AND jwks @? '$.keys[0]'));
COMMENT ON COLUMN application.jwks IS 'Its public keys (RFC 7517): it proves itself by what it signs with them, and has no secret. Null: by a secret';
GRANT UPDATE (jwks) ON application TO rovitracker_service;

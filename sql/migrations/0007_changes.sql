-- What ends or changes says so in the transaction that does it, so that processes may remember answers: one
-- notification a token, grant, application, customer or pair, and none for what is issued or renewed.
--
-- The payload is the id; for a pair the customer's, a space, the application's.

CREATE FUNCTION tell_revoked_ids() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('rovitracker_changes', id::text) FROM after WHERE revoked_at IS NOT NULL;
    RETURN NULL;
END $$;

-- A renewal moves the end away, which nobody need hear.
CREATE FUNCTION tell_ended_ids() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('rovitracker_changes', after.id::text) FROM after JOIN before USING (id, bucket)
    WHERE after.revoked_at IS NOT NULL OR after.expires_at < before.expires_at;
    RETURN NULL;
END $$;

-- Retention deletes what is past: nobody remembers it as active, so only a row deleted alive is told.
CREATE FUNCTION tell_deleted_ids() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('rovitracker_changes', id::text) FROM deleted WHERE revoked_at IS NULL AND expires_at > clock_timestamp();
    RETURN NULL;
END $$;

CREATE FUNCTION tell_changed_ids() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('rovitracker_changes', id::text) FROM changed;
    RETURN NULL;
END $$;

CREATE FUNCTION tell_changed_applications() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('rovitracker_changes', application_id::text) FROM changed;
    RETURN NULL;
END $$;

CREATE FUNCTION tell_cut_pairs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('rovitracker_changes', customer_id || ' ' || application_id) FROM changed;
    RETURN NULL;
END $$;

CREATE TRIGGER tell_ended AFTER UPDATE ON classic_token REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION tell_ended_ids();
CREATE TRIGGER tell_ended AFTER UPDATE ON strict_token REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION tell_ended_ids();
CREATE TRIGGER tell_revoked AFTER UPDATE ON authorization_grant REFERENCING NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION tell_revoked_ids();
CREATE TRIGGER tell_deleted AFTER DELETE ON classic_token REFERENCING OLD TABLE AS deleted
    FOR EACH STATEMENT EXECUTE FUNCTION tell_deleted_ids();
CREATE TRIGGER tell_deleted AFTER DELETE ON strict_token REFERENCING OLD TABLE AS deleted
    FOR EACH STATEMENT EXECUTE FUNCTION tell_deleted_ids();

CREATE TRIGGER tell_changed AFTER UPDATE ON application REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION tell_changed_ids();
CREATE TRIGGER tell_changed AFTER UPDATE ON customer REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION tell_changed_ids();
CREATE TRIGGER tell_inserted AFTER INSERT ON client_secret REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION tell_changed_applications();
CREATE TRIGGER tell_updated AFTER UPDATE ON client_secret REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION tell_changed_applications();
CREATE TRIGGER tell_deleted AFTER DELETE ON client_secret REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION tell_changed_applications();
CREATE TRIGGER tell_inserted AFTER INSERT ON revocation REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION tell_cut_pairs();
CREATE TRIGGER tell_updated AFTER UPDATE ON revocation REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION tell_cut_pairs();

-- Nothing looks tokens up by application alone, or grants by anything but their id, and each index is written with
-- every token: at 20 million grants the first of these alone was half of an exchange's WAL.
DROP INDEX authorization_grant_customer_id_application_id_idx;
DROP INDEX authorization_grant_application_id_idx;
DROP INDEX classic_token_application_id_idx;

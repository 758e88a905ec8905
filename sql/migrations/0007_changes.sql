-- Whoever ends or changes something says so in the same transaction, so that processes may remember answers. There is
-- one notification for each token, grant, application, customer or pair, and none for what is issued or renewed.
--
-- The payload is the id. For a pair it is the customer's id, a space, and the application's.

CREATE FUNCTION tell_revoked_ids() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('rovitracker_changes', id::text) FROM after WHERE revoked_at IS NOT NULL;
    RETURN NULL;
END $$;

-- A renewal moves the end away, and nobody needs to hear of that.
CREATE FUNCTION tell_ended_ids() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('rovitracker_changes', after.id::text) FROM after JOIN before USING (id, bucket)
    WHERE after.revoked_at IS NOT NULL OR after.expires_at < coalesce(before.expires_at, 'infinity');
    RETURN NULL;
END $$;

-- Retention deletes what is past, and nobody remembers that as active. Only a row that was deleted alive is told.
CREATE FUNCTION tell_deleted_ids() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('rovitracker_changes', id::text) FROM deleted
    WHERE revoked_at IS NULL AND coalesce(expires_at, 'infinity') > clock_timestamp();
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

CREATE FUNCTION tell_changed_connections() RETURNS trigger LANGUAGE plpgsql AS $$
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

CREATE TRIGGER tell_ended AFTER UPDATE ON legacy_token REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION tell_ended_ids();
CREATE TRIGGER tell_deleted AFTER DELETE ON legacy_token REFERENCING OLD TABLE AS deleted
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
-- No token stands without a connection, so nothing that is remembered rests on a new one.
CREATE TRIGGER tell_updated AFTER UPDATE ON connection REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION tell_changed_connections();

-- What is said of a token names the machines of its share, and whoever makes a machine leave its fleet sees no connection.
CREATE FUNCTION tell_left_shares() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM pg_notify('rovitracker_changes', k.customer_id || ' ' || k.application_id)
    FROM (SELECT DISTINCT share FROM changed) c
    JOIN public.share s ON s.number = c.share
    JOIN public.connection k ON k.customer_id = s.customer_id AND k.share = s.number;
    RETURN NULL;
END $$;
CREATE TRIGGER tell_deleted AFTER DELETE ON share_machine REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION tell_left_shares();

-- It also calls each machine by its PIN, else by its serial number, else by its owner's own id. An empty one is none.
CREATE FUNCTION tell_machine_renamed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM pg_notify('rovitracker_changes', k.customer_id || ' ' || k.application_id)
    FROM public.share_machine m
    JOIN public.share s ON s.number = m.share
    JOIN public.connection k ON k.customer_id = s.customer_id AND k.share = s.number
    WHERE m.equipment_key = NEW.key;
    RETURN NULL;
END $$;
CREATE TRIGGER tell_renamed AFTER UPDATE OF pin, serial_number, equipment_id ON equipment FOR EACH ROW
    WHEN (coalesce(nullif(OLD.pin, ''), nullif(OLD.serial_number, ''), OLD.equipment_id)
          IS DISTINCT FROM coalesce(nullif(NEW.pin, ''), nullif(NEW.serial_number, ''), NEW.equipment_id))
    EXECUTE FUNCTION tell_machine_renamed();

-- All signing keys are one subject, told as the nil UUID, because a listener expects an id.
CREATE FUNCTION tell_signing_keys() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('rovitracker_changes', '00000000-0000-0000-0000-000000000000');
    RETURN NULL;
END $$;
CREATE TRIGGER tell_changed AFTER INSERT OR UPDATE OR DELETE ON signing_key
    FOR EACH ROW EXECUTE FUNCTION tell_signing_keys();

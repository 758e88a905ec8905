-- Which fleets changed lately, and in which transaction. A page of a fleet may be given again as long as no change is
-- visible now that was not visible to the statement which read the page. So nothing is locked, and nobody is notified.

CREATE TABLE fleet_change (
    customer_id uuid NOT NULL,
    xid         xid8 NOT NULL DEFAULT pg_current_xact_id(),
    beyond_figures boolean NOT NULL,
    PRIMARY KEY (customer_id, xid, beyond_figures)
);
COMMENT ON TABLE fleet_change IS 'One row for each transaction that changed what a page of the fleet shows, or two';
COMMENT ON COLUMN fleet_change.beyond_figures IS
    'Whether more changed than figures of machines, which tell by their rows'' xmin that they did: which machines there are, where '
    'they stand, what they are called, which have figures at all';

CREATE TABLE fleet_change_look (
    one      boolean PRIMARY KEY DEFAULT true CHECK (one),
    snapshot pg_snapshot NOT NULL,
    taken_at timestamptz NOT NULL
);
INSERT INTO fleet_change_look (snapshot, taken_at) VALUES (pg_current_snapshot(), clock_timestamp());
COMMENT ON TABLE fleet_change_look IS 'What was visible a while ago: changes among it were told to everybody, and are deleted';

-- All of these run with the owner's rights, so that nobody else can write that a fleet changed, or leave it out.
CREATE FUNCTION note_fleet_changes() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO public.fleet_change (customer_id, beyond_figures)
    SELECT DISTINCT customer_id, TG_ARGV[0]::boolean FROM changed WHERE customer_id IS NOT NULL
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

CREATE FUNCTION note_row_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO public.fleet_change (customer_id, beyond_figures) VALUES (OLD.customer_id, true), (NEW.customer_id, true)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

-- A share that is deleted whole is nobody's any more, and names no customer here.
CREATE FUNCTION note_share_changes() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO public.fleet_change (customer_id, beyond_figures)
    SELECT DISTINCT s.customer_id, true FROM changed JOIN public.share s ON s.number = changed.share
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

CREATE FUNCTION note_all_fleets() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO public.fleet_change (customer_id, beyond_figures) SELECT id, true FROM public.customer ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

DO $$
DECLARE
    table_name text;
    noting text;
BEGIN
    FOR table_name, noting IN VALUES
        ('fleet', 'note_fleet_changes'), ('equipment', 'note_fleet_changes'), ('equipment_latest', 'note_fleet_changes'),
        ('share_machine', 'note_share_changes')
    LOOP
        EXECUTE format('CREATE TRIGGER note_inserted AFTER INSERT ON %I REFERENCING NEW TABLE AS changed
                        FOR EACH STATEMENT EXECUTE FUNCTION %I(%L)', table_name, noting, table_name <> 'equipment_latest');
        EXECUTE format('CREATE TRIGGER note_deleted AFTER DELETE ON %I REFERENCING OLD TABLE AS changed
                        FOR EACH STATEMENT EXECUTE FUNCTION %I(true)', table_name, noting);
        EXECUTE format('CREATE TRIGGER note_truncated AFTER TRUNCATE ON %I
                        FOR EACH STATEMENT EXECUTE FUNCTION note_all_fleets()', table_name);
        IF table_name <> 'fleet' THEN
            EXECUTE format('CREATE TRIGGER note_after AFTER UPDATE ON %I REFERENCING NEW TABLE AS changed
                            FOR EACH STATEMENT EXECUTE FUNCTION %I(%L)', table_name, noting, table_name <> 'equipment_latest');
        END IF;
        IF table_name IN ('equipment', 'share_machine') THEN
            -- Twice, since a machine may leave one fleet or share for another.
            EXECUTE format('CREATE TRIGGER note_before AFTER UPDATE ON %I REFERENCING OLD TABLE AS changed
                            FOR EACH STATEMENT EXECUTE FUNCTION %I(true)', table_name, noting);
        END IF;
    END LOOP;
END $$;
-- An import locks a fleet by an update that changes nothing.
CREATE TRIGGER note_update AFTER UPDATE ON fleet FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW)
EXECUTE FUNCTION note_row_change();
CREATE TRIGGER note_elsewhere AFTER UPDATE OF customer_id, equipment_key ON equipment_latest FOR EACH ROW
WHEN ((OLD.customer_id, OLD.equipment_key) IS DISTINCT FROM (NEW.customer_id, NEW.equipment_key))
EXECUTE FUNCTION note_row_change();

-- A change is past when the look before saw it, and that look is old: no page is believed for so long. By the time in
-- the row it could not be told, since a transaction may take hours. What no transaction here can have written came from
-- a dump of another server.
CREATE FUNCTION delete_past_fleet_changes() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    seen pg_snapshot;
    past bigint;
BEGIN
    SELECT snapshot INTO seen FROM fleet_change_look
    WHERE taken_at < clock_timestamp() - (SELECT keep FROM retention WHERE name = 'fleet_change')
    FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    DELETE FROM fleet_change
    WHERE pg_visible_in_snapshot(xid, seen) OR xid >= pg_snapshot_xmax(pg_current_snapshot());
    GET DIAGNOSTICS past = ROW_COUNT;
    UPDATE fleet_change_look SET snapshot = pg_current_snapshot(), taken_at = clock_timestamp();
    RETURN past;
END $$;
REVOKE ALL ON FUNCTION delete_past_fleet_changes() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION delete_past_fleet_changes() TO rovitracker_service;

INSERT INTO retention (name, kind, keep, partition_step, reason) VALUES
    ('fleet_change',      'table', '1 hour', NULL, 'twice as long as a process believes a page that it remembers'),
    ('fleet_change_look', 'table', NULL,     NULL, 'one row');

GRANT SELECT ON fleet_change TO rovitracker_service;

-- Which fleets changed lately, and in which transaction. A page of a fleet may be given again as long as no change is
-- visible now that was not visible to the statement which read the page. So nothing is locked, and nobody is notified.

CREATE TABLE fleet_change (
    customer_id uuid NOT NULL,
    xid         xid8 NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (customer_id, xid)
);
COMMENT ON TABLE fleet_change IS 'One row for each transaction that changed what a page of the fleet shows';

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
    INSERT INTO public.fleet_change (customer_id)
    SELECT DISTINCT customer_id FROM changed WHERE customer_id IS NOT NULL
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

-- A share that is deleted whole is nobody's any more, and names no customer here.
CREATE FUNCTION note_share_changes() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO public.fleet_change (customer_id)
    SELECT DISTINCT s.customer_id FROM changed JOIN public.share s ON s.number = changed.share
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

CREATE FUNCTION note_all_fleets() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO public.fleet_change (customer_id) SELECT id FROM public.customer ON CONFLICT DO NOTHING;
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
                        FOR EACH STATEMENT EXECUTE FUNCTION %I()', table_name, noting);
        EXECUTE format('CREATE TRIGGER note_deleted AFTER DELETE ON %I REFERENCING OLD TABLE AS changed
                        FOR EACH STATEMENT EXECUTE FUNCTION %I()', table_name, noting);
        -- Twice, since a machine may leave one fleet or share for another.
        EXECUTE format('CREATE TRIGGER note_before AFTER UPDATE ON %I REFERENCING OLD TABLE AS changed
                        FOR EACH STATEMENT EXECUTE FUNCTION %I()', table_name, noting);
        EXECUTE format('CREATE TRIGGER note_after AFTER UPDATE ON %I REFERENCING NEW TABLE AS changed
                        FOR EACH STATEMENT EXECUTE FUNCTION %I()', table_name, noting);
        EXECUTE format('CREATE TRIGGER note_truncated AFTER TRUNCATE ON %I
                        FOR EACH STATEMENT EXECUTE FUNCTION note_all_fleets()', table_name);
    END LOOP;
END $$;

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

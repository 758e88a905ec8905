-- The machines of the customers, the newest reading of each, and their history.
--
-- Every table is under row-level security. The service sees the rows of the customer that its transaction names, and
-- none when it names none. Only the ingest role writes, and it sees the machines of every customer.

CREATE TABLE fleet (
    customer_id   uuid PRIMARY KEY REFERENCES customer,
    machine_count integer NOT NULL DEFAULT 0 CHECK (machine_count >= 0),
    -- The short name of a customer that every row of history carries: 4 bytes instead of 16.
    number        integer GENERATED ALWAYS AS IDENTITY UNIQUE,
    map_version   bigint NOT NULL DEFAULT 0,
    joined        bigint NOT NULL DEFAULT 0
);
COMMENT ON TABLE fleet IS 'How many machines a customer has. Its row is the lock under which positions are given.';
COMMENT ON COLUMN fleet.map_version IS 'It grows by one each time a machine leaves; only then does another machine change its position';
COMMENT ON COLUMN fleet.joined IS 'How many machines ever joined, those that left included';

-- A machine that nobody owns keeps its row for the readings of its former owners.
CREATE TABLE equipment (
    key               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id       uuid REFERENCES customer,
    position          integer CHECK (position > 0),
    unit_installed_at timestamptz,
    oem_name          text,
    model             text,
    equipment_id      text,
    serial_number     text,
    pin               text,
    created_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    joined            bigint,
    UNIQUE (customer_id, position) DEFERRABLE INITIALLY IMMEDIATE,
    UNIQUE (customer_id, joined),
    CHECK (num_nulls(customer_id, position, joined) IN (0, 3))
);
COMMENT ON COLUMN equipment.position IS
    '1 to machine_count without a gap, so that page n is an index range and costs the same for every n. A new machine comes last; '
    'when one leaves, the last takes its place, so that no other machine moves to another page.';
COMMENT ON COLUMN equipment.equipment_id IS 'The customer''s own name or number of the machine (ISO 15143-3 EquipmentID)';
COMMENT ON COLUMN equipment.joined IS 'Its number among all that ever joined this fleet';

-- Positions have no gaps: many readers take a page with fewer machines for the last one. The last machine takes the place
-- of one that leaves.
CREATE TABLE share_machine (
    share         bigint  NOT NULL REFERENCES share ON DELETE CASCADE,
    position      integer NOT NULL CHECK (position > 0),
    equipment_key bigint  NOT NULL REFERENCES equipment ON DELETE CASCADE,
    PRIMARY KEY (share, position),
    UNIQUE (equipment_key, share)
);
COMMENT ON TABLE share_machine IS 'The machines of a share, in the order of its pages. One that leaves its fleet leaves every share.';

-- Whoever makes a machine leave holds the lock on its fleet, so nobody else moves machines of its shares meanwhile.
CREATE FUNCTION leave_shares() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    empty record;
BEGIN
    FOR empty IN DELETE FROM share_machine WHERE equipment_key = OLD.key RETURNING share, position LOOP
        UPDATE share_machine SET position = empty.position
        WHERE share = empty.share AND position > empty.position
          AND position = (SELECT max(position) FROM share_machine WHERE share = empty.share);
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER leave_shares AFTER UPDATE OF customer_id ON equipment FOR EACH ROW
    WHEN (OLD.customer_id IS DISTINCT FROM NEW.customer_id) EXECUTE FUNCTION leave_shares();

-- A reader in the middle of its pages looks here, so that it misses no machine when another leaves.
CREATE TABLE equipment_move (
    customer_id   uuid NOT NULL REFERENCES customer,
    equipment_key bigint NOT NULL REFERENCES equipment,
    map_version   bigint NOT NULL,
    from_position integer NOT NULL,
    moved_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (customer_id, equipment_key, map_version)
);
CREATE INDEX ON equipment_move (customer_id, from_position, map_version);
CREATE INDEX ON equipment_move (moved_at);
COMMENT ON TABLE equipment_move IS 'Where a machine stood before it took the position of one that left';
COMMENT ON COLUMN equipment_move.map_version IS 'The first version of the map in which it stands elsewhere';

-- Only its first owner can have had a machine before this service knew it. That period therefore has no beginning, and
-- history imported with a machine is its first owner's.
CREATE TABLE equipment_ownership (
    equipment_key bigint NOT NULL REFERENCES equipment,
    customer_id   uuid NOT NULL REFERENCES customer,
    during        tstzrange NOT NULL,
    -- One owner at a time. A one-element range compares keys without needing an extension for bigint.
    EXCLUDE USING gist (int8range(equipment_key, equipment_key, '[]') WITH &&, during WITH &&)
);
CREATE INDEX ON equipment_ownership (equipment_key);
COMMENT ON TABLE equipment_ownership IS 'Who owned a machine when: history is shown for the owner''s own period only.';

CREATE TABLE equipment_identifier (
    customer_id   uuid NOT NULL REFERENCES customer,
    value         text NOT NULL CHECK (value <> ''),
    kind          smallint NOT NULL CHECK (kind BETWEEN 1 AND 3),
    equipment_key bigint NOT NULL REFERENCES equipment,
    PRIMARY KEY (customer_id, value, kind, equipment_key)
);
CREATE INDEX ON equipment_identifier (equipment_key);
-- A gateway of many customers' machines names them by PIN or serial number alone, never by equipment id (3).
CREATE INDEX ON equipment_identifier (value) WHERE kind < 3;
COMMENT ON COLUMN equipment_identifier.value IS 'Upper case, outer spaces removed';
COMMENT ON COLUMN equipment_identifier.kind IS '1 PIN or VIN, 2 serial number, 3 equipment id: the lower one wins a look-up';

-- One row for each machine, and a time of its own for each element, so that late data never moves a figure back.
CREATE TABLE equipment_latest (
    equipment_key bigint PRIMARY KEY REFERENCES equipment,
    customer_id   uuid NOT NULL REFERENCES customer,
    average_load_factor_last_24_at          timestamptz,
    average_load_factor_last_24_percent     double precision,
    location_at                             timestamptz,
    latitude                                double precision,
    longitude                               double precision,
    altitude_m                              double precision,
    cumulative_active_regeneration_hours_at timestamptz,
    cumulative_active_regeneration_hours    double precision,
    cumulative_idle_hours_at                timestamptz,
    cumulative_idle_hours                   double precision,
    cumulative_idle_non_operating_hours_at  timestamptz,
    cumulative_idle_non_operating_hours     double precision,
    cumulative_load_count_at                timestamptz,
    cumulative_load_count                   bigint,
    cumulative_operating_hours_at           timestamptz,
    cumulative_operating_hours              double precision,
    cumulative_power_take_off_hours_at      timestamptz,
    cumulative_power_take_off_hours         double precision,
    cumulative_payload_totals_at            timestamptz,
    cumulative_payload_totals_kg            double precision,
    def_remaining_at                        timestamptz,
    def_remaining_percent                   double precision,
    def_tank_capacity_l                     double precision,
    distance_at                             timestamptz,
    distance_km                             double precision,
    engine_status_at                        timestamptz,
    engine_number                           text,
    engine_running                          boolean,
    fuel_used_at                            timestamptz,
    fuel_used_l                             double precision,
    fuel_used_last_24_at                    timestamptz,
    fuel_used_last_24_l                     double precision,
    fuel_remaining_at                       timestamptz,
    fuel_remaining_percent                  double precision,
    fuel_tank_capacity_l                    double precision,
    maximum_speed_last_24_at                timestamptz,
    maximum_speed_last_24_kmh               double precision,
    -- What is newer than newest_at cannot be in the tables of history yet, and is inserted without a look.
    newest_at                               timestamptz,
    last_24_at                              timestamptz
) WITH (fillfactor = 70);
COMMENT ON COLUMN equipment_latest.newest_at IS 'The time of the newest row of this machine in reading, position and fault';
COMMENT ON COLUMN equipment_latest.last_24_at IS 'The newest_at for which the figures of the last 24 hours were computed';

-- The tables of history have weekly partitions. Each row names the fleet that had the machine at that time, so that
-- row-level security holds the period of ownership too.

-- The columns stand in the order that wastes no space between them: a row is 60 bytes, and 44 in the index. The index
-- has all that a page of a series is read by, the policy's column too. Rows lie in the order of their arrival, so each
-- reading of a series is on a page of its own: without these columns a page of a series would read all those pages.
CREATE TABLE reading (
    at            timestamptz      NOT NULL,
    value         double precision NOT NULL,
    equipment_key integer          NOT NULL,
    fleet_number  integer          NOT NULL,
    metric        smallint         NOT NULL,
    PRIMARY KEY (equipment_key, metric, at) INCLUDE (value, fleet_number)
) PARTITION BY RANGE (at);
COMMENT ON TABLE reading IS 'One figure at one time. What does not change with time, such as a tank''s capacity, is in equipment_latest.';
COMMENT ON COLUMN reading.metric IS 'A number of the enumeration Metric, never given to another meaning; on and off are 1 and 0';
COMMENT ON COLUMN reading.fleet_number IS 'The fleet that had the machine at that time';

CREATE TABLE position (
    at            timestamptz      NOT NULL,
    latitude      double precision NOT NULL,
    longitude     double precision NOT NULL,
    altitude_m    double precision,
    equipment_key integer          NOT NULL,
    fleet_number  integer          NOT NULL,
    PRIMARY KEY (equipment_key, at) INCLUDE (latitude, longitude, altitude_m, fleet_number)
) PARTITION BY RANGE (at);

CREATE TABLE fault (
    at               timestamptz NOT NULL,
    equipment_key    integer     NOT NULL,
    fleet_number     integer     NOT NULL,
    kind             smallint    NOT NULL CHECK (kind IN (1, 2)),
    code_identifier  text        NOT NULL,
    code_description text,
    code_severity    text,
    code_source      text        NOT NULL DEFAULT '',
    PRIMARY KEY (equipment_key, kind, at, code_identifier, code_source)
) PARTITION BY RANGE (at);
COMMENT ON COLUMN fault.kind IS '1 fault code, 2 caution code';
COMMENT ON COLUMN fault.code_source IS 'The computer that reported it; empty when none is named';

-- A new device counts from its own zero. This is added to its figures so that those of the machine do not fall.
CREATE TABLE equipment_offset (
    equipment_key bigint           NOT NULL REFERENCES equipment,
    metric        smallint         NOT NULL,
    from_at       timestamptz      NOT NULL,
    value         double precision NOT NULL,
    PRIMARY KEY (equipment_key, metric, from_at)
);
COMMENT ON COLUMN equipment_offset.from_at IS 'It holds from then on, until the next offset of the same machine and metric';

-- A writer of readings judges them by periods of ownership and by offsets, and holds this lock shared meanwhile. The
-- triggers make whoever changes either wait for the writers. A transaction that wants the lock takes it first, before
-- rows that writers of readings want too.
CREATE FUNCTION await_writers_of_readings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('rovitracker readings'));
    RETURN NULL;
END $$;
CREATE TRIGGER await_writers BEFORE UPDATE OR DELETE ON equipment_ownership
    FOR EACH STATEMENT EXECUTE FUNCTION await_writers_of_readings();
CREATE TRIGGER await_writers BEFORE INSERT OR UPDATE OR DELETE ON equipment_offset
    FOR EACH STATEMENT EXECUTE FUNCTION await_writers_of_readings();

-- The service reads no offsets, so that table has no policy for it. A transaction names the customer, the share or
-- 'all', and the beginning of the history that is shown. Whatever is not named shows nothing. A setting that was never
-- made reads as null or as the empty string.
DO $$
DECLARE
    machine_tables CONSTANT text[] := ARRAY[
        'equipment', 'equipment_identifier', 'equipment_latest', 'reading', 'position', 'fault'];
    customer_tables CONSTANT text[] := ARRAY[
        'fleet', 'equipment', 'equipment_move', 'equipment_ownership', 'equipment_identifier', 'equipment_latest'];
    history_tables CONSTANT text[] := ARRAY['reading', 'position', 'fault'];
    table_name text;
BEGIN
    FOREACH table_name IN ARRAY customer_tables || history_tables || ARRAY['equipment_offset'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', table_name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', table_name);
        EXECUTE format('CREATE POLICY every_customer ON %I FOR ALL TO rovitracker_ingest USING (true) WITH CHECK (true)', table_name);
    END LOOP;
    FOREACH table_name IN ARRAY customer_tables LOOP
        EXECUTE format($policy$CREATE POLICY own_customer ON %I FOR SELECT TO rovitracker_service
            USING (customer_id = nullif(current_setting('rovitracker.customer', true), '')::uuid)$policy$, table_name);
    END LOOP;
    FOREACH table_name IN ARRAY history_tables LOOP
        -- A subquery, so that the number is looked up once for each statement and not for each row.
        EXECUTE format($policy$CREATE POLICY own_fleet ON %I FOR SELECT TO rovitracker_service
            USING (fleet_number = (SELECT number FROM fleet
                                   WHERE customer_id = nullif(current_setting('rovitracker.customer', true), '')::uuid))$policy$, table_name);
    END LOOP;
    FOREACH table_name IN ARRAY machine_tables LOOP
        EXECUTE format($policy$CREATE POLICY shared ON %I AS RESTRICTIVE FOR SELECT TO rovitracker_service
            USING ((SELECT current_setting('rovitracker.share', true)) = 'all' OR EXISTS (
                SELECT FROM share_machine s WHERE s.equipment_key = %s AND s.share = (
                    SELECT nullif(nullif(current_setting('rovitracker.share', true), ''), 'all')::bigint)))$policy$,
            table_name, CASE table_name WHEN 'equipment' THEN 'key' ELSE format('%I.equipment_key', table_name) END);
    END LOOP;
    FOREACH table_name IN ARRAY history_tables LOOP
        EXECUTE format($policy$CREATE POLICY shown_history ON %I AS RESTRICTIVE FOR SELECT TO rovitracker_service
            USING (at >= (SELECT nullif(current_setting('rovitracker.history_from', true), '')::timestamptz))$policy$, table_name);
    END LOOP;
    -- Readings are copied into temporary tables. Everybody may have such tables unless the right was revoked.
    IF NOT has_database_privilege('rovitracker_ingest', current_database(), 'TEMPORARY') THEN
        EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO rovitracker_ingest', current_database());
    END IF;
END $$;

GRANT SELECT ON fleet, equipment, equipment_move, equipment_ownership, equipment_identifier, equipment_latest,
    reading, position, fault TO rovitracker_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON fleet, equipment, equipment_ownership, equipment_identifier, equipment_latest,
    equipment_offset, reading, position, fault TO rovitracker_ingest;
GRANT SELECT, INSERT ON share_machine TO rovitracker_service;
GRANT SELECT, DELETE ON share_machine TO rovitracker_ingest;
GRANT UPDATE (position) ON share_machine TO rovitracker_ingest;
-- A move is never changed, only forgotten.
GRANT SELECT, INSERT, DELETE ON equipment_move TO rovitracker_ingest;

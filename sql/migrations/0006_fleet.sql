-- The machines of the customers and the newest reading of each. Every table carries the customer and row-level
-- security: the service sees the rows of the customer that its transaction names, and none when it names none.

CREATE TABLE fleet (
    customer_id   uuid PRIMARY KEY REFERENCES customer,
    machine_count integer NOT NULL DEFAULT 0 CHECK (machine_count >= 0)
);
COMMENT ON TABLE fleet IS 'How many machines a customer has. Its row is the lock under which positions are given.';

CREATE TABLE equipment (
    key               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id       uuid NOT NULL REFERENCES customer,
    position          integer NOT NULL CHECK (position > 0),
    unit_installed_at timestamptz,
    oem_name          text,
    model             text,
    equipment_id      text,
    serial_number     text,
    pin               text,
    created_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (customer_id, position) DEFERRABLE INITIALLY IMMEDIATE
);
COMMENT ON COLUMN equipment.position IS
    '1 to machine_count without a gap, so that page n is an index range and costs the same for every n. A new machine comes last; '
    'when one leaves, the last takes its place, so that no other machine moves to another page.';
COMMENT ON COLUMN equipment.equipment_id IS 'The customer''s own name or number of the machine (ISO 15143-3 EquipmentID)';

CREATE TABLE equipment_ownership (
    equipment_key bigint NOT NULL REFERENCES equipment,
    customer_id   uuid NOT NULL REFERENCES customer,
    during        tstzrange NOT NULL,
    -- One owner at a time. A one-element range compares keys without needing an extension for bigint.
    EXCLUDE USING gist (int8range(equipment_key, equipment_key, '[]') WITH &&, during WITH &&)
);
COMMENT ON TABLE equipment_ownership IS 'Who owned a machine when: history is shown for the owner''s own period only.';

CREATE TABLE equipment_identifier (
    customer_id   uuid NOT NULL REFERENCES customer,
    value         text NOT NULL CHECK (value <> ''),
    kind          smallint NOT NULL CHECK (kind BETWEEN 1 AND 3),
    equipment_key bigint NOT NULL REFERENCES equipment,
    PRIMARY KEY (customer_id, value, kind, equipment_key)
);
CREATE INDEX ON equipment_identifier (equipment_key);
COMMENT ON COLUMN equipment_identifier.value IS 'Upper case, outer spaces removed';
COMMENT ON COLUMN equipment_identifier.kind IS '1 PIN or VIN, 2 serial number, 3 equipment id: the lower one wins a look-up';

-- One row a machine, a time of its own for each element: late data never moves a figure back.
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
    maximum_speed_last_24_kmh               double precision
) WITH (fillfactor = 70);

INSERT INTO retention (name, kind, keep, partition_step, reason) VALUES
    ('fleet',                'table', NULL, NULL, 'one row a customer'),
    ('equipment',            'table', NULL, NULL, 'machines of the customers'),
    ('equipment_ownership',  'table', NULL, NULL, 'who owned a machine when'),
    ('equipment_identifier', 'table', NULL, NULL, 'how a machine is asked for'),
    ('equipment_latest',     'table', NULL, NULL, 'one row a machine');

DO $$
DECLARE
    table_name text;
BEGIN
    FOREACH table_name IN ARRAY
        ARRAY['fleet', 'equipment', 'equipment_ownership', 'equipment_identifier', 'equipment_latest']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', table_name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', table_name);
        -- An unset setting reads as null or as the empty string: either way no row has it.
        EXECUTE format($policy$CREATE POLICY own_customer ON %I FOR SELECT TO rovitracker_service
            USING (customer_id = nullif(current_setting('rovitracker.customer', true), '')::uuid)$policy$, table_name);
        EXECUTE format('CREATE POLICY every_customer ON %I FOR ALL TO rovitracker_ingest USING (true) WITH CHECK (true)', table_name);
        EXECUTE format('GRANT SELECT ON %I TO rovitracker_service', table_name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO rovitracker_ingest', table_name);
    END LOOP;
END $$;
GRANT SELECT ON customer TO rovitracker_ingest;

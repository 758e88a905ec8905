-- Machines that leave a fleet, and what a reader in the middle of its pages needs so that no other machine is missed for it.

ALTER TABLE fleet
    ADD COLUMN map_version bigint NOT NULL DEFAULT 0,
    ADD COLUMN joined      bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN fleet.map_version IS 'One more each time a machine leaves, the only time that another changes its position';
COMMENT ON COLUMN fleet.joined IS 'How many machines ever joined, those that left included';

-- A machine nobody owns keeps its row for the readings of its former owners.
ALTER TABLE equipment
    ALTER COLUMN customer_id DROP NOT NULL,
    ALTER COLUMN position DROP NOT NULL,
    ADD COLUMN joined bigint,
    ADD UNIQUE (customer_id, joined);
COMMENT ON COLUMN equipment.joined IS 'Its number among all that ever joined this fleet';

SET LOCAL ROLE rovitracker_ingest;
UPDATE equipment SET joined = position;
UPDATE fleet SET joined = machine_count;
RESET ROLE;
ALTER TABLE equipment ADD CHECK (num_nulls(customer_id, position, joined) IN (0, 3));

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

ALTER TABLE equipment_move ENABLE ROW LEVEL SECURITY;
ALTER TABLE equipment_move FORCE ROW LEVEL SECURITY;
CREATE POLICY own_customer ON equipment_move FOR SELECT TO rovitracker_service
    USING (customer_id = nullif(current_setting('rovitracker.customer', true), '')::uuid);
CREATE POLICY every_customer ON equipment_move FOR ALL TO rovitracker_ingest USING (true) WITH CHECK (true);
GRANT SELECT ON equipment_move TO rovitracker_service;
GRANT SELECT, INSERT, DELETE ON equipment_move TO rovitracker_ingest;

INSERT INTO retention (name, kind, keep, partition_step, reason) VALUES
    ('equipment_move',  'table', '1 hour', NULL, 'twice as long as a reader may take for the pages of a fleet'),
    ('rovi:{id}:pages', 'key',   '0',      NULL, 'the page map of one reader; half an hour by its own TTL');

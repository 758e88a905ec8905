-- The history of the machines: readings, positions and faults in weekly partitions, each row under the number of the
-- fleet whose machine it was at that time, so that row-level security holds the period of ownership too.

-- The short name of a customer that every row of history carries: 4 bytes instead of 16.
ALTER TABLE fleet ADD COLUMN number integer GENERATED ALWAYS AS IDENTITY UNIQUE;

-- The columns in the order that wastes no space between them; a row is 60 bytes, and 44 in the index. The index has all
-- that a page of a series is read by, the policy's column too: rows lie in the order of their arrival, so that each reading
-- of a series is on a page of its own, and a table that is larger than the memory would be asked for every one of them.
CREATE TABLE reading (
    at            timestamptz      NOT NULL,
    value         double precision NOT NULL,
    equipment_key integer          NOT NULL,
    fleet_number  integer          NOT NULL,
    metric        smallint         NOT NULL,
    PRIMARY KEY (equipment_key, metric, at) INCLUDE (value, fleet_number)
) PARTITION BY RANGE (at);
COMMENT ON TABLE reading IS 'One figure at one time. What does not change with time, such as a tank''s capacity, is in equipment_latest.';
COMMENT ON COLUMN reading.metric IS 'Numbered in app/aemp/series.py, never anew; on and off are 1 and 0';
COMMENT ON COLUMN reading.fleet_number IS 'Of the fleet whose machine it was at that time';

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

-- What is newer than everything a machine has in these tables cannot be there already, and is inserted without a look.
ALTER TABLE equipment_latest ADD COLUMN newest_at timestamptz, ADD COLUMN last_24_at timestamptz;
COMMENT ON COLUMN equipment_latest.newest_at IS 'The newest of all that is kept of the machine in reading, position and fault';
COMMENT ON COLUMN equipment_latest.last_24_at IS 'The newest_at for which the figures of the last 24 hours were computed';

-- A gateway of many customers' machines names them by PIN or serial number alone.
CREATE INDEX ON equipment_identifier (value) WHERE kind < 3;
CREATE INDEX ON equipment_ownership (equipment_key);

-- A new device counts from its own zero: what is added to its figures so that those of the machine do not fall.
CREATE TABLE equipment_offset (
    equipment_key bigint           NOT NULL REFERENCES equipment,
    metric        smallint         NOT NULL,
    from_at       timestamptz      NOT NULL,
    value         double precision NOT NULL,
    PRIMARY KEY (equipment_key, metric, from_at)
);
COMMENT ON COLUMN equipment_offset.from_at IS 'It holds from then on, until the next of the same machine and metric';

-- Nobody but its first owner can have had a machine before this service knew it, so that period has no beginning:
-- history imported with a machine is its owner's.
SET LOCAL ROLE rovitracker_ingest;
UPDATE equipment_ownership SET during = tstzrange(NULL, upper(during));
RESET ROLE;

-- Who writes readings judges them by periods of ownership and offsets, and holds this lock shared meanwhile; who changes
-- either waits for them. Take it first in a transaction: before rows that writers of readings want too.
CREATE FUNCTION await_writers_of_readings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('rovitracker readings'));
    RETURN NULL;
END $$;
CREATE TRIGGER await_writers BEFORE UPDATE OR DELETE ON equipment_ownership
    FOR EACH STATEMENT EXECUTE FUNCTION await_writers_of_readings();
CREATE TRIGGER await_writers BEFORE INSERT OR UPDATE OR DELETE ON equipment_offset
    FOR EACH STATEMENT EXECUTE FUNCTION await_writers_of_readings();

DO $$
DECLARE
    table_name text;
BEGIN
    FOREACH table_name IN ARRAY ARRAY['reading', 'position', 'fault', 'equipment_offset'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', table_name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', table_name);
        EXECUTE format('CREATE POLICY every_customer ON %I FOR ALL TO rovitracker_ingest USING (true) WITH CHECK (true)', table_name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO rovitracker_ingest', table_name);
    END LOOP;
    FOREACH table_name IN ARRAY ARRAY['reading', 'position', 'fault'] LOOP
        -- A subquery, so that the number is looked up once a statement and not once a row.
        EXECUTE format($policy$CREATE POLICY own_fleet ON %I FOR SELECT TO rovitracker_service
            USING (fleet_number = (SELECT number FROM fleet
                                   WHERE customer_id = nullif(current_setting('rovitracker.customer', true), '')::uuid))$policy$, table_name);
        EXECUTE format('GRANT SELECT ON %I TO rovitracker_service', table_name);
    END LOOP;
    -- Readings are copied into tables that each session has for itself. Everybody may have such tables unless it was revoked.
    IF NOT has_database_privilege('rovitracker_ingest', current_database(), 'TEMPORARY') THEN
        EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO rovitracker_ingest', current_database());
    END IF;
END $$;
GRANT SELECT ON retention TO rovitracker_ingest;
-- What the transactions of this role change beside readings stands in the trail in the same transaction.
GRANT INSERT ON audit_event TO rovitracker_ingest;

ALTER TABLE retention DROP CONSTRAINT retention_partition_step_check;
ALTER TABLE retention ADD CONSTRAINT retention_partition_step_check CHECK (partition_step IN ('day', 'week', 'month'));
-- Late readings make the weeks that they belong into, so without an end any wrong clock would make more of them.
ALTER TABLE retention ADD CHECK (partition_step <> 'week' OR keep IS NOT NULL);
COMMENT ON COLUMN retention.partition_step IS 'Weeks are of tables partitioned by a time, days and months of tables partitioned by an id';

INSERT INTO retention (name, kind, keep, partition_step, reason) VALUES
    ('reading',          'partitions', '400 days', 'week', 'a month can be compared with the same of the year before'),
    ('position',         'partitions', '400 days', 'week', 'as long as readings'),
    ('fault',            'partitions', '400 days', 'week', 'as long as readings'),
    ('equipment_offset', 'table',      NULL,       NULL,   'a few rows a machine');

-- For the functions below alone, which run with the owner's rights: whether the partition that holds a moment was missing.
CREATE FUNCTION create_partition(parent text, step text, moment timestamptz) RETURNS boolean LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    from_at CONSTANT timestamptz := date_trunc(step, moment);
    until_at CONSTANT timestamptz := from_at + ('1 ' || step)::interval;
    child CONSTANT text := format('%s_%s', parent, to_char(from_at, CASE step WHEN 'month' THEN 'YYYYMM' ELSE 'YYYYMMDD' END));
BEGIN
    IF to_regclass('public.' || child) IS NOT NULL THEN
        RETURN false;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('rovitracker partitions'));
    IF to_regclass('public.' || child) IS NOT NULL THEN
        RETURN false;  -- another was faster
    END IF;
    -- Made apart and then attached: ATTACH lets readers and writers of the parent go on, PARTITION OF stops them.
    EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING ALL)', child, parent);
    IF step = 'week' THEN
        EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                       parent, child, from_at, until_at);
    ELSE
        EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                       parent, child, public.uuid_at(from_at), public.uuid_at(until_at));
    END IF;
    RETURN true;
END $$;
REVOKE ALL ON FUNCTION create_partition(text, text, timestamptz) FROM PUBLIC;

-- As before, and weeks.
CREATE OR REPLACE FUNCTION create_partitions() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('rovitracker partitions'));
    -- One step back, so that a clock a little behind ours still finds its partition; several ahead, so that
    -- a service left alone for days does not run out of them.
    RETURN (
        SELECT count(*) FILTER (WHERE public.create_partition(
            r.name, r.partition_step, date_trunc(r.partition_step, clock_timestamp()) + n * ('1 ' || r.partition_step)::interval))
        FROM public.retention r, generate_series(-1, CASE r.partition_step WHEN 'day' THEN 7 ELSE 2 END) n
        WHERE r.kind = 'partitions');
END $$;

-- Late readings find their week too, as long as its rows would be kept. A caller can make no more weeks than these.
CREATE FUNCTION create_partitions_of(moments timestamptz[]) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    RETURN (
        SELECT count(*) FILTER (WHERE public.create_partition(r.name, r.partition_step, week))
        FROM (SELECT DISTINCT date_trunc('week', moment) AS week FROM unnest(moments) moment) weeks
        JOIN public.retention r ON r.partition_step = 'week'
             AND week BETWEEN date_trunc('week', clock_timestamp() - r.keep) AND clock_timestamp() + interval '1 week');
END $$;
REVOKE ALL ON FUNCTION create_partitions_of(timestamptz[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION create_partitions_of(timestamptz[]) TO rovitracker_ingest;
SELECT create_partitions();

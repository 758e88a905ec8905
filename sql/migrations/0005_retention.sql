-- Everything has an end: how long each table and each key in Valkey lives, and the functions that see to it.

CREATE TABLE retention (
    name           text PRIMARY KEY,
    kind           text NOT NULL CHECK (kind IN ('table', 'partitions', 'key')),
    keep           interval,
    partition_step text CHECK (partition_step IN ('day', 'month')),
    reason         text NOT NULL,
    CHECK ((kind = 'partitions') = (partition_step IS NOT NULL))
);
COMMENT ON COLUMN retention.keep IS 'How long a row (or the newest row of a partition) stays after it is past; null: for ever';

INSERT INTO retention (name, kind, keep, partition_step, reason) VALUES
    ('customer',            'table',      NULL,             NULL,    'accounts are disabled, never deleted'),
    ('customer_member',     'table',      NULL,             NULL,    'people of the accounts'),
    ('operator',            'table',      NULL,             NULL,    'named by the audit trail'),
    ('application',         'table',      NULL,             NULL,    'an id is never used again'),
    ('application_logo',    'table',      NULL,             NULL,    'cached for ever under its digest'),
    ('client_secret',       'table',      NULL,             NULL,    'two rows an application at most'),
    ('browser_session',     'table',      '1 day',          NULL,    'a day after it expired'),
    ('authorization_grant', 'table',      '1 day',          NULL,    'a day after its code, and not before the last token from it is gone'),
    ('classic_token',       'table',      '30 days',        NULL,    'a month after it expired or was revoked'),
    ('strict_token',        'partitions', '1 day',          'day',   'a day after the newest token of the partition expired'),
    ('refresh_token',       'partitions', '1 day',          'month', 'a day after the last family of the partition ended'),
    ('revocation',          'table',      NULL,             NULL,    'one row a customer and application'),
    ('audit_event',         'partitions', '3 years',        'month', 'the trail'),
    ('retention',           'table',      NULL,             NULL,    'this table'),
    ('schema_migration',    'table',      NULL,             NULL,    'what was applied'),
    ('rovi:{id}:code',      'key',        '0',              NULL,    'an authorization code; CODE_LIFETIME by its own TTL'),
    ('rovi:{id}:flow',      'key',        '0',              NULL,    'the decision taken on one consent page; the life of the page by its own TTL');

GRANT SELECT ON retention TO rovitracker_service;

CREATE FUNCTION uuid_at(moment timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (lpad(to_hex(floor(extract(epoch FROM moment) * 1000)::bigint), 12, '0') || '00000000000000000000')::uuid;
COMMENT ON FUNCTION uuid_at IS 'The smallest UUIDv7-ordered value of a moment: a partition bound';

-- Runs with the owner's rights, since the service may create no table itself. It takes no argument a caller could abuse.
CREATE FUNCTION create_partitions() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    parent record;
    from_at timestamptz;
    until_at timestamptz;
    child text;
    created integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('rovitracker partitions'));
    FOR parent IN SELECT name, partition_step FROM public.retention WHERE kind = 'partitions' ORDER BY name LOOP
        -- One step back, so that a clock a little behind ours still finds its partition; several ahead, so that
        -- a service left alone for days does not run out of them.
        FOR step IN -1 .. CASE parent.partition_step WHEN 'day' THEN 7 ELSE 2 END LOOP
            from_at := date_trunc(parent.partition_step, clock_timestamp()) + step * ('1 ' || parent.partition_step)::interval;
            until_at := from_at + ('1 ' || parent.partition_step)::interval;
            child := format('%s_%s', parent.name,
                            to_char(from_at, CASE parent.partition_step WHEN 'day' THEN 'YYYYMMDD' ELSE 'YYYYMM' END));
            IF to_regclass('public.' || child) IS NULL THEN
                -- Made apart and then attached: ATTACH lets readers and writers of the parent go on, PARTITION OF stops them.
                EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING ALL)', child, parent.name);
                EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                               parent.name, child, public.uuid_at(from_at), public.uuid_at(until_at));
                created := created + 1;
            END IF;
        END LOOP;
    END LOOP;
    RETURN created;
END $$;
REVOKE ALL ON FUNCTION create_partitions() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION create_partitions() TO rovitracker_service;
SELECT create_partitions();

-- One bounded batch, so that no clean-up ever holds locks for long; the caller repeats while rows came back.
CREATE FUNCTION delete_past_rows(most integer) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    -- Held still: a volatile function in a condition would keep the indexes from being used.
    moment CONSTANT timestamptz := clock_timestamp();
    keep_for jsonb;
    past bigint;
    total bigint := 0;
BEGIN
    -- Every process comes here once an hour; one of them is enough.
    IF NOT pg_try_advisory_xact_lock(hashtext('rovitracker retention')) THEN
        RETURN 0;
    END IF;
    SELECT jsonb_object_agg(name, keep) INTO keep_for FROM retention WHERE kind = 'table' AND keep IS NOT NULL;

    DELETE FROM browser_session WHERE id_digest IN (
        SELECT id_digest FROM browser_session
        WHERE expires_at < moment - (keep_for ->> 'browser_session')::interval
        LIMIT most FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS past = ROW_COUNT;
    total := total + past;

    DELETE FROM classic_token WHERE (id, bucket) IN (
        SELECT id, bucket FROM classic_token
        WHERE least(expires_at, revoked_at) < moment - (keep_for ->> 'classic_token')::interval
        LIMIT most FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS past = ROW_COUNT;
    total := total + past;

    DELETE FROM authorization_grant WHERE (id, bucket) IN (
        SELECT g.id, g.bucket FROM authorization_grant g
        WHERE g.approved_at < moment - interval '1 day' - (keep_for ->> 'authorization_grant')::interval
          AND NOT EXISTS (SELECT FROM classic_token t WHERE t.grant_id = g.id)
          AND NOT EXISTS (SELECT FROM strict_token t WHERE t.grant_id = g.id)
          AND NOT EXISTS (SELECT FROM refresh_token t WHERE t.grant_id = g.id)
        LIMIT most FOR UPDATE OF g SKIP LOCKED);
    GET DIAGNOSTICS past = ROW_COUNT;
    RETURN total + past;
END $$;
REVOKE ALL ON FUNCTION delete_past_rows(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION delete_past_rows(integer) TO rovitracker_service;

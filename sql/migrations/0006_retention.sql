-- Everything has an end: how long each table and each key in Valkey lives, and the functions that see to it.
--
-- The functions that create partitions or delete rows run with the owner's rights, since the service may do neither by
-- itself. No caller can abuse their arguments.

CREATE TABLE retention (
    name           text PRIMARY KEY,
    kind           text NOT NULL CHECK (kind IN ('table', 'partitions', 'key')),
    keep           interval,
    partition_step text CHECK (partition_step IN ('day', 'week', 'month')),
    reason         text NOT NULL,
    past_at        text,
    key_columns    text,
    CHECK (num_nulls(past_at, key_columns) IN (0, 2) AND (past_at IS NULL OR kind = 'table' AND keep IS NOT NULL)),
    CHECK ((kind = 'partitions') = (partition_step IS NOT NULL)),
    -- Late readings make the weeks they belong to. Without an end, any wrong clock would make more of them.
    CHECK (partition_step <> 'week' OR keep IS NOT NULL)
);
COMMENT ON COLUMN retention.keep IS 'How long a row (or the newest row of a partition) stays after it is past; null: for ever';
COMMENT ON COLUMN retention.past_at IS 'When a row is past, as an expression of its columns; null: another verb than delete_past_rows judges';
COMMENT ON COLUMN retention.partition_step IS 'A week where a time partitions the table, a day or a month where an id does';

INSERT INTO retention (name, kind, keep, partition_step, reason) VALUES
    ('customer',             'table',      NULL,       NULL,    'the audit trail names it; erased 30 days after it was closed'),
    ('person',               'table',      NULL,       NULL,    'the audit trail names it; everything but the id goes when the person is erased'),
    ('customer_member',      'table',      NULL,       NULL,    'one row a person of an account; it goes when the person leaves'),
    ('refused_request',      'table',      '7 days',   NULL,    'while an owner looks for what went wrong; a thousand of each application at most'),
    ('sign_up',              'table',      '30 days',  NULL,    'a month after its link expired, so that a late click is told so'),
    ('application_owner',    'table',      NULL,       NULL,    'while the person owns the application'),
    ('invitation',           'table',      '30 days',  NULL,    'a month after it was accepted, was withdrawn or expired, so that a late click is told so'),
    ('operator',             'table',      NULL,       NULL,    'named by the audit trail'),
    ('application',          'table',      NULL,       NULL,    'an id is never used again'),
    ('application_logo',     'table',      NULL,       NULL,    'cached for ever under its digest'),
    ('client_secret',        'table',      NULL,       NULL,    'two rows an application at most'),
    ('browser_session',      'table',      '1 day',    NULL,    'a day after it expired'),
    ('known_browser',        'table',      '1 day',    NULL,    'a day after it expired'),
    ('recovery_code',        'table',      NULL,       NULL,    'ten rows a person at most; each goes with its use'),
    ('passkey',              'table',      NULL,       NULL,    'ten rows a person at most; each goes when it is removed'),
    ('passkey_challenge',    'table',      '1 hour',   NULL,    'longer than a challenge may be answered'),
    ('guess',                'table',      '1 hour',   NULL,    'longer than a window, after which a count is 0'),
    ('authorization_grant',  'table',      '1 day',    NULL,    'a day after its code, and not before the last token from it is gone'),
    ('classic_token',        'table',      '30 days',  NULL,    'a month after it expired or was revoked'),
    ('strict_token',         'partitions', '1 day',    'day',   'a day after the newest token of the partition expired'),
    ('refresh_token',        'partitions', '1 day',    'month', 'a day after the last family of the partition ended'),
    ('legacy_token',         'table',      '30 days',  NULL,    'a month after it expired; one without an end stays, or a second import would revive what was revoked'),
    ('connection',           'table',      NULL,       NULL,    'one row a customer and application'),
    ('share',                'table',      '1 hour',   NULL,    'longer than any process remembers a connection that named it'),
    ('share_machine',        'table',      NULL,       NULL,    'goes with its share'),
    ('connection_read',      'table',      '400 days', NULL,    'as long as readings, after the day was over'),
    ('audit_event',          'partitions', '3 years',  'month', 'the trail'),
    ('signing_key',          'table',      '0',        NULL,    'until it is no longer published'),
    ('fleet',                'table',      NULL,       NULL,    'one row a customer'),
    ('equipment',            'table',      NULL,       NULL,    'machines of the customers'),
    ('equipment_move',       'table',      '1 hour',   NULL,    'twice as long as a reader may take for the pages of a fleet'),
    ('equipment_ownership',  'table',      NULL,       NULL,    'who owned a machine when'),
    ('equipment_identifier', 'table',      NULL,       NULL,    'how a machine is asked for'),
    ('equipment_latest',     'table',      NULL,       NULL,    'one row a machine'),
    ('equipment_offset',     'table',      NULL,       NULL,    'a few rows a machine'),
    ('reading',              'partitions', '400 days', 'week',  'a month can be compared with the same of the year before'),
    ('position',             'partitions', '400 days', 'week',  'as long as readings'),
    ('fault',                'partitions', '400 days', 'week',  'as long as readings'),
    ('retention',            'table',      NULL,       NULL,    'this table'),
    ('schema_migration',     'table',      NULL,       NULL,    'what was applied'),
    ('rovi:{id}:code',       'key',        '0',        NULL,    'an authorization code; CODE_LIFETIME by its own TTL'),
    ('rovi:{id}:flow',       'key',        '0',        NULL,    'the decision taken on one consent page; the life of the page by its own TTL'),
    ('rovi:{id}:assertion',  'key',        '0',        NULL,    'a client assertion that was used; a minute longer than itself, by its own TTL'),
    ('rovi:{id}:pages',      'key',        '0',        NULL,    'the page map of one reader; half an hour by its own TTL');
UPDATE retention r SET past_at = how.past_at, key_columns = how.key_columns
FROM (VALUES
    ('browser_session',   'expires_at',                                    'id_digest'),
    ('known_browser',     'expires_at',                                    'id_digest'),
    ('guess',             'at',                                            'name'),
    ('passkey_challenge', 'used_at',                                       'digest'),
    ('refused_request',   'at',                                             'id'),
    ('sign_up',           'expires_at',                                     'id'),
    ('invitation',        'least(accepted_at, withdrawn_at, expires_at)',  'id'),
    ('share',             'replaced_at',                                   'number'),
    ('classic_token',     'least(expires_at, revoked_at)',                 'id, bucket'),
    ('legacy_token',      'expires_at',                                    'id, bucket'),
    ('connection_read',   'day + 1',
     'customer_id, application_id, equipment_key, day, kind, connection_version')
) AS how(name, past_at, key_columns)
WHERE r.name = how.name;

GRANT SELECT ON retention TO rovitracker_service, rovitracker_ingest;

CREATE FUNCTION uuid_at(moment timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (lpad(to_hex(floor(extract(epoch FROM moment) * 1000)::bigint), 12, '0') || '00000000000000000000')::uuid;
COMMENT ON FUNCTION uuid_at IS 'The smallest UUIDv7-ordered value of a moment: a partition bound';

-- This creates the partition that holds a moment, and says whether it was missing. Only the two functions below call
-- it, and they run with the owner's rights.
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

CREATE FUNCTION create_partitions() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
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
REVOKE ALL ON FUNCTION create_partitions() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION create_partitions() TO rovitracker_service;

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

-- One bounded batch of each table, so that no clean-up ever holds locks for long. The caller repeats while rows came
-- back. A strict grant says itself when it is past, so the partitions of its tokens are not looked into until then.
CREATE FUNCTION delete_past_rows(most integer) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    -- Held still: a volatile function in a condition would keep the indexes from being used.
    moment CONSTANT timestamptz := clock_timestamp();
    each retention;
    past bigint;
    total bigint := 0;
BEGIN
    -- Every process comes here once an hour; one of them is enough.
    IF NOT pg_try_advisory_xact_lock(hashtext('rovitracker retention')) THEN
        RETURN 0;
    END IF;
    FOR each IN SELECT * FROM retention WHERE past_at IS NOT NULL ORDER BY name LOOP
        EXECUTE format('DELETE FROM %1$I WHERE (%2$s) IN (
                            SELECT %2$s FROM %1$I WHERE %3$s < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)',
                       each.name, each.key_columns, each.past_at)
        USING moment - each.keep, most;
        GET DIAGNOSTICS past = ROW_COUNT;
        total := total + past;
    END LOOP;

    SELECT * INTO each FROM retention WHERE name = 'authorization_grant';
    DELETE FROM authorization_grant WHERE (id, bucket) IN (
        SELECT g.id, g.bucket FROM authorization_grant g
        WHERE g.approved_at < moment - interval '1 day' - each.keep
          AND coalesce(g.expires_at, '-infinity') < moment - each.keep
          AND NOT EXISTS (SELECT FROM classic_token t WHERE t.grant_id = g.id)
          AND NOT EXISTS (SELECT FROM strict_token t WHERE t.grant_id = g.id)
          AND NOT EXISTS (SELECT FROM refresh_token t WHERE t.grant_id = g.id)
        LIMIT most FOR UPDATE OF g SKIP LOCKED);
    GET DIAGNOSTICS past = ROW_COUNT;
    RETURN total + past;
END $$;
REVOKE ALL ON FUNCTION delete_past_rows(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION delete_past_rows(integer) TO rovitracker_service;

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

"""Functions of the coordinator for what looks at many tokens: surplus ones, and those that are past."""

from app.storage.token.standing import connection_of, is_connected

# One pair after the other, each on its customer's shard.
_CROWDED = """
CREATE OR REPLACE FUNCTION citus_crowded_pairs(customer_ids uuid[], application_ids uuid[], most bigint)
RETURNS TABLE (customer_id uuid, application_id uuid) LANGUAGE plpgsql AS $$
DECLARE
    found_many bigint;
BEGIN
    FOR place IN 1 .. cardinality(customer_ids) LOOP
        SELECT count(*) INTO found_many FROM (
            SELECT t.id FROM classic_token t
            WHERE t.bucket = citus_bucket_of_owner(customer_ids[place]) AND t.customer_id = customer_ids[place]
              AND t.application_id = application_ids[place] AND t.revoked_at IS NULL
            LIMIT most + 1) few;
        IF found_many > most THEN
            customer_id := customer_ids[place];
            application_id := application_ids[place];
            RETURN NEXT;
        END IF;
    END LOOP;
END $$;

CREATE OR REPLACE FUNCTION citus_crowded_pairs_of(first_id uuid, end_id uuid, most bigint)
RETURNS TABLE (customer_id uuid, application_id uuid) LANGUAGE plpgsql AS $$
DECLARE
    customers uuid[];
    applications uuid[];
BEGIN
    SELECT array_agg(asked.customer), array_agg(asked.application) INTO customers, applications
    FROM (SELECT DISTINCT t.customer_id AS customer, t.application_id AS application FROM classic_token t
          WHERE t.id >= first_id AND t.id < end_id AND t.revoked_at IS NULL AND t.customer_id IS NOT NULL) AS asked;
    RETURN QUERY SELECT * FROM citus_crowded_pairs(coalesce(customers, '{}'), coalesce(applications, '{}'), most);
END $$;
"""
# A trigger on a worker could tell only those who listen there, so each function that ends tokens tells it here. As one
# statement, with the UPDATE in its WITH, Citus would send the telling to the worker along with the rest.
_REVOKE = """
CREATE OR REPLACE FUNCTION citus_revoke_{table}(one uuid) RETURNS SETOF uuid LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    home CONSTANT smallint := bucket_of(one);
    moment CONSTANT timestamptz := clock_timestamp();
BEGIN
    UPDATE {table} t SET revoked_at = moment WHERE t.id = one AND t.bucket = home AND t.revoked_at IS NULL;
    IF FOUND THEN
        PERFORM pg_notify('rovitracker_changes', one::text);
        RETURN NEXT one;
    END IF;
END $$;
"""
_REVOKED = ("authorization_grant", "classic_token", "strict_token", "legacy_token")
_REVOKE_SURPLUS = f"""
CREATE OR REPLACE FUNCTION citus_revoke_surplus(customer uuid, application uuid, most bigint)
RETURNS SETOF uuid LANGUAGE plpgsql AS $$
DECLARE
    home CONSTANT smallint := citus_bucket_of_owner(customer);
    moment CONSTANT timestamptz := clock_timestamp();
    each record;
BEGIN
    FOR each IN
        WITH t AS MATERIALIZED (
            SELECT t.id, t.scope, t.customer_id, t.application_id, t.approved_at FROM classic_token t
            JOIN authorization_grant g ON g.id = t.grant_id AND g.bucket = t.bucket
            WHERE t.bucket = home AND t.customer_id = customer AND t.application_id = application
              AND t.revoked_at IS NULL AND t.expires_at > moment AND g.code_digest IS NOT NULL AND g.revoked_at IS NULL
        )
        SELECT surplus.id FROM (
            SELECT t.id, row_number() OVER (PARTITION BY t.scope ORDER BY t.id DESC) AS place
            FROM t JOIN {connection_of("t")} WHERE {is_connected("t")}
        ) AS surplus WHERE surplus.place > most ORDER BY surplus.id
    LOOP
        UPDATE classic_token t SET revoked_at = moment
        WHERE t.id = each.id AND t.bucket = home AND t.revoked_at IS NULL;
        IF FOUND THEN
            PERFORM pg_notify('rovitracker_changes', each.id::text);
            RETURN NEXT each.id;
        END IF;
    END LOOP;
END $$;
"""
# The rows are found first and deleted by their keys: Citus locks no rows over all shards. One run at a time, as there.
_DELETE_PAST = """
CREATE OR REPLACE FUNCTION citus_delete_past_rows(most integer) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    moment CONSTANT timestamptz := clock_timestamp();
    each retention;
    past_ids uuid[];
    homes smallint[];
    past bigint;
    total bigint := 0;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('rovitracker retention')) THEN
        RETURN 0;
    END IF;
    FOR each IN SELECT * FROM retention WHERE past_at IS NOT NULL ORDER BY name LOOP
        IF each.name IN ('classic_token', 'legacy_token') THEN
            EXECUTE format('SELECT array_agg(id), array_agg(DISTINCT bucket) FROM (
                                SELECT id, bucket FROM %1$I WHERE %2$s < $1 LIMIT $2) past', each.name, each.past_at)
            INTO past_ids, homes USING moment - each.keep, most;
            EXECUTE format('DELETE FROM %1$I WHERE bucket = ANY ($1) AND id = ANY ($2) AND %2$s < $3',
                           each.name, each.past_at)
            USING coalesce(homes, '{}'), coalesce(past_ids, '{}'), moment - each.keep;
        ELSE
            EXECUTE format('DELETE FROM %1$I WHERE (%2$s) IN (
                                SELECT %2$s FROM %1$I WHERE %3$s < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)',
                           each.name, each.key_columns, each.past_at)
            USING moment - each.keep, most;
        END IF;
        GET DIAGNOSTICS past = ROW_COUNT;
        total := total + past;
    END LOOP;

    SELECT * INTO each FROM retention WHERE name = 'authorization_grant';
    SELECT array_agg(found.id), array_agg(DISTINCT found.bucket) INTO past_ids, homes FROM (
        SELECT g.id, g.bucket FROM authorization_grant g
        WHERE g.approved_at < moment - interval '1 day' - each.keep
          AND coalesce(g.expires_at, '-infinity') < moment - each.keep
          AND NOT EXISTS (SELECT FROM classic_token t WHERE t.grant_id = g.id AND t.bucket = g.bucket)
          AND NOT EXISTS (SELECT FROM strict_token t WHERE t.grant_id = g.id AND t.bucket = g.bucket)
          AND NOT EXISTS (SELECT FROM refresh_token t WHERE t.grant_id = g.id AND t.bucket = g.bucket)
        LIMIT most) AS found;
    DELETE FROM authorization_grant g WHERE g.bucket = ANY (coalesce(homes, '{}')) AND g.id = ANY (coalesce(past_ids, '{}'));
    GET DIAGNOSTICS past = ROW_COUNT;
    RETURN total + past;
END $$;
REVOKE ALL ON FUNCTION citus_delete_past_rows(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION citus_delete_past_rows(integer) TO rovitracker_service;
"""

UPKEEP = (*(_REVOKE.format(table=table) for table in _REVOKED), _CROWDED, _REVOKE_SURPLUS, _DELETE_PAST)

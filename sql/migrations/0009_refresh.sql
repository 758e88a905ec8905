-- Refresh families: where a strict approval is listed and when it ends, and the newest token of a family found at once.

-- Strict tokens lie in partitions, each of them past on its own, so the end of all of them stands on their grant. It is
-- null for a classic grant, which therefore has no entry in the index: an exchange of a classic code writes what it wrote.
ALTER TABLE authorization_grant ADD COLUMN expires_at timestamptz;
CREATE INDEX ON authorization_grant (customer_id) WHERE expires_at IS NOT NULL;
COMMENT ON COLUMN authorization_grant.expires_at IS 'When the last refresh token from it is past, or its access token where there is none to refresh; null for classic tokens, which have ends of their own';

-- Spent tokens of a family are many, and the one that is not is among the newest.
DROP INDEX refresh_token_grant_id_idx;
CREATE INDEX ON refresh_token (grant_id, id);

-- As before, but for the grants that say themselves when they are past: their partitions are not looked into until then.
CREATE OR REPLACE FUNCTION delete_past_rows(most integer) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
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
          AND coalesce(g.expires_at, '-infinity') < moment - (keep_for ->> 'authorization_grant')::interval
          AND NOT EXISTS (SELECT FROM classic_token t WHERE t.grant_id = g.id)
          AND NOT EXISTS (SELECT FROM strict_token t WHERE t.grant_id = g.id)
          AND NOT EXISTS (SELECT FROM refresh_token t WHERE t.grant_id = g.id)
        LIMIT most FOR UPDATE OF g SKIP LOCKED);
    GET DIAGNOSTICS past = ROW_COUNT;
    RETURN total + past;
END $$;

"""Functions of the coordinator: what plain PostgreSQL does in one statement, row by row, each row on one shard.

Citus plans an INSERT of many rows over all shards, and none inside WITH. A statement of one row is planned once and goes to its
shard at once. The functions judge by the same rules, in the order of ids, within one transaction.
"""

from hashlib import sha256

from app.storage.distributed.upkeep import UPKEEP
from app.storage.token.standing import is_connected, parties_of, stands

# Buckets as SQL, that of an owner as app/oauth/token_string.py has it. They are immutable, so the planner knows the shards.
_BUCKETS = """
CREATE OR REPLACE FUNCTION citus_buckets_of(ids uuid[]) RETURNS smallint[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (SELECT coalesce(array_agg(DISTINCT bucket_of(id)), '{}') FROM unnest(ids) AS id);

CREATE OR REPLACE FUNCTION citus_bucket_of_owner(owner uuid) RETURNS smallint LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (get_byte(sha256(uuid_send(owner)), 0) * 16 + get_byte(sha256(uuid_send(owner)), 1) / 16)::smallint;
"""

_CODES = "redemptions redemption[], code_life interval"
_EACH_GRANTED = f"""
    FOR e IN
        SELECT asked.*, bucket_of(asked.id) AS bucket, bucket_of(asked.token_id) AS token_bucket FROM (
            SELECT *, timestamptz 'epoch' + approved_at_us * interval '1 microsecond' AS approved_at
            FROM unnest(redemptions)) AS asked
        {parties_of("asked")}
        WHERE {stands("asked")} AND asked.approved_at + code_life > clock_timestamp()
        ORDER BY asked.id
    LOOP
        moment := clock_timestamp();
        {{ends}}
        INSERT INTO authorization_grant
            (id, bucket, application_id, customer_id, member_id, code_digest, code_challenge, first_token_id, scope,
             approved_at, expires_at)
        VALUES (e.id, e.bucket, e.application_id, e.customer_id, e.member_id, e.code_digest, e.code_challenge,
                e.token_id, e.scope, e.approved_at, grant_ends_at)
        ON CONFLICT DO NOTHING;
        CONTINUE WHEN NOT FOUND;"""
# Values of a row are variables alone: with anything to compute, Citus plans the row anew for its shard each time.
_VARIABLES = """
    e record;
    moment timestamptz;
    grant_ends_at timestamptz;
    ends_at timestamptz;
    last_ends_at timestamptz;"""
_CLASSIC = _EACH_GRANTED.format(
    ends="""ends_at := moment + least(idle, absolute);
        last_ends_at := moment + absolute;""",
)
_REDEEM_CLASSIC = f"""
CREATE OR REPLACE FUNCTION citus_redeem_classic({_CODES}, idle interval, absolute interval)
RETURNS TABLE (granted uuid, issued uuid) LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE{_VARIABLES}
BEGIN{_CLASSIC}
        INSERT INTO classic_token
            (id, bucket, digest, grant_id, application_id, customer_id, scope, approved_at,
             issued_at, used_at, expires_at, absolute_expires_at)
        VALUES (e.token_id, e.token_bucket, e.token_digest, e.id, e.application_id, e.customer_id, e.scope, e.approved_at,
                moment, moment, ends_at, last_ends_at);
        granted := e.id;
        issued := e.token_id;
        RETURN NEXT;
    END LOOP;
END $$;
"""
_STRICT = _EACH_GRANTED.format(
    ends="""ends_at := moment + access;
        last_ends_at := e.approved_at + absolute;
        refresh_ends_at := least(moment + idle, last_ends_at);
        refresh_bucket := bucket_of(e.refresh_id);
        grant_ends_at := CASE WHEN e.refresh_id IS NULL THEN ends_at ELSE last_ends_at END;""",
)
_REDEEM_STRICT = f"""
CREATE OR REPLACE FUNCTION citus_redeem_strict({_CODES}, access interval, idle interval, absolute interval)
RETURNS TABLE (granted uuid, issued uuid) LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE{_VARIABLES}
    refresh_ends_at timestamptz;
    refresh_bucket smallint;
BEGIN{_STRICT}
        IF e.refresh_id IS NOT NULL THEN
            INSERT INTO refresh_token
                (id, bucket, digest, grant_id, application_id, customer_id, scope, approved_at,
                 issued_at, expires_at, absolute_expires_at)
            VALUES (e.refresh_id, refresh_bucket, e.refresh_digest, e.id, e.application_id, e.customer_id, e.scope,
                    e.approved_at, moment, refresh_ends_at, last_ends_at);
        END IF;
        INSERT INTO strict_token
            (id, bucket, digest, grant_id, application_id, customer_id, scope, approved_at, issued_at, expires_at)
        VALUES (e.token_id, e.token_bucket, e.token_digest, e.id, e.application_id, e.customer_id, e.scope, e.approved_at,
                moment, ends_at);
        granted := e.id;
        issued := e.token_id;
        RETURN NEXT;
    END LOOP;
END $$;
"""
# The row is locked before anything it rests on is judged, as in the one statement.
_ROTATE = f"""
CREATE OR REPLACE FUNCTION citus_rotate(rotations rotation[], only_audience text, access interval, idle interval)
RETURNS TABLE (issued uuid, issued_scope text, issued_detailed_of uuid)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    e record;
    t record;
    moment timestamptz;
    ends_at timestamptz;
    refresh_ends_at timestamptz;
BEGIN
    FOR e IN
        SELECT *, bucket_of(asked.id) AS bucket
        FROM unnest(rotations) AS asked
        ORDER BY asked.id
    LOOP
        moment := clock_timestamp();
        SELECT * INTO t FROM refresh_token r WHERE r.id = e.id AND r.bucket = e.bucket FOR UPDATE;
        CONTINUE WHEN NOT FOUND OR t.digest <> e.digest OR t.application_id <> e.application_id
            OR t.successor_id IS NOT NULL OR t.expires_at <= moment
            OR NOT (e.scope IS NULL OR string_to_array(e.scope, ' ') <@ string_to_array(t.scope, ' '))
            OR NOT (e.resource IS NULL OR e.resource = coalesce(t.audience, only_audience));
        SELECT CASE WHEN k.detailed THEN l.customer_id END INTO issued_detailed_of
        FROM (SELECT t.application_id, t.customer_id, t.approved_at) AS l(application_id, customer_id, approved_at)
        {parties_of("l")}
        WHERE {stands("l")};
        CONTINUE WHEN NOT FOUND;
        PERFORM g.id FROM authorization_grant g
        WHERE g.id = t.grant_id AND g.bucket = t.bucket AND g.revoked_at IS NULL;
        CONTINUE WHEN NOT FOUND;
        ends_at := moment + access;
        refresh_ends_at := least(moment + idle, t.absolute_expires_at);
        UPDATE refresh_token r SET successor_id = e.successor_id
        WHERE r.id = t.id AND r.bucket = t.bucket AND r.successor_id IS NULL;
        CONTINUE WHEN NOT FOUND;
        INSERT INTO refresh_token
            (id, bucket, digest, grant_id, application_id, customer_id, scope, audience, approved_at,
             issued_at, expires_at, absolute_expires_at)
        VALUES (e.successor_id, t.bucket, e.successor_digest, t.grant_id, t.application_id, t.customer_id, t.scope,
                t.audience, t.approved_at, moment, refresh_ends_at, t.absolute_expires_at);
        issued := e.token_id;
        issued_scope := coalesce(e.scope, t.scope);
        INSERT INTO strict_token
            (id, bucket, digest, grant_id, application_id, customer_id, scope, audience, approved_at, issued_at,
             expires_at)
        VALUES (e.token_id, t.bucket, e.token_digest, t.grant_id, t.application_id, t.customer_id, issued_scope,
                t.audience, t.approved_at, moment, ends_at);
        RETURN NEXT;
    END LOOP;
END $$;
"""
_ISSUE = f"""
CREATE OR REPLACE FUNCTION citus_issue(tokens client_token[], life interval)
RETURNS SETOF uuid LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    e record;
    moment CONSTANT timestamptz := clock_timestamp();
    ends_at CONSTANT timestamptz := moment + life;
BEGIN
    FOR e IN
        SELECT asked.id, asked.digest, a.id AS application_id, a.customer_id, asked.scope, asked.audience,
               coalesce(k.approved_at, moment) AS approved_at, bucket_of(asked.id) AS bucket
        FROM unnest(tokens) AS asked
        JOIN application a ON a.id = asked.application_id AND a.status = 'active'
             AND a.customer_id IS NOT DISTINCT FROM asked.customer_id
        LEFT JOIN customer c ON c.id = a.customer_id
        LEFT JOIN connection k ON k.customer_id = a.customer_id AND k.application_id = a.id
        WHERE c.disabled_at IS NULL AND (a.customer_id IS NULL OR {is_connected("k")})
        ORDER BY asked.id
    LOOP
        INSERT INTO strict_token
            (id, bucket, digest, application_id, customer_id, scope, audience, approved_at, issued_at, expires_at)
        VALUES (e.id, e.bucket, e.digest, e.application_id, e.customer_id, e.scope, e.audience, e.approved_at, moment,
                ends_at)
        ON CONFLICT DO NOTHING;
        IF FOUND THEN
            RETURN NEXT e.id;
        END IF;
    END LOOP;
END $$;
"""

DEFINITIONS = (_BUCKETS, _REDEEM_CLASSIC, _REDEEM_STRICT, _ROTATE, _ISSUE, *UPKEEP)
# What stands in the comment of one of them, so that a start can tell whether the database has these.
EDITION = sha256("".join(DEFINITIONS).encode()).hexdigest()[:16]
HOLDER = "citus_buckets_of(uuid[])"

"""The rows a database is filled with, and the statements that write them and find them again."""

# A database is filled with these, so that they can be asked for again. Nothing is drawn by chance: the number of a
# customer or token and the salt give its id and all else.
CREATE_FILLING = """
CREATE TABLE bench_filling (
    salt text NOT NULL, count bigint NOT NULL, customers bigint NOT NULL, applications uuid[] NOT NULL,
    from_ms bigint NOT NULL, span_ms bigint NOT NULL
)"""
INSERT_FILLING = """
INSERT INTO bench_filling (salt, count, customers, applications, from_ms, span_ms)
SELECT gen_random_uuid()::text, $1, $2, $3::uuid[], extract(epoch FROM now() - span) * 1000, extract(epoch FROM span) * 1000
FROM (SELECT $4 * interval '1 day') AS asked(span)
"""

# A UUIDv7: its time, 60 bits of a hash, and a bucket.
_ID = "(lpad(to_hex({at_ms}), 12, '0') || '7' || substr({hash}, 1, 3) || '{variant}' || substr({hash}, 4, 12) || {bucket})::uuid"
_CUSTOMER_ID = _ID.format(
    at_ms="f.from_ms + n * f.span_ms / f.customers",
    hash="owner_hash",
    variant="8",
    bucket="substr(owner_hash, 16, 3)",
)
_TOKEN_ID = _ID.format(at_ms="at_ms", hash="hash", variant="8", bucket="bucket")
_GRANT_ID = _ID.format(at_ms="at_ms - 2000", hash="hash", variant="9", bucket="bucket")

_CUSTOMERS = f"""
FROM bench_filling f
CROSS JOIN {{numbers}} AS n
CROSS JOIN LATERAL (SELECT md5(f.salt || ' customer ' || n) AS owner_hash OFFSET 0) drawn
CROSS JOIN LATERAL (SELECT {_CUSTOMER_ID} AS customer_id OFFSET 0) named
"""
# OFFSET 0 keeps each step apart, so that it is computed once a row and not wherever it is named.
_TOKENS = f"""
SELECT {_TOKEN_ID} AS id, {_GRANT_ID} AS grant_id, ('x' || bucket)::bit(12)::integer::smallint AS bucket,
       sha256((hash || ' token')::bytea) AS digest, sha256((hash || ' code')::bytea) AS code_digest,
       customer_id, f.applications[1 + i % cardinality(f.applications)] AS application_id, to_timestamp(at_ms / 1000.0) AS issued_at,
       now() - ('x' || substr(hash, 24, 4))::bit(16)::integer * interval '0.5 second' AS used_at
FROM bench_filling f
CROSS JOIN {{numbers}} AS i
CROSS JOIN LATERAL (SELECT md5(f.salt || ' token ' || i) AS hash, f.from_ms + i * f.span_ms / f.count AS at_ms OFFSET 0) drawn
CROSS JOIN LATERAL (SELECT ('x' || substr(hash, 16, 8))::bit(32)::bigint % f.customers AS n OFFSET 0) owner
CROSS JOIN LATERAL (SELECT md5(f.salt || ' customer ' || n) AS owner_hash OFFSET 0) hashed
CROSS JOIN LATERAL (SELECT {_CUSTOMER_ID} AS customer_id OFFSET 0) named
CROSS JOIN LATERAL (SELECT substr(encode(sha256(uuid_send(customer_id)), 'hex'), 1, 3) AS bucket OFFSET 0) placed
"""
_CHUNK_OF = "generate_series($1::bigint, $2::bigint)"
_LISTED = "unnest($1::bigint[])"

INSERT_CUSTOMERS = f"""
INSERT INTO customer (id, name, created_at)
SELECT customer_id, 'Bench', to_timestamp((f.from_ms + n * f.span_ms / f.customers) / 1000.0) {_CUSTOMERS.format(numbers=_CHUNK_OF)}
"""
INSERT_TOKENS = f"""
WITH tokens AS MATERIALIZED ({_TOKENS.format(numbers=_CHUNK_OF)}),
granted AS (
    INSERT INTO authorization_grant
        (id, bucket, application_id, customer_id, member_id, code_digest, first_token_id, scope, approved_at)
    SELECT grant_id, bucket, application_id, customer_id, customer_id, code_digest, id, 'aemp:read', issued_at
    FROM tokens
), connected AS (
    INSERT INTO connection (customer_id, application_id, approved_at, route)
    SELECT customer_id, application_id, min(issued_at), 'code' FROM tokens GROUP BY customer_id, application_id
    ON CONFLICT DO NOTHING
)
INSERT INTO classic_token
    (id, bucket, digest, grant_id, application_id, customer_id, scope, approved_at,
     issued_at, used_at, expires_at, absolute_expires_at)
SELECT id, bucket, digest, grant_id, application_id, customer_id, 'aemp:read', issued_at,
       issued_at, used_at, used_at + interval '365 days', issued_at + interval '3 years'
FROM tokens
"""
SELECT_CUSTOMERS = f"SELECT customer_id {_CUSTOMERS.format(numbers=_LISTED)}"
SELECT_TOKENS = f"SELECT id, application_id FROM ({_TOKENS.format(numbers=_LISTED)}) tokens"

"""What is sent to Citus in place of a statement of the token path. All others go as they are."""

from collections.abc import Mapping

from app.storage.schema.maintenance import DELETE_PAST_ROWS
from app.storage.token.client_tokens import INSERT_STRICT_TOKENS
from app.storage.token.connection_lists import SELECT_CONNECTIONS, SELECT_LISTED_CONNECTION
from app.storage.token.fallen import SELECT_FALLEN_OF_REFRESH_TOKEN
from app.storage.token.grants import (
    INSERT_GRANTS_WITH_CLASSIC_TOKENS,
    INSERT_GRANTS_WITH_STRICT_TOKENS,
    MARK_GRANT_REVOKED,
    SELECT_GRANTS,
)
from app.storage.token.legacy_tokens import (
    MARK_LEGACY_TOKEN_REVOKED,
    SELECT_IMPORTED_TOKENS,
    SELECT_LEGACY_TOKENS,
    UPDATE_LEGACY_TOKEN_USED,
)
from app.storage.token.refresh_tokens import INSERT_SUCCESSORS, SELECT_REFRESH_TOKENS
from app.storage.token.token_facts import (
    SELECT_CLASSIC_TOKEN_FACTS,
    SELECT_LEGACY_TOKEN_FACTS,
    SELECT_REFRESH_TOKEN_FACTS,
    SELECT_STRICT_TOKEN_FACTS,
)
from app.storage.token.tokens import (
    MARK_CLASSIC_TOKEN_REVOKED,
    MARK_STRICT_TOKEN_REVOKED,
    MARK_SURPLUS_REVOKED,
    SELECT_CLASSIC_TOKENS,
    SELECT_CROWDED_PAIRS,
    SELECT_CROWDED_PAIRS_OF,
    SELECT_STRICT_TOKENS,
    UPDATE_TOKEN_USED,
)


def _behind(statement: str, tables: Mapping[str, str]) -> str:
    """The statement behind a WITH that has its tables: rows of few shards, fetched first. The rest then runs here."""
    rows = ", ".join(f"{name} AS MATERIALIZED ({query})" for name, query in tables.items())
    first, _, more = statement.strip().partition(" ")
    return f"WITH {rows}, {more}" if first == "WITH" else f"WITH {rows} {statement}"


def _many(statement: str, table: str, *, grants: bool = True) -> str:
    """Put tokens, by their ids ($1), before the statement."""
    here = "{0}.bucket = ANY (citus_buckets_of($1::uuid[])) AND {0}.id = ANY ($1::uuid[])".format("t")
    return _behind(statement, _token_and_grant(table, here, grants=grants))


def _one(statement: str, table: str, *, grants: bool = True) -> str:
    """Put one token, by its id ($1), before it."""
    return _behind(
        statement,
        _token_and_grant(table, "t.bucket = bucket_of($1::uuid) AND t.id = $1::uuid", grants=grants),
    )


def _token_and_grant(table: str, here: str, *, grants: bool) -> dict[str, str]:
    token = {table: f"SELECT t.* FROM public.{table} t WHERE {here}"}
    if not grants:
        return token
    return token | {
        "authorization_grant": f"SELECT g.* FROM public.authorization_grant g JOIN public.{table} t "
        f"ON g.bucket = t.bucket AND g.id = t.grant_id WHERE {here}"
    }


def _of_customer(statement: str) -> str:
    """Put all tokens of a customer ($1) before it. The id of an imported token has a bucket of its own."""
    home = "bucket = citus_bucket_of_owner($1::uuid)"
    grants = f"SELECT * FROM public.authorization_grant WHERE {home} AND customer_id = $1::uuid"
    of_grant = (
        "SELECT t.* FROM public.{0} t JOIN public.authorization_grant g ON g.bucket = t.bucket AND g.id = t.grant_id "
        "WHERE g.bucket = citus_bucket_of_owner($1::uuid) AND g.customer_id = $1::uuid AND g.expires_at IS NOT NULL AND {1}"
    )
    return _behind(
        statement,
        {
            "authorization_grant": grants,
            "classic_token": f"SELECT * FROM public.classic_token WHERE {home} AND customer_id = $1::uuid AND revoked_at IS NULL",
            "refresh_token": of_grant.format("refresh_token", "t.successor_id IS NULL"),
            "strict_token": of_grant.format(
                "strict_token", "t.revoked_at IS NULL AND t.expires_at > clock_timestamp()"
            ),
            "legacy_token": "SELECT * FROM public.legacy_token WHERE customer_id = $1::uuid AND revoked_at IS NULL",
        },
    )


def _timed(statement: str) -> str:
    """Citus refuses clock_timestamp() in an UPDATE. The time of a statement that is alone is the same, and one for all."""
    return statement.replace("clock_timestamp()", "statement_timestamp()")


def _call(function: str, arguments: int, columns: str) -> str:
    numbers = ", ".join(f"${number}" for number in range(1, arguments + 1))
    return f"SELECT {columns} FROM {function}({numbers})"


ON_CITUS: Mapping[str, str] = {
    INSERT_GRANTS_WITH_CLASSIC_TOKENS: _call("citus_redeem_classic", 4, "granted AS grant_id, issued AS id"),
    INSERT_GRANTS_WITH_STRICT_TOKENS: _call("citus_redeem_strict", 5, "granted AS grant_id, issued AS id"),
    INSERT_SUCCESSORS: _call(
        "citus_rotate",
        4,
        "issued AS token_id, issued_scope AS asked_scope, issued_detailed_of AS detailed_of",
    ),
    INSERT_STRICT_TOKENS: _call("citus_issue", 2, "*"),
    SELECT_CLASSIC_TOKENS: _many(SELECT_CLASSIC_TOKENS, "classic_token"),
    SELECT_STRICT_TOKENS: _many(SELECT_STRICT_TOKENS, "strict_token"),
    SELECT_REFRESH_TOKENS: _many(SELECT_REFRESH_TOKENS, "refresh_token"),
    SELECT_LEGACY_TOKENS: _many(SELECT_LEGACY_TOKENS, "legacy_token", grants=False),
    SELECT_IMPORTED_TOKENS: _many(SELECT_IMPORTED_TOKENS, "legacy_token", grants=False),
    SELECT_GRANTS: _many(SELECT_GRANTS, "authorization_grant", grants=False),
    SELECT_CLASSIC_TOKEN_FACTS: _one(SELECT_CLASSIC_TOKEN_FACTS, "classic_token"),
    SELECT_STRICT_TOKEN_FACTS: _one(SELECT_STRICT_TOKEN_FACTS, "strict_token"),
    SELECT_REFRESH_TOKEN_FACTS: _one(SELECT_REFRESH_TOKEN_FACTS, "refresh_token"),
    SELECT_LEGACY_TOKEN_FACTS: _behind(
        SELECT_LEGACY_TOKEN_FACTS,
        {
            "legacy_token": "SELECT * FROM public.legacy_token WHERE bucket = bucket_of($1::uuid) AND id = $1::uuid",
            "authorization_grant": "SELECT * FROM public.authorization_grant WHERE false",
        },
    ),
    SELECT_FALLEN_OF_REFRESH_TOKEN: _one(SELECT_FALLEN_OF_REFRESH_TOKEN, "refresh_token"),
    SELECT_CONNECTIONS: _of_customer(SELECT_CONNECTIONS),
    SELECT_LISTED_CONNECTION: _of_customer(SELECT_LISTED_CONNECTION),
    SELECT_CROWDED_PAIRS: _call("citus_crowded_pairs", 3, "*"),
    SELECT_CROWDED_PAIRS_OF: _call("citus_crowded_pairs_of", 3, "*"),
    MARK_SURPLUS_REVOKED: _call("citus_revoke_surplus", 3, "*"),
    MARK_GRANT_REVOKED: _call("citus_revoke_authorization_grant", 1, "*"),
    MARK_CLASSIC_TOKEN_REVOKED: _call("citus_revoke_classic_token", 1, "*"),
    MARK_STRICT_TOKEN_REVOKED: _call("citus_revoke_strict_token", 1, "*"),
    MARK_LEGACY_TOKEN_REVOKED: _call("citus_revoke_legacy_token", 1, "*"),
    UPDATE_TOKEN_USED: _timed(UPDATE_TOKEN_USED),
    UPDATE_LEGACY_TOKEN_USED: _timed(UPDATE_LEGACY_TOKEN_USED),
    DELETE_PAST_ROWS: "SELECT citus_delete_past_rows($1) AS deleted",
}

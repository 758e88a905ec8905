"""The schema's own promises: rights, row-level security, retention, partitions, an append-only trail."""

import ast
import re
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

import app.storage
from app.aemp.model.columns import HEADER_COLUMNS, READING_COLUMNS
from app.context import Context
from app.oauth.actor import SERVICE
from app.oauth.token_string import bucket_of, new_id
from app.storage.errors import StatementRefusedError
from app.storage.fleet.page_maps import page_map_key
from app.storage.fleet.view import SET_VIEW, FleetView, fleet_of
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.schema.maintenance import call_delete_past_rows
from app.storage.token.assertions import key_of
from app.storage.token.codes import keys_of
from tests.support.changing import as_owner
from tests.support.moving import Former
from tests.support.people import World

FORBIDDEN = "42501"  # insufficient_privilege
CHECK_VIOLATION = "23514"


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE classic_token ADD COLUMN x int",
        "DROP TABLE classic_token",
        "TRUNCATE audit_event",
        "UPDATE audit_event SET event = 'x'",
        "DELETE FROM audit_event",
        "DELETE FROM classic_token",
        "DELETE FROM legacy_token",
        "DELETE FROM connection_read",
        "UPDATE connection_read SET day = day",
        "UPDATE legacy_token SET expires_at = NULL",
        "UPDATE application SET former_client_id = 'x'",
        "UPDATE customer SET former_id = 'x'",
        "DELETE FROM authorization_grant",
        "UPDATE classic_token SET digest = ''",
        "UPDATE authorization_grant SET first_token_id = id",
        "UPDATE retention SET keep = '0'",
        "INSERT INTO equipment (customer_id, position) VALUES (gen_random_uuid(), 1)",
        "CREATE TABLE mine (id int)",
        "UPDATE schema_migration SET number = 99",
        "DELETE FROM signing_key",
        "UPDATE signing_key SET public_jwk = '{}'",
        "UPDATE signing_key SET begins_at = now()",
    ],
)
async def test_the_service_may_not(statement: str, context: Context) -> None:
    with pytest.raises(StatementRefusedError) as refused:
        await context.database.count(statement)
    assert refused.value.sqlstate == FORBIDDEN


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_event SET event = 'x'", "DELETE FROM audit_event", "TRUNCATE audit_event"]
)
async def test_even_the_owner_does_not_rewrite_the_trail(
    statement: str, database_url: str, context: Context
) -> None:
    await insert_audit_event(context.database, AuditEvent("test", SERVICE))
    owner = await asyncpg.connect(database_url)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await owner.execute(statement)
    finally:
        await owner.close()


HISTORY_TABLES = ["reading", "position", "fault"]
FLEET_TABLES = [
    "fleet",
    "equipment",
    "equipment_ownership",
    "equipment_identifier",
    "equipment_latest",
    "equipment_move",
    *HISTORY_TABLES,
]


@pytest.mark.parametrize("table", FLEET_TABLES)
async def test_fleet_rows_need_the_customer_to_be_named(table: str, context: Context) -> None:
    """R-71: an unset, an empty and another customer's setting show nothing."""
    await World.make(context)
    count = f"SELECT count(*) AS rows FROM {table}"
    for customer in (None, "", str(uuid4())):
        async with context.database.transaction() as transaction:
            if customer is not None:
                await transaction.row(SET_VIEW, customer, "all", "-infinity")
            row = await transaction.row(count)
            assert row is not None
            assert row["rows"] == 0
    security = await context.database.row(
        "SELECT relrowsecurity AND relforcerowsecurity AS forced FROM pg_class WHERE relname = $1", table
    )
    assert security is not None
    assert security["forced"]


NEW_FLEET = "INSERT INTO fleet (customer_id) VALUES ($1) RETURNING number"
NEW_HISTORY = {
    "reading": "INSERT INTO reading (at, value, equipment_key, fleet_number, metric) VALUES (now(), 1, $1, $2, 1)",
    "position": "INSERT INTO position (at, latitude, longitude, equipment_key, fleet_number) VALUES (now(), 1, 2, $1, $2)",
    "fault": "INSERT INTO fault (at, equipment_key, fleet_number, kind, code_identifier) VALUES (now(), $1, $2, 1, 'x')",
}


@pytest.mark.parametrize("table", HISTORY_TABLES)
async def test_history_is_shown_to_whose_fleet_it_was_in(table: str, context: Context) -> None:
    """R-71: the second lock holds the period of ownership too, since each row carries its owner at the time."""
    machine = new_id().int % 2**31
    owners = [(await World.make(context)).member.customer_id for _ in range(2)]
    async with context.database.transaction() as transaction:
        await transaction.count("SET LOCAL ROLE rovitracker_ingest")
        for place, owner in enumerate(owners):
            row = await transaction.row(NEW_FLEET, owner)
            assert row is not None
            await transaction.count(NEW_HISTORY[table], machine + place, row["number"])
    for place, owner in enumerate(owners):
        async with fleet_of(context.database, FleetView(owner)) as transaction:
            rows = await transaction.rows(f"SELECT equipment_key FROM {table}")
        assert [row["equipment_key"] for row in rows] == [machine + place]


async def test_writers_of_readings_are_waited_for_by_who_changes_periods_or_offsets(
    database_url: str,
) -> None:
    writer = await asyncpg.connect(database_url)
    changer = await asyncpg.connect(database_url)
    changes = [
        "UPDATE equipment_ownership SET during = during",
        "DELETE FROM equipment_ownership WHERE false",
        "DELETE FROM equipment_offset WHERE false",
    ]
    try:
        await writer.execute("BEGIN; SELECT pg_advisory_xact_lock_shared(hashtext('rovitracker readings'))")
        await changer.execute("SET lock_timeout = '50ms'")
        for change in changes:
            with pytest.raises(asyncpg.LockNotAvailableError):
                await changer.execute(change)
        await writer.execute("ROLLBACK")
        for change in changes:
            await changer.execute(change)
    finally:
        await writer.close()
        await changer.close()


def test_only_the_import_takes_the_ingest_role() -> None:
    folder = Path(app.__file__).parent if app.__file__ else Path()
    naming = [file.name for file in folder.rglob("*.py") if "rovitracker_ingest" in file.read_text()]
    assert sorted(naming) == ["fleet_import.py", "surroundings.py"]  # the second supplies the role


async def test_every_table_has_its_retention(context: Context) -> None:
    tables = await context.database.rows(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition"
    )
    kept = await context.database.rows("SELECT name FROM retention WHERE kind <> 'key'")
    assert {row["relname"] for row in tables} == {row["name"] for row in kept}


async def test_every_key_has_its_retention(context: Context) -> None:
    code_id = new_id()
    written = (*keys_of(code_id), key_of(code_id, "jti"), page_map_key(code_id))
    keys = {re.sub("{.*}", "{id}", key) for key in written}
    kept = await context.database.rows("SELECT name FROM retention WHERE kind = 'key'")
    assert keys == {row["name"] for row in kept}


async def test_buckets_are_the_last_twelve_bits_here_and_there(context: Context) -> None:
    for _ in range(100):
        token_id = new_id()
        [row] = await context.database.rows("SELECT bucket_of($1) AS bucket", token_id)
        assert row["bucket"] == token_id.int & 0xFFF
    assert 0 <= bucket_of(uuid4()) < 4096


async def test_ids_sort_by_the_partition_bounds(context: Context) -> None:
    [row] = await context.database.rows(
        "SELECT uuid_at(clock_timestamp() - interval '1 minute') < $1 AND $1 < uuid_at(clock_timestamp() + interval '1 minute') AS inside",
        new_id(),
    )
    assert row["inside"]


async def test_equipment_columns_are_those_of_the_elements(context: Context) -> None:
    for table, columns in (("equipment", HEADER_COLUMNS), ("equipment_latest", READING_COLUMNS)):
        rows = await context.database.rows(
            "SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute "
            "WHERE attrelid = $1::regclass AND attnum > 0 ORDER BY attnum",
            table,
        )
        found = {row["name"]: row["type"].replace("timestamp with time zone", "timestamptz") for row in rows}
        assert dict(columns).items() <= found.items()


@pytest.mark.parametrize(
    ("kind", "public", "jwks"),
    [
        ("classic", False, '{"keys": [{}]}'),
        ("strict", True, '{"keys": [{}]}'),
        ("strict", False, '{"keys": []}'),
    ],
)
async def test_keys_are_of_applications_that_prove_something(
    *, kind: str, public: bool, jwks: str, context: Context
) -> None:
    """O-150."""
    with pytest.raises(StatementRefusedError) as refused:
        await context.database.count(
            "INSERT INTO application (id, kind, public, name, company, status, grants, scope, redirect_uris, jwks) "
            "VALUES ($1, $2, $3, 'x', 'x', 'active', '{}', '', '{}', $4::jsonb)",
            new_id(),
            kind,
            public,
            jwks,
        )
    assert refused.value.sqlstate == CHECK_VIOLATION


async def test_private_member_is_not_stored_in_the_clear(context: Context) -> None:
    """R-24."""
    with pytest.raises(StatementRefusedError) as refused:
        await context.database.count(
            "INSERT INTO signing_key (kid, public_jwk, sealed, sealed_with, begins_at) "
            "VALUES (repeat('x', 43), '{\"d\": \"x\"}', 'x', 'x', now())"
        )
    assert refused.value.sqlstate == CHECK_VIOLATION


async def test_past_rows_go_and_a_live_tokens_grant_stays(context: Context, database_url: str) -> None:
    """R-108."""
    world = await World.make(context)
    owner = await asyncpg.connect(database_url)
    ages = {"live": timedelta(days=300), "past": timedelta(days=-40), "just past": timedelta(days=-3)}
    try:
        grants = {}
        for name, ends_in in ages.items():
            grants[name] = new_id()
            await owner.execute(
                """
                WITH made AS (
                    INSERT INTO authorization_grant (id, bucket, application_id, customer_id, first_token_id, scope, approved_at)
                    VALUES ($1, bucket_of($1), $3, $4, $2, 'aemp:read', now() - interval '400 days')
                )
                INSERT INTO classic_token (id, bucket, digest, grant_id, application_id, customer_id, scope, approved_at,
                                           issued_at, used_at, expires_at, absolute_expires_at)
                VALUES ($2, bucket_of($2), sha256($2::text::bytea), $1, $3, $4, 'aemp:read', now() - interval '400 days',
                        now() - interval '400 days', now(), now() + $5::interval, now() + interval '1 year')
                """,
                grants[name],
                new_id(),
                world.registered.client.id,
                world.member.customer_id,
                ends_in,
            )
    finally:
        await owner.close()
    while await call_delete_past_rows(context.database, 1):
        pass
    rows = await context.database.rows(
        "SELECT id FROM authorization_grant WHERE application_id = $1", world.registered.client.id
    )
    assert {row["id"] for row in rows} == {grants["live"], grants["just past"]}


async def test_an_imported_token_goes_a_month_after_its_end_and_not_before(
    context: Context, database_url: str
) -> None:
    """R-108: one that was revoked stays until then, or another import would revive it."""
    former = await Former.make(context, expires_at=(context.now() + timedelta(days=1)).isoformat())
    await Former.make(context)  # one without an end
    customer_id = former.world.member.customer_id
    counted = "SELECT count(*) AS rows FROM legacy_token WHERE customer_id = $1"
    for moved, kept in ((timedelta(days=30), 1), (timedelta(days=2), 0)):
        await as_owner(
            database_url,
            "UPDATE legacy_token SET revoked_at = coalesce(revoked_at, now()), expires_at = expires_at - $2::interval "
            "WHERE customer_id = $1",
            customer_id,
            moved,
        )
        while await call_delete_past_rows(context.database, 1000):
            pass
        row = await context.database.row(counted, customer_id)
        assert row is not None
        assert row["rows"] == kept


async def test_reads_are_kept_400_days_after_their_day(context: Context, database_url: str) -> None:
    """R-108"""
    customer_id = new_id()
    await as_owner(
        database_url,
        """
        INSERT INTO connection_read (customer_id, application_id, equipment_key, day, kind, connection_version, reads, last_at)
        SELECT $1, $1, machine, (now() AT TIME ZONE 'UTC')::date - age, 1, 1, 1, now()
        FROM unnest(ARRAY[0, 400, 401, 500]) AS age, generate_series(0, 1) AS machine
        """,
        customer_id,
    )
    while await call_delete_past_rows(context.database, 1):
        pass
    rows = await context.database.rows(
        "SELECT (now() AT TIME ZONE 'UTC')::date - day AS age, count(*) AS rows FROM connection_read "
        "WHERE customer_id = $1 GROUP BY day ORDER BY age",
        customer_id,
    )
    assert [tuple(row.values()) for row in rows] == [(0, 2), (400, 2)]


SECRETS = ("digest", "secret", "cookie")


def test_secrets_are_compared_in_constant_time() -> None:
    """R-26: nowhere in the service is a digest or a secret compared with ==."""
    folder = Path(app.__file__).parent if app.__file__ else Path()
    compared = []
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Compare) and isinstance(node.ops[0], (ast.Eq, ast.NotEq)):
                sides = [ast.unparse(side) for side in (node.left, *node.comparators)]
                if any(side.split("(")[0].endswith(SECRETS) for side in sides):
                    compared.append(f"{file.name}:{node.lineno} {' == '.join(sides)}")
    # Not secret: whether a migration file was changed since it was applied.
    assert [each for each in compared if not each.startswith("migrations.py")] == []

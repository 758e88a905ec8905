"""Every statement of the service fits the migrated schema and the rights of the service's role."""

import importlib
import pkgutil
from collections.abc import Iterator

import pytest

import app.storage
from app.context import Context
from app.storage.fleet.history import STAGING
from app.storage.schema.maintenance import select_excessive_rights
from app.storage.token.client_tokens import ClientToken
from app.storage.token.grants import Redemption
from app.storage.token.refresh_tokens import Rotation

VERBS = ("SELECT", "INSERT", "UPDATE", "UPSERT", "MARK", "DELETE", "SET", "LOCK", "REFUND", "COUNT", "CREATE")
# Written under the ingest role, to which the transactions of these files change first.
INGEST = {"fleet_import", "fleet_changes", "history", "known_machines", "last_24", "offsets"}


def statements() -> Iterator[tuple[str, str, str]]:
    for module in pkgutil.walk_packages(app.storage.__path__, "app.storage."):
        for name, value in vars(importlib.import_module(module.name)).items():
            if name.isupper() and name.startswith(VERBS) and isinstance(value, str):
                yield module.name.rpartition(".")[2], name, value


STATEMENTS = list(statements())


@pytest.mark.parametrize(
    ("module", "name", "statement"), STATEMENTS, ids=[f"{m}.{n}" for m, n, _ in STATEMENTS]
)
async def test_statement_prepares(module: str, name: str, statement: str, context: Context) -> None:
    assert name
    async with context.database.transaction() as transaction:
        if module in INGEST:
            await transaction.count("SET LOCAL ROLE rovitracker_ingest")
            await transaction.count(STAGING)
        await transaction.prepare(statement)


@pytest.mark.parametrize(
    ("sent", "name"), [(Redemption, "redemption"), (ClientToken, "client_token"), (Rotation, "rotation")]
)
async def test_rows_have_the_fields_of_their_type(
    sent: type[Redemption | ClientToken | Rotation], name: str, context: Context
) -> None:
    """The driver sends a row by the places of its fields, and two of one kind could stand in each other's."""
    found = await context.database.rows(
        "SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass ORDER BY attnum", name
    )
    assert [row["attname"] for row in found] == list(sent._fields)


def test_there_are_statements_to_prepare() -> None:
    assert len(STATEMENTS) > 100


async def test_the_service_role_has_no_right_it_does_not_need(context: Context) -> None:
    assert await select_excessive_rights(context.database) == ()
    row = await context.database.row("SELECT current_user AS role")
    assert row is not None
    assert row["role"] == "rovitracker_service"

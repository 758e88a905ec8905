"""What the service knows of Citus, as far as it shows without one: how a schema is judged, and which statements it changes."""

import importlib
import pkgutil

import pytest

import app.storage
from app.cli.distribution import unfit_distribution
from app.context import Context
from app.storage.distributed.functions import EDITION
from app.storage.distributed.placement import (
    BY_BUCKET,
    DistributionFacts,
    Placement,
    select_distribution_facts,
)
from app.storage.distributed.session import CITUS
from app.storage.distributed.statements import ON_CITUS
from app.storage.errors import StatementRefusedError, StoreUnavailableError
from app.storage.postgres.database import PLAIN, Dialect, open_database
from tests.storage.test_statements import VERBS

WHOLE = dict.fromkeys(BY_BUCKET, Placement("bucket", 1))


def facts(
    *, version: str | None = "14.0", edition: str | None = EDITION, **placed: Placement | None
) -> DistributionFacts:
    """A whole schema, but for what is named."""
    places = {name: place for name, place in {**WHOLE, **placed}.items() if place is not None}
    return DistributionFacts(version, places, edition)


NONE = DistributionFacts("14.0", {})
JUDGED = [
    # facts, the setting, what is said
    (DistributionFacts(None, {}), False, None),
    (DistributionFacts(None, {}), True, "has no Citus"),
    (NONE, False, None),
    (NONE, True, "no table is distributed: run `rovitracker migrate distribute`"),
    (facts(), True, None),
    (facts(), False, "set ROVITRACKER_DISTRIBUTED=citus"),
    (facts(classic_token=None), True, "half distributed, classic_token is not: run"),
    (facts(classic_token=None), False, "set ROVITRACKER_DISTRIBUTED=citus"),
    (facts(classic_token=Placement("id", 1)), True, "undistribute_table('classic_token')"),
    (facts(classic_token=Placement(None, 1)), True, "undistribute_table('classic_token')"),
    (facts(refresh_token=Placement("bucket", 2)), True, "undistribute_table('refresh_token')"),
    (facts(edition="older"), True, "another version: run `rovitracker migrate distribute`"),
    (facts(edition=None), True, "another version: run `rovitracker migrate distribute`"),
]


@pytest.mark.parametrize(("found", "wanted", "said"), JUDGED)
def test_a_schema_is_judged_by_what_lies_where(
    found: DistributionFacts,
    wanted: bool,  # noqa: FBT001  # a parameter
    said: str | None,
) -> None:
    reason = unfit_distribution(found, wanted=wanted)
    assert (reason is None) == (said is None)
    assert said is None or said in str(reason)


async def test_a_plain_postgresql_is_plain(context: Context) -> None:
    assert (await select_distribution_facts(context.database)).spread == "plain"


# Citus takes these as they are: one shard, or all of them.
AS_THEY_ARE = {
    "migrations.SELECT_WRITABLE_SCHEMA_NUMBER",
    "grants.SELECT_APPROVAL_STATE",
    "legacy_tokens.INSERT_LEGACY_TOKENS",
    "manual_grants.INSERT_COLLECTED_GRANT",
    "manual_grants.INSERT_MANUAL_GRANT",
    "tokens.SELECT_NEWEST_CLASSIC_TOKEN",
}


def test_each_statement_on_a_distributed_table_is_known() -> None:
    """A new statement on these tables needs a look at Citus before it is left as it is."""
    found = {}
    for module in pkgutil.walk_packages(app.storage.__path__, "app.storage."):
        for name, value in vars(importlib.import_module(module.name)).items():
            if not (isinstance(value, str) and name.isupper() and name.startswith(VERBS)):
                continue
            if any(f" {table}" in value for table in BY_BUCKET):
                found[f"{module.name.rpartition('.')[2]}.{name}"] = value
    assert {name for name, value in found.items() if value not in ON_CITUS} == AS_THEY_ARE
    assert len(found) > 25


_RAISE = "DO $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '{}'; END $$"
OUTCOMES = [
    # how sessions speak, SQLSTATE, how it is read
    (CITUS, "XX000", StoreUnavailableError),
    (CITUS, "XX001", StatementRefusedError),
    (CITUS, "42501", StatementRefusedError),
    (PLAIN, "XX000", StatementRefusedError),
]


@pytest.mark.parametrize(("dialect", "sqlstate", "read"), OUTCOMES)
async def test_an_internal_error_of_citus_leaves_the_outcome_open(
    database_url: str, dialect: Dialect, sqlstate: str, read: type[Exception]
) -> None:
    """Where a node is lost in the middle of a statement, Citus knows no better word."""
    database = await open_database(database_url, connections=1, dialect=dialect)
    for run in (database.rows, database.row, database.count):
        with pytest.raises(read):
            await run(_RAISE.format(sqlstate))
    await database.close()

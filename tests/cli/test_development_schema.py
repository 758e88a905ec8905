"""A database of a development version: every verb refuses it in one line that says how to make it anew."""

import asyncio
import json

import pytest

from tests.cli.conftest import Rovitracker, own_stores
from tests.support.development_ledger import write_development_ledger
from tests.support.server import free_port

FOUND = "a development version made the database, with 0003_grants_and_tokens in place of 0003_tokens"


@pytest.fixture(scope="module")
def outdated(rovitracker: Rovitracker) -> Rovitracker:
    """A data directory that a development version left behind."""
    asyncio.run(write_development_ledger(rovitracker.embedded.database_url))
    return rovitracker


@pytest.mark.parametrize(
    "verb",
    [("demo",), ("serve",), ("migrate", "up"), ("migrate", "status"), ("customer", "list")],
    ids=" ".join,
)
def test_a_development_versions_data_directory_is_refused_with_what_to_do(
    verb: tuple[str, ...], outdated: Rovitracker
) -> None:
    """`make run` is the first of these verbs."""
    said = outdated.refuse(*verb, ROVITRACKER_PORT=str(free_port()))
    remedy = f"`rovitracker data remove` deletes {outdated.embedded.data_dir}; then start again"
    assert said == f"rovitracker: {FOUND}; it cannot be upgraded: {remedy}\n"


def test_doctor_finds_a_development_versions_schema(outdated: Rovitracker) -> None:
    done = outdated.run("doctor")
    findings = {finding["check"]: finding for finding in json.loads(done.stdout)}
    assert (done.returncode, done.stderr) == (1, "")
    assert "PostgreSQL" not in findings  # it answers, and its address is right
    assert findings["schema"]["verdict"] == "wrong"
    assert findings["schema"]["found"] == f"{FOUND}; it cannot be upgraded"
    assert (
        findings["schema"]["todo"]
        == f"`rovitracker data remove` deletes {outdated.embedded.data_dir}; then start again"
    )


def test_an_operators_development_database_is_refused_with_the_setting_that_names_another(
    outdated: Rovitracker,
) -> None:
    stores = own_stores(outdated, "outdated")
    asyncio.run(write_development_ledger(stores["ROVITRACKER_DATABASE_URL"]))
    said = outdated.refuse("serve", "--port", str(free_port()), **stores)
    assert said == (
        f"rovitracker: {FOUND}; it cannot be upgraded: set ROVITRACKER_DATABASE_URL to an empty database\n"
    )

"""A backup as docs/operators.md describes it, restored into a new installation."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.embedded import attach
from app.embedded.folders import Folders, Record
from app.embedded.removal import remove
from tests.conftest import make_settings
from tests.embedded.probes import wait_until_all_stopped
from tests.support.clusters import each_postgres
from tests.support.composition import BASE, ComposedStores, read_compose, run_stores
from tests.support.people import PASSWORD
from tests.support.verbs import Verbs
from tests.support.writes import write_everything

ANN = "ann@hillside.example"
SIZE = ("--machines", "3", "--days", "1", "--interval", "1h")


@dataclass(frozen=True, slots=True)
class Rovitracker:
    """A verb's document."""

    verbs: Verbs

    def on(self, secrets: Path, *arguments: str, text: str = "") -> Any:
        """With compose's settings."""
        settings = {"ROVITRACKER_ENVIRONMENT": "development", "ROVITRACKER_SECRETS_DIR": str(secrets)}
        return self.run(arguments, settings, text)

    def run(self, arguments: Sequence[str], settings: Mapping[str, str], text: str = "") -> Any:
        done = self.verbs.run(*arguments, "--json", environment={**os.environ, **settings}, stdin=text)
        assert "Traceback" not in done.stderr
        assert done.returncode == 0 or arguments[0] == "doctor", done.stderr
        return json.loads(done.stdout)

    def findings(self, stores: ComposedStores) -> dict[str, Any]:
        return {finding["check"]: finding for finding in self.on(stores.service, "doctor")}

    def fill(self, stores: ComposedStores) -> None:
        self.on(stores.migrate, "migrate", "up")
        self.on(stores.service, "customer", "add", "--email", ANN, "--name", "Hillside", text=PASSWORD)
        self.on(stores.service, "fleet", "simulate", "--customer", ANN, *SIZE)


@pytest.fixture
def rovitracker(verbs: Verbs) -> Rovitracker:
    return Rovitracker(verbs)


def copy(folders: Mapping[Path, Path]) -> None:
    """Copy each folder to its place, with owners and modes."""
    for source, target in folders.items():
        subprocess.run(["cp", "-a", "-T", source, target], check=True)


async def writes_of(stores: ComposedStores, machine: dict[str, Any], folder: Path) -> dict[str, int]:
    """The service on these stores, with its own login, and the upkeep with the owner's."""
    database_url, redis_url = (
        (stores.service / f"rovitracker_{name}").read_text() for name in ("database_url", "redis_url")
    )
    owner_url = (stores.migrate / "rovitracker_migration_database_url").read_text()
    settings = make_settings(database_url, redis_url, folder, migration_database_url=owner_url)
    return await write_everything(settings, email=ANN, pin=machine["pin"], owner_url=owner_url)


@each_postgres
async def test_dump_restores_into_a_new_installation_that_can_be_written(
    rovitracker: Rovitracker, tmp_path: Path, major: str
) -> None:
    """Rights on the database itself are in no dump, so telemetry was refused after a restore."""
    command = read_compose(tmp_path, BASE).document["services"]["valkey"]["command"]
    show = ("fleet", "show", "--customer", ANN)
    with run_stores(tmp_path / "old", command, major=major) as old:
        rovitracker.fill(old)
        fleet = rovitracker.on(old.service, *show)
        dump = old.postgres.run("pg_dump", "--format=custom", "rovitracker")
    with run_stores(tmp_path / "new", command, major=major, by_hand=True) as new:
        owner = (new.migrate / "rovitracker_migration_database_url").read_text()
        new.postgres.run("pg_restore", f"--dbname={owner}", "--exit-on-error", given=dump)
        assert {each["status"] for each in rovitracker.on(new.migrate, "migrate", "status")} == {"applied"}
        new.postgres.run(
            "psql", f"--dbname={owner}", "-c", "DROP SCHEMA public CASCADE; CREATE SCHEMA public"
        )
        # So far without containers; with them PostgreSQL's own superuser restores.
        new.postgres.run("pg_restore", "--dbname=rovitracker", "--exit-on-error", given=dump)
        lacking = rovitracker.findings(new)["rights"]
        assert "rovitracker_ingest may not make temporary tables" in lacking["found"]
        assert "rovitracker migrate up" in lacking["todo"]
        assert rovitracker.on(new.migrate, "migrate", "up") == []
        findings = rovitracker.findings(new)
        assert findings["rights"]["verdict"] == "ok"
        assert findings["PostgreSQL"]["verdict"] == "ok"
        assert findings["PostgreSQL"]["found"].startswith(f"{major}.")
        assert rovitracker.on(new.service, *show) == fleet
        assert len(fleet) == 3
        owners = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"
        told = new.postgres.run("psql", "--dbname=rovitracker", "-At", "-c", owners)
        assert told == b"rovitracker_owner\n"
        written = await writes_of(new, fleet[0], tmp_path / "data")
        assert written == {"machines": 3, "stored": 1, "events": 2, "postponed": 0}


async def test_a_copy_of_a_private_servers_folders_is_restored_and_can_be_written(
    rovitracker: Rovitracker, tmp_path: Path
) -> None:
    """The other way to install: the data directory and, where root runs the servers, their home beside it."""
    data_dir, copies = tmp_path / "data", tmp_path / "copies"
    settings = {"ROVITRACKER_DATA_DIR": str(data_dir)}
    customer = ("customer", "add", "--email", ANN, "--name", "Hillside")
    with attach(data_dir):
        rovitracker.run(customer, settings, PASSWORD)
        rovitracker.run(("fleet", "simulate", "--customer", ANN, *SIZE), settings)
    wait_until_all_stopped(data_dir)
    record = Record.load(Folders(data_dir))
    assert record is not None
    folders = {data_dir, record.home(Folders(data_dir))}
    copies.mkdir()
    copy({folder: copies / folder.name for folder in folders})
    rovitracker.run(("data", "remove", "--yes"), settings)
    assert not any(folder.exists() for folder in folders)
    copy({copies / folder.name: folder for folder in folders})
    try:
        with attach(data_dir) as held:
            fleet = rovitracker.run(("fleet", "show", "--customer", ANN), settings)
            private = make_settings(held.database_url, held.redis_url, data_dir)
            written = await write_everything(
                private, email=ANN, pin=fleet[0]["pin"], owner_url=held.database_url
            )
        assert written == {"machines": 3, "stored": 1, "events": 2, "postponed": 0}
    finally:
        remove(data_dir)

"""The rehearsal of docs/moving-in.md is run as it stands, and its statement too."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from app.embedded import attach
from app.embedded.removal import remove
from tests.support.clusters import NEWEST, OLDEST
from tests.support.composition import BASE, read_compose, run_stores
from tests.support.server import ROOT
from tests.support.verbs import Verbs

TEXT = (ROOT / "docs" / "moving-in.md").read_text()
BLOCKS = re.findall(r"```\n(.*?)```", TEXT, re.DOTALL)
[STATEMENT] = re.findall(r"```sql\n(.*?)```", TEXT, re.DOTALL)


@dataclass(frozen=True, slots=True)
class Ground:
    """settings: how the commands find their stores. owner_url: of the database. major: PostgreSQL's version."""

    settings: dict[str, str]
    owner_url: str
    major: str


@pytest.fixture(params=["private servers", f"own stores, postgresql-{OLDEST}"])
def ground(request: pytest.FixtureRequest, verbs: Verbs, tmp_path: Path) -> Iterator[Ground]:
    with (_private_servers if request.param == "private servers" else _own_stores)(tmp_path, verbs) as ground:
        yield ground


@contextmanager
def _private_servers(folder: Path, _: Verbs) -> Iterator[Ground]:
    """The servers of the rehearsal's folder, so that they do not stop between two commands."""
    with attach(folder / "rehearsal") as embedded:
        yield Ground({}, embedded.database_url, NEWEST)
    remove(folder / "rehearsal")


@contextmanager
def _own_stores(folder: Path, verbs: Verbs) -> Iterator[Ground]:
    """Stores as compose.yaml sets them up, migrated."""
    command = read_compose(folder, BASE).document["services"]["valkey"]["command"]
    with run_stores(folder / "stores", command, major=OLDEST) as stores:
        migrate, service = (
            {"ROVITRACKER_ENVIRONMENT": "development", "ROVITRACKER_SECRETS_DIR": str(secrets)}
            for secrets in (stores.migrate, stores.service)
        )
        done = verbs.run("migrate", "up", environment={**os.environ, **migrate})
        assert done.returncode == 0, done.stderr
        yield Ground(service, (stores.migrate / "rovitracker_migration_database_url").read_text(), OLDEST)


def test_the_rehearsal_ends_with_the_documented_token_active(ground: Ground, tmp_path: Path) -> None:
    [[version]] = asyncio.run(rows_of(ground.owner_url, "SHOW server_version"))
    assert version.startswith(f"{ground.major}.")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ROVITRACKER_")}
    command = tmp_path / "rovitracker"
    command.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m app "$@"\n')
    command.chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", "-e", "-c", "".join(BLOCKS)],
        cwd=tmp_path,
        env={**environment, **ground.settings, "PATH": f"{tmp_path}:{environment['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    *imports, inspected = documents(done.stdout)
    assert [(each["imported"], each["dry_run"]) for [each] in imports] == [
        (1, True),
        (1, False),
        (1, False),
        (1, False),
    ]
    assert (inspected["active"], inspected["client_id"]) == (True, "sitewise/7")
    assert inspected["kind"] == "access token of a former system"
    assert asyncio.run(rows_of(ground.owner_url, STATEMENT)) == []  # nobody has used it here


def documents(text: str) -> list[Any]:
    """The JSON documents of a stream, one after another."""
    decoder, found, at = json.JSONDecoder(), [], 0
    while at < len(text.rstrip()):
        document, at = decoder.raw_decode(text, at)
        found.append(document)
        at += 1
    return found


async def rows_of(address: str, statement: str) -> list[Any]:
    owner = await asyncpg.connect(address)
    rows = await owner.fetch(statement)
    await owner.close()
    return list(rows)

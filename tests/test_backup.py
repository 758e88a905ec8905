"""A backup as docs/operators.md describes it, restored into a new installation."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.composition import BASE, ComposedStores, read_compose, run_stores

PASSWORD = "correct horse battery"


def rovitracker(secrets: Path, *arguments: str, text: str = "") -> Any:
    """A verb's document, with compose's settings."""
    done = subprocess.run(
        [sys.executable, "-m", "app", *arguments, "--json"],
        env={**os.environ, "ROVITRACKER_ENVIRONMENT": "development", "ROVITRACKER_SECRETS_DIR": str(secrets)},
        input=text,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def fill(stores: ComposedStores) -> None:
    rovitracker(stores.migrate, "migrate", "up")
    customer = ("--email", "ann@hillside.example", "--name", "Hillside")
    rovitracker(stores.service, "customer", "add", *customer, text=PASSWORD)
    size = ("--machines", "3", "--days", "1", "--interval", "1h")
    rovitracker(stores.service, "fleet", "simulate", "--customer", "ann@hillside.example", *size)


def test_dump_restores_into_a_new_installation(tmp_path: Path) -> None:
    command = read_compose(tmp_path, BASE).document["services"]["valkey"]["command"]
    show = ("fleet", "show", "--customer", "ann@hillside.example")
    with run_stores(tmp_path / "old", command) as old:
        fill(old)
        fleet = rovitracker(old.service, *show)
        dump = old.run_program("pg_dump", "--format=custom", "rovitracker")
    with run_stores(tmp_path / "new", command) as new:
        new.run_program("pg_restore", "--dbname=rovitracker", "--exit-on-error", given=dump)
        assert rovitracker(new.migrate, "migrate", "up") == []
        assert rovitracker(new.service, *show) == fleet
        assert len(fleet) == 3
        owners = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"
        told = new.run_program("psql", "--dbname=rovitracker", "-At", "-c", owners)
        assert told == b"rovitracker_owner\n"

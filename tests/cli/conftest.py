"""The command itself, run as people run it, on private servers that a file's tests share."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from app.embedded import Embedded, attach
from app.embedded.removal import remove
from tests.support.server import ROOT
from tests.support.verbs import Verbs


@dataclass(frozen=True, slots=True)
class Rovitracker:
    """`rovitracker` with its data in a folder of the tests' own."""

    embedded: Embedded
    verbs: Verbs

    def start(self, *arguments: str, **settings: str) -> subprocess.Popen[str]:
        """A verb that goes on until it is stopped."""
        return subprocess.Popen(
            [sys.executable, "-m", "app", *arguments],
            cwd=ROOT,
            env=self.environment(**settings),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def environment(self, **settings: str) -> dict[str, str]:
        return {**os.environ, "ROVITRACKER_DATA_DIR": str(self.embedded.data_dir), **settings}

    def run(self, *arguments: str, stdin: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
        """Run a verb to its end. settings: variables of its environment, by their whole names."""
        return self.verbs.run(*arguments, environment=self.environment(**settings), stdin=stdin)

    def ask(self, *arguments: str, stdin: str = "") -> Any:
        """The JSON document a verb answers with; it must have succeeded and said nothing on stderr."""
        done = self.run(*arguments, stdin=stdin)
        assert (done.returncode, done.stderr) == (0, ""), done
        return json.loads(done.stdout)

    def refuse(self, *arguments: str, stdin: str = "", **settings: str) -> str:
        """Run a verb that is refused, and return what it says: on stderr alone, without a trace."""
        done = self.run(*arguments, stdin=stdin, **settings)
        assert done.returncode != 0
        assert done.stdout == ""
        assert "Traceback" not in done.stderr
        return done.stderr


def own_stores(rovitracker: Rovitracker, database: str) -> dict[str, str]:
    """Settings of an operator who runs the servers: a new, empty database there."""

    async def create() -> None:
        owner = await asyncpg.connect(rovitracker.embedded.database_url)
        await owner.execute(f"CREATE DATABASE {database}")
        await owner.close()

    asyncio.run(create())
    url = urlsplit(rovitracker.embedded.database_url)._replace(path=f"/{database}")
    return {
        "ROVITRACKER_DATABASE_URL": urlunsplit(url),
        "ROVITRACKER_REDIS_URL": rovitracker.embedded.redis_url,
        "ROVITRACKER_ENVIRONMENT": "development",
    }


@pytest.fixture(scope="module")
def rovitracker(verbs: Verbs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rovitracker]:
    """Private servers that the tests of a file share: what one stores, the next one finds."""
    data_dir = tmp_path_factory.mktemp("cli")
    with attach(data_dir) as embedded:  # held, so that the servers do not stop between two verbs
        yield Rovitracker(embedded, verbs)
    remove(data_dir)

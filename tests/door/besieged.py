"""The service as a process under a flood: what it holds, how long its loop was blocked, and whether others are served."""

import asyncio
import json
import re
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import psutil

from app.door.lag import HAND_ON_EVERY_S
from tests.support.server import ROOT, free_port, listener, running_service, settings_on

KEY = "0123456789abcdef" * 4  # the one that the tests' own context seals with
MIB = 1024 * 1024
_LOOK_EVERY_S = 0.05
_SAMPLE = re.compile(
    r'^rovitracker_loop_(lag|busy)_(seconds_bucket\{le="(.+)"\}|longest_seconds) (\S+)$', re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Lags:
    """The lags since the service began: the longest, in milliseconds, and how many were up to each bucket's end."""

    longest_ms: dict[str, float]
    up_to: dict[str, dict[float, float]]

    def most_since(self, earlier: "Lags", kind: str) -> float:
        """The end of the highest bucket that got something meanwhile, or the longest of all where that is new."""
        if self.longest_ms[kind] > earlier.longest_ms[kind]:
            return self.longest_ms[kind]
        ends = sorted(self.up_to[kind])
        new = [self.up_to[kind][end] - earlier.up_to[kind][end] for end in ends]
        filled = [end for end, now, below in zip(ends, new, [0.0, *new], strict=False) if now > below]
        return max(filled, default=0.0) * 1000


@dataclass(frozen=True, slots=True)
class Besieged:
    """One process that serves, with its metrics on a port of their own."""

    port: int
    management_port: int
    process: psutil.Process

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def memory_mib(self) -> float:
        return float(self.process.memory_info().rss) / MIB

    @property
    def open_files(self) -> int:
        return int(self.process.num_fds())

    async def lags(self) -> Lags:
        """The lags with those of now, which the service hands on a little later."""
        await asyncio.sleep(HAND_ON_EVERY_S + 0.1)
        async with httpx2.AsyncClient() as client:
            text = (await client.get(f"http://127.0.0.1:{self.management_port}/metrics", timeout=30)).text
        longest: dict[str, float] = {}
        up_to: dict[str, dict[float, float]] = {"lag": {}, "busy": {}}
        for kind, _, end, value in _SAMPLE.findall(text):
            if end:
                up_to[kind][float(end)] = float(value)
            else:
                longest[kind] = float(value) * 1000
        return Lags(longest, up_to)


@asynccontextmanager
async def besieged(
    database_url: str, redis_url: str, folder: Path, **settings: str
) -> AsyncIterator[Besieged]:
    """`rovitracker serve` with one process and its metrics, until the block ends.

    settings: by their names without the prefix. Its limit of reads is out of a flood's reach.
    All other limits are the product's own, unless a test names them.
    """
    port, management_port = free_port(), free_port()
    environment = {
        **settings_on(database_url, redis_url, folder),
        "ROVITRACKER_SECRET_KEYS": KEY,
        "ROVITRACKER_MANAGEMENT_PORT": str(management_port),
        "ROVITRACKER_LIMIT_READS": "10000000",
        **{f"ROVITRACKER_{name}": value for name, value in settings.items()},
    }
    async with running_service(port=port, settings=environment):
        yield Besieged(port, management_port, psutil.Process(listener(port)))


async def flood(
    service: Besieged, *attacks: str, requests: Path | None = None, **options: float | str
) -> dict[str, Any]:
    """The outcome of each attack, sent from a process of its own that the honest need not wait for.

    requests: a file of whole ones, as one more attack. options: the flooder's.
    Raises TimeoutError when the flood is not over after 100 s.
    """
    chosen = [f"--attack={attack}" for attack in attacks] + ([f"--requests={requests}"] if requests else [])
    named = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.door.flooder", f"--port={service.port}", "--stand-back"),
        *(*chosen, *named),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        printed, _ = await asyncio.wait_for(process.communicate(), 100)
    except BaseException:
        with suppress(ProcessLookupError):
            process.kill()
        raise
    assert process.returncode == 0
    outcomes: dict[str, Any] = json.loads(printed)
    return outcomes


@dataclass(slots=True)
class Observed:
    """The service as it was seen during something. slowest_s: of honest requests."""

    memory_mib: float = 0.0
    open_files: int = 0
    asked: int = 0
    slowest_s: float = 0.0
    wrong: list[str] = field(default_factory=list)


@asynccontextmanager
async def observed(
    service: Besieged, honest: Callable[[], AsyncIterator[str]] | None = None
) -> AsyncIterator[Observed]:
    """The most that it held until the block ends, while honest requests are made one after another.

    honest: yields what is wrong with each answer, or nothing.
    """
    seen = Observed()
    tasks = [asyncio.create_task(_watch(service, seen))]
    if honest is not None:
        tasks.append(asyncio.create_task(_ask(honest, seen)))
    try:
        yield seen
    finally:
        for task in tasks:
            task.cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
    for each in done:
        if isinstance(each, Exception):
            raise each


async def _watch(service: Besieged, seen: Observed) -> None:
    while True:
        seen.memory_mib = max(seen.memory_mib, service.memory_mib)
        seen.open_files = max(seen.open_files, service.open_files)
        await asyncio.sleep(_LOOK_EVERY_S)


async def _ask(honest: Callable[[], AsyncIterator[str]], seen: Observed) -> None:
    answers = honest()
    while True:
        began = time.monotonic()
        wrong = await anext(answers)
        seen.asked += 1
        seen.slowest_s = max(seen.slowest_s, time.monotonic() - began)
        if wrong:
            seen.wrong.append(wrong)
        await asyncio.sleep(_LOOK_EVERY_S)

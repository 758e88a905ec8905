"""The service as people run it: a process of its own on a loopback port, stopped at the end."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import psutil

from tests.support import spread
from tests.support.verbs import Running, loaded

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    """A port of the loopback interface on which nobody listened just now. Nothing keeps it free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def settings_on(database_url: str, redis_url: str, data_dir: Path) -> dict[str, str]:
    """The settings of a process in development, on stores that run already."""
    return {
        "ROVITRACKER_DATABASE_URL": database_url,
        "ROVITRACKER_REDIS_URL": redis_url,
        "ROVITRACKER_ENVIRONMENT": "development",
        "ROVITRACKER_DATA_DIR": str(data_dir),
        **{f"ROVITRACKER_{name.upper()}": value for name, value in spread.settings_on(database_url).items()},
    }


@asynccontextmanager
async def running_service(
    *arguments: str,
    port: int,
    settings: dict[str, str],
    cwd: Path | None = None,
    log: Path | None = None,
) -> AsyncIterator[str]:
    """`rovitracker serve` with these settings; its address, once it is ready. log: where its lines go.

    arguments: a verb in the place of `serve`. settings: over the environment of this process. It fails when the service
    ends first, or is not ready after 30 s.
    """
    given = (*(arguments or ("serve",)), "--port", str(port))
    with (log or Path(os.devnull)).open("wb") as stdout:
        process = await loaded().start(
            *given, environment={**os.environ, **settings}, folder=cwd or ROOT, stdout=stdout
        )
    try:
        address = f"http://localhost:{port}"
        await _wait_until_ready(address, process)
        yield address
    finally:
        await process.end()


async def _wait_until_ready(address: str, process: Running) -> None:
    async with httpx2.AsyncClient(base_url=address) as client:
        for _ in range(300):
            assert process.status is None, f"the service ended with {process.status}"
            try:
                if (await client.get("/health/ready")).status_code == 200:
                    return
            except httpx2.TransportError:
                pass
            await asyncio.sleep(0.1)
    raise AssertionError("the service did not get ready in 30 s")


def listener(port: int) -> int:
    """The process that listens there."""
    return next(process.pid for process in psutil.process_iter() if port in listening_ports(process))


def listening_ports(process: psutil.Process) -> set[int]:
    try:
        found = process.net_connections("tcp4")
    except psutil.Error:  # it ended meanwhile, or is not ours to look into
        return set()
    return {int(each.laddr[1]) for each in found if each.status == "LISTEN"}

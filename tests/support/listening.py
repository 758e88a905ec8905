"""A program of others as a process that listens on a port, and ends with the test that started it."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

_STOP_S = 10


@asynccontextmanager
async def listening(
    command: Sequence[str],
    port: int,
    told: Path,
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    within_s: float = 10,
    host: str = "127.0.0.1",
) -> AsyncIterator[None]:
    """told: the file that its lines go to. folder: where it is started. host: where it listens.

    It fails, with the last of those lines, when the program ends first or does not listen within `within_s`.
    Raises TimeoutError when the program has not ended 10 s after SIGTERM, and kills it.
    """
    with told.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=folder, env=environment, stdout=output, stderr=output
        )
    try:
        await _until_it_listens(host, port, process, told, within_s)
        yield
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _STOP_S)
        except TimeoutError:
            process.kill()
            await process.wait()
            raise


async def _until_it_listens(
    host: str, port: int, process: asyncio.subprocess.Process, told: Path, within_s: float
) -> None:
    for _ in range(int(within_s * 10)):
        assert process.returncode is None, f"it ended with {process.returncode}: {_last_of(told)}"
        with suppress(OSError):
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
            await writer.wait_closed()
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"it does not listen: {_last_of(told)}")


def _last_of(told: Path) -> str:
    return told.read_text()[-3000:]

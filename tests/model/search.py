"""A model in Promela, searched whole by the program that spin makes of it. A guard is taken away by `NO_` and its name."""

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

MODELS = sorted(Path(__file__).parent.glob("*.pml"))

_SWITCH = re.compile(r"\bNO_([A-Z_]+)\b")
_LONGEST_S = 300
_DEEPEST = "-m200000"


class NotHereError(Exception):
    """What the search needs is not on this machine; the text says what, and how to get it."""


@dataclass(frozen=True, slots=True)
class Run:
    """found: how a promise was broken, empty where none was. states: how many were seen until then."""

    model: str
    guard: str | None
    states: int
    found: str

    @property
    def as_due(self) -> bool:
        """The model breaks no promise, and breaks one once a guard is taken away."""
        return bool(self.found) == (self.guard is not None)


def guards_of(model: Path) -> list[str]:
    return sorted(set(_SWITCH.findall(model.read_text())))


def search(model: Path, guard: str | None = None) -> Run:
    """Raises NotHereError without spin or a C compiler, and RuntimeError when the search did not come to its end."""
    for program in ("spin", "cc"):
        if shutil.which(program) is None:
            raise NotHereError(f"{program} is not here; Debian has it: apt install spin gcc")
    with tempfile.TemporaryDirectory() as folder:
        switch = [f"-DNO_{guard}"] if guard else []
        _run(["spin", *switch, "-a", str(model)], folder)
        _run(["cc", "-O1", "-w", "-DSAFETY", "-DVECTORSZ=4096", "-o", "pan", "pan.c"], folder)
        said = _run(["./pan", _DEEPEST], folder)
    states = re.search(r"(\d+) states, stored", said)
    if states is None or "max search depth too small" in said:
        raise RuntimeError(f"{model.stem}: the search did not end:\n{said[-800:]}")
    found = re.search(r"^pan:\d+: (.*?) \(at depth \d+\)", said, re.MULTILINE)
    return Run(model.stem, guard, int(states[1]), found[1] if found else "")


def _run(command: list[str], folder: str) -> str:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=_LONGEST_S, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stdout[-500:]}{done.stderr[-500:]}")
    return done.stdout

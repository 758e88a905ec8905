"""A model in Promela, searched whole by the program that spin makes of it. A guard is taken away by `NO_` and its name."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MODELS = sorted(Path(__file__).parent.glob("*.pml"))

_SWITCH = re.compile(r"\bNO_([A-Z_]+)\b")
_LONGEST_S = 300
_COMPILED = ("-O0", "-w", "-DVECTORSZ=4096")
_SAFETY = ("-DSAFETY", "-DNOCLAIM")  # assertions, and where a run ends
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
    """Whether a run breaks an assertion, and if none does, whether one breaks a formula of the model.

    Raises NotHereError without spin or a C compiler, and RuntimeError when the search did not come to its end.
    """
    with tempfile.TemporaryDirectory() as folder:
        translate(model.read_text(), folder, [f"-DNO_{guard}"] if guard else [])
        run = _read(model, guard, searched(folder, _SAFETY, [_DEEPEST]))
        if not run.found and re.search(r"^ltl ", model.read_text(), re.MULTILINE):
            run = _read(model, guard, searched(folder, ("-DNFAIR=3",), [_DEEPEST, "-a", "-f"]))
    return run


def translate(model: str, folder: str, switches: Sequence[str] = ()) -> None:
    """Let spin write the program of a model's text into the folder."""
    for program in ("spin", "cc"):
        if shutil.which(program) is None:
            raise NotHereError(f"{program} is not here; Debian has it: apt install spin gcc")
    (Path(folder) / "model.pml").write_text(model)
    _run(["spin", *switches, "-a", "model.pml"], folder)


def searched(folder: str, compiled: Sequence[str], options: Sequence[str]) -> str:
    """What the program in the folder says, once it is compiled and run."""
    _run(["cc", *_COMPILED, *compiled, "-o", "pan", "pan.c"], folder)
    said = _run(["./pan", *options], folder)
    if "states, stored" not in said or "max search depth too small" in said:
        raise RuntimeError(f"the search did not end:\n{said[-800:]}")
    return said


def _read(model: Path, guard: str | None, said: str) -> Run:
    states = re.search(r"(\d+) states, stored", said)
    found = re.search(r"^pan:\d+: (.*?) \(at depth \d+\)", said, re.MULTILINE)
    assert states is not None  # the line is there, as `searched` knows
    return Run(model.stem, guard, int(states[1]), found[1] if found else "")


def _run(command: list[str], folder: str) -> str:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=_LONGEST_S, check=False
        )
    except subprocess.TimeoutExpired as late:
        raise RuntimeError(f"{command[0]} was not done within {_LONGEST_S} seconds") from late
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stdout[-500:]}{done.stderr[-500:]}")
    return done.stdout

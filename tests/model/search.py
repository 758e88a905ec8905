"""A model in Promela, searched whole by the program that spin makes of it. A guard is taken away by `NO_` and its name."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MODELS = sorted(Path(__file__).parent.glob("*.pml"))

_FILE = "model.pml"
_SWITCH = re.compile(r"\bNO_([A-Z_]+)\b")
_LONGEST_S = 300
_COMPILED = ("-O0", "-w", "-DVECTORSZ=4096")
_SAFETY = ("-DSAFETY", "-DNOCLAIM")  # assertions, and where a run ends
_LIVENESS = ("-DNFAIR=3",)  # formulas, where whoever can go on does at last
_DEEPEST = "-m200000"
_STATES = re.compile(r"(\d+) states, stored")
_FOUND = re.compile(r"^pan:\d+: (.*?) \(at depth \d+\)", re.MULTILINE)
_COMMENT = re.compile(r"/\* (.*) \*/")
_FORMULA = re.compile(r"(?:/\* (.*) \*/\n)?^ltl ", re.MULTILINE)


class NotHereError(Exception):
    """What the search needs is not on this machine; the text says what, and how to get it."""


@dataclass(frozen=True, slots=True)
class Run:
    """guard: what was taken away, and meaning: what that is, in words.

    found: the promise that was broken, empty where none was. states: how many were seen until then.
    """

    model: str
    guard: str | None
    meaning: str
    states: int
    found: str

    @property
    def as_due(self) -> bool:
        """The model breaks no promise, and breaks one once a guard is taken away."""
        return bool(self.found) == (self.guard is not None)


def guards_of(model: Path) -> list[str]:
    return sorted(set(_SWITCH.findall(model.read_text())))


def meaning_of(guard: str, model: Path) -> str:
    """What the head of the model says of it; empty where it says nothing."""
    said = re.search(rf"^ \*   {guard} +(\S.*)$", model.read_text(), re.MULTILINE)
    return said[1] if said else ""


def search(model: Path, guard: str | None = None) -> Run:
    """Whether a run breaks an assertion, and if none does, whether one breaks a formula of the model.

    Raises NotHereError without spin or a C compiler, and RuntimeError when the search did not come to its end.
    """
    text = model.read_text()
    switches = [f"-DNO_{guard}"] if guard else []
    with tempfile.TemporaryDirectory() as folder:
        translate(text, folder, switches)
        said = searched(folder, _SAFETY, [_DEEPEST])
        found = _FOUND.search(said)
        if found is None and _FORMULA.search(text):
            said = searched(folder, _LIVENESS, [_DEEPEST, "-a", "-f"])
            found = _FOUND.search(said)
        states = _STATES.search(said)
        assert states is not None  # the line is there, as `searched` knows
        broken = _promise(text, folder, switches) or found[1] if found else ""
    meaning = meaning_of(guard, model) if guard else ""
    return Run(model.stem, guard, meaning, int(states[1]), broken)


def _promise(text: str, folder: str, switches: Sequence[str]) -> str:
    """The comment on the assertion that the run in the folder breaks, else that before the formula."""
    told = _run(["spin", *switches, "-t", _FILE], folder)
    at = re.search(rf"{_FILE}:(\d+), Error: assertion violated", told)
    comment = _COMMENT.search(text.splitlines()[int(at[1]) - 1]) if at else _FORMULA.search(text)
    return comment[1] if comment and comment[1] else ""


def translate(model: str, folder: str, switches: Sequence[str] = ()) -> None:
    """Let spin write the program of a model's text into the folder."""
    for program in ("spin", "cc"):
        if shutil.which(program) is None:
            raise NotHereError(f"{program} is not here; Debian has it: apt install spin gcc")
    (Path(folder) / _FILE).write_text(model)
    _run(["spin", *switches, "-a", _FILE], folder)


def searched(folder: str, compiled: Sequence[str], options: Sequence[str]) -> str:
    """What the program in the folder says, once it is compiled and run."""
    _run(["cc", *_COMPILED, *compiled, "-o", "pan", "pan.c"], folder)
    said = _run(["./pan", *options], folder)
    if _STATES.search(said) is None or "max search depth too small" in said:
        raise RuntimeError(f"the search did not end:\n{said[-800:]}")
    return said


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

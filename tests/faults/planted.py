"""Bugs planted into a copy of the service: each undoes one guard, and the judge must find what follows from it."""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from tests.conformance.plant import Fault as Text
from tests.conformance.plant import break_source, read_faults
from tests.faults.ground import laid_out
from tests.faults.schedule import FAULTS, Plan, run_schedule
from tests.support.server import ROOT

_FILE = Path(__file__).with_name("planted.txt")
_COPIED = ("app", "sql", "docs", "pyproject.toml", "README.md")


@dataclass(frozen=True, slots=True)
class Bug:
    """texts: what is replaced. under: the name of the fault that brings it out."""

    name: str
    under: str
    texts: tuple[Text, ...]


def read_bugs(file: Path = _FILE) -> list[Bug]:
    """The bugs of a file like that of `make conformance`; where that names items, this names the fault."""
    bugs: dict[str, Bug] = {}
    for name, under, text in _read(file):
        texts = (*bugs[name].texts, text) if name in bugs else (text,)
        bugs[name] = Bug(name, under, texts)
    return list(bugs.values())


def _read(file: Path) -> list[tuple[str, str, Text]]:
    return [(*each.name.split(", under "), each) for each in read_faults(file)]  # type: ignore[misc]  # two parts


async def plant(bug: Bug, seed: int, plan: Plan, porcupine: Path | None) -> dict[str, Any]:
    """Run up to three schedules until the judge finds something. `found` is a line, empty where it found nothing."""
    fault = next(each for each in FAULTS if each.name == bug.under)
    with tempfile.TemporaryDirectory(prefix="rovitracker-planted-") as folder:
        code = Path(folder)
        copy_source(bug, code)
        async with laid_out(code) as ground:
            result = await run_schedule(ground, fault, seed, plan, porcupine)
            operations = len(result.journal.operations)
            for again in (1, 2):
                if not result.violations:
                    result = await run_schedule(ground, fault, seed + again, plan, porcupine)
                    operations += len(result.journal.operations)
    return {
        "name": bug.name,
        "under": bug.under,
        "operations": operations,
        "found_by": result.found_by,
        "found": result.violations[-1] if result.violations else "",
    }


def copy_source(bug: Bug, code: Path) -> None:
    """The program with the bug in it. Raises FaultError when its text does not stand exactly once."""
    for part in _COPIED:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy2
        copy(ROOT / part, code / part)
    for text in bug.texts:
        (code / text.file).write_text(break_source(text, code))


def table_of_planted(planted: Sequence[dict[str, Any]]) -> Table:
    table = Table("planted bug", "under", "violations", "one of them", box=None, header_style="bold")
    for each in planted:
        found_by = ", ".join(f"{judge} {count}" for judge, count in each["found_by"].items() if count)
        table.add_row(each["name"], each["under"], found_by, each["found"] or "NOT FOUND")
    return table


PLANTED = read_bugs()

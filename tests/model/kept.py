"""The last run of `make check-model` that was kept: a file beside this one, and its part of docs/guarantees.md."""

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.ground.lines import in_lines
from tests.model.search import Run
from tests.support.sections import circumstances, day_of, write_section

LAST = Path(__file__).with_name("last.json")
SECTION = "check-model"


def keep(runs: Sequence[Run]) -> None:
    """Write the record of a run, and its part of the page."""
    record = record_of(runs)
    LAST.write_text(in_lines(record))
    write_section(SECTION, render(record))


def record_of(runs: Sequence[Run]) -> dict[str, Any]:
    """The searches, with their day and machine.

    guard: what was taken away, and meaning: what that is. found: the promise that was broken.
    """
    said = subprocess.run(["spin", "-V"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"\d+(?:\.\d+)+", said)
    return {
        **circumstances(),
        "spin": version[0] if version else "of unknown version",
        "each": [
            {
                "model": run.model,
                "guard": run.guard,
                "meaning": run.meaning,
                "states": run.states,
                "found": run.found,
                "as_due": run.as_due,
            }
            for run in runs
        ],
    }


def read_last() -> dict[str, Any]:
    """The record that is kept."""
    record: dict[str, Any] = json.loads(LAST.read_text())
    return record


def render(record: Mapping[str, Any]) -> str:
    """Markdown: what the run was, and a row for each search."""
    each = record["each"]
    wrong = sum(not row["as_due"] for row in each)
    models = sum(row["guard"] is None for row in each)
    rows = [
        f"| {row['model']} | {row['meaning']} | {row['states']:,} | {row['found'] or 'none'} |"
        for row in each
    ]
    return (
        f"`make check-model` wrote this on {day_of(record)}, with spin {record['spin']}. It searched {models} models whole, and once\n"
        f"without each of {len(each) - models} guards. {wrong} searches ended otherwise than they must: a whole model breaks no promise,\n"
        "and one without a guard breaks one.\n\n"
        f"| model | without | states | broken promise |\n{'| --- ' * 4}|\n" + "\n".join(rows) + "\n"
    )

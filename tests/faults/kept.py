"""The last run of `make check-faults` that was kept: a file beside this one, and its part of docs/guarantees.md."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.ground.lines import in_lines
from tests.support.sections import circumstances, day_of, write_section

LAST = Path(__file__).with_name("last.json")
SECTION = "check-faults"

_OF_EACH = ("fault", "seed", "operations", "bites", "slowest_s", "back_s", "not_shown")
_OF_ALL = ("judged_by_porcupine", "schedules", "operations", "violations", "slowest_s")


def keep(summary: Mapping[str, Any], known: int) -> None:
    """Write the record of a run and its part of the page.

    summary: what faults.json holds. known: how many faults there are; the run may have been of some of them.
    """
    record = record_of(summary, known)
    LAST.write_text(in_lines(record))
    write_section(SECTION, render(record))


def record_of(summary: Mapping[str, Any], known: int) -> dict[str, Any]:
    """The figures of a run that the page shows, with its day and machine."""
    schedules = [
        {**{name: each[name] for name in _OF_EACH}, "violations": len(each["violations"])}
        for each in summary["each"]
    ]
    planted = [
        {name: each[name] for name in ("name", "under", "operations", "found_by")}
        | {"found": bool(each["found"])}
        for each in summary["planted"]
    ]
    return {
        **circumstances(),
        **{name: summary[name] for name in _OF_ALL},
        "known_faults": known,
        "each": schedules,
        "planted": planted,
    }


def read_last() -> dict[str, Any]:
    """The record that is kept."""
    record: dict[str, Any] = json.loads(LAST.read_text())
    return record


def render(record: Mapping[str, Any]) -> str:
    """Markdown: what the run was, a row for each fault, and the planted bugs."""
    each = record["each"]
    faults = list(dict.fromkeys(row["fault"] for row in each))
    lines = [
        _sentences(record, len(faults)),
        "| fault | schedules | operations | it bit | slowest answer | violations |",
        "| --- " * 6 + "|",
        *(_row(fault, [row for row in each if row["fault"] == fault]) for fault in faults),
    ]
    if record["planted"]:
        found = sum(bug["found"] for bug in record["planted"])
        lines += [
            f"\n{len(record['planted'])} bugs were planted into copies of the service, and {found} of them were found.\n",
            "| planted bug | under | operations | violations |",
            "| --- " * 4 + "|",
            *(
                f"| {bug['name']} | {bug['under']} | {bug['operations']:,} | {_found(bug)} |"
                for bug in record["planted"]
            ),
        ]
    return "\n".join(lines) + "\n"


def _sentences(record: Mapping[str, Any], faults: int) -> str:
    judge = "Porcupine and the rules" if record["judged_by_porcupine"] else "The rules alone"
    return (
        f"`make check-faults` wrote this on {day_of(record)}. It ran {record['schedules']} schedules of {faults} faults; "
        f"{record['known_faults']} faults are known.\n"
        f"Callers did {record['operations']:,} operations. {judge} found {record['violations']} violations. The slowest answer took "
        f"{record['slowest_s']:.1f} s.\nThe machine had {record['machine']}.\n"
    )


def _found(bug: Mapping[str, Any]) -> str:
    return f"{sum(bug['found_by'].values()):,}" if bug["found"] else "not found"


def _row(fault: str, rows: list[Mapping[str, Any]]) -> str:
    reasons = [row["not_shown"] for row in rows if row["not_shown"]]
    if len(reasons) == len(rows):
        return f"| {fault} | 0 | | not shown: {reasons[0]} | | |"
    bites = sum(row["bites"]["count"] for row in rows)
    counted = rows[0]["bites"]["counted"]
    return (
        f"| {fault} | {len(rows)} | {sum(row['operations'] for row in rows):,} | "
        f"{'' if counted == 'none' else f'{counted}: {bites:,}'} | "
        f"{max(row['slowest_s'] for row in rows):.1f} s | {sum(row['violations'] for row in rows)} |"
    )

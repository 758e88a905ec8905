"""The summary of a run: a table for people, a document for programs."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.table import Table

from tests.faults.schedule import Result

_SHOWN = 20


def table_of(results: Sequence[Result]) -> Table:
    """A row for each schedule, and one for all."""
    table = Table(box=None, header_style="bold")
    table.add_column("fault", no_wrap=True)
    for name in (
        "seed",
        "operations",
        "open",
        "503",
        "slowest s",
        "back s",
        "bites",
        "registers",
        "violations",
    ):
        table.add_column(name, justify="right")
    table.add_column("of the bites")
    for each in results:
        table.add_row(*_row(each))
    operations = sum(len(each.journal.operations) for each in results)
    table.add_row(
        "all", "", f"{operations:,}", *[""] * 6, f"{sum(len(each.violations) for each in results)}", ""
    )
    return table


def _row(result: Result) -> list[str]:
    if result.not_shown:
        return [result.fault.name, str(result.seed), *[""] * 8, f"not shown: {result.not_shown}"]
    found = document_of(result)
    return [
        result.fault.name,
        str(result.seed),
        f"{found['operations']:,}",
        str(found["open"]),
        str(found["statuses"].get("503", 0)),
        f"{result.slowest_s:.1f}",
        f"{result.back_s:.1f}",
        str(result.bites) if result.bit else "NONE",
        f"{found['registers']:,}",
        str(len(result.violations)) + (f" ({len(result.undecided)}?)" if result.undecided else ""),
        result.fault.bites,
    ]


def document_of(result: Result) -> dict[str, Any]:
    """One schedule. Times are seconds."""
    operations = result.journal.operations
    verdict = result.verdicts[-1] if result.verdicts else None
    return {
        "fault": result.fault.name,
        "seed": result.seed,
        "operations": len(operations),
        "outcomes": dict(sorted(result.journal.outcomes().items())),
        "statuses": dict(sorted(result.journal.statuses().items())),
        "open": sum(each.outcome == "open" for each in operations),
        "bites": {"counted": result.fault.bites, "count": result.bites},
        "judges": [each.judge for each in result.verdicts],
        "registers": sum(verdict.registers.values()) if verdict else 0,
        "register_kinds": verdict.registers if verdict else {},
        "entries": verdict.operations if verdict else 0,
        "slowest_s": round(result.slowest_s, 3),
        "back_s": round(result.back_s, 3),
        "seconds": round(result.seconds, 1),
        "violations": result.violations,
        "late": result.late,
        "undecided": result.undecided,
        "not_shown": result.not_shown,
    }


def summary_of(results: Sequence[Result], planted: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The whole run."""
    schedules = [document_of(each) for each in results]
    return {
        "schedules": len(schedules),
        "operations": sum(each["operations"] for each in schedules),
        "outcomes": dict(sum((Counter(each["outcomes"]) for each in schedules), Counter[str]())),
        "violations": sum(len(each["violations"]) for each in schedules),
        "slowest_s": max((each["slowest_s"] for each in schedules), default=0.0),
        "each": schedules,
        "planted": list(planted),
    }


def lines_of(result: Result) -> list[str]:
    """Lines for people that say what is wrong with a schedule."""
    name = f"{result.fault.name}, seed {result.seed}"
    lines = [f"{name}: {line}" for line in result.violations[:_SHOWN]]
    if len(result.violations) > _SHOWN:
        lines.append(f"{name}: and {len(result.violations) - _SHOWN} more")
    lines += [f"{name}: {line}" for line in result.late]
    lines += [f"{name}: not decided in time: {line}" for line in result.undecided]
    if not result.bit and not result.not_shown:
        lines.append(f"{name}: it never bit: no {result.fault.bites}")
    return lines

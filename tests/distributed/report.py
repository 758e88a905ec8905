"""What a run on Citus found, as tables for people and as JSON for programs."""

from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

from bench.compare.interval import interval_of
from bench.ground.lines import in_lines
from tests.distributed.measure import Cost, mean_of
from tests.faults.schedule import Result

BAR = 2.5  # processor time of an exchange through Citus on one node, over plain PostgreSQL's
PLAIN, JUDGED = "plain", "one node"
_DIGITS = 4  # more than a table shows, so that its figures follow from these


def costs_of(costs: Mapping[str, Sequence[Cost]]) -> list[dict[str, Any]]:
    """costs: of an exchange in each burst, by side, in microseconds."""
    plain = costs[PLAIN]
    return [
        {
            "name": name,
            "service_us": round(mean_of(bursts).service, _DIGITS),
            "postgres_us": round(mean_of(bursts).postgres, _DIGITS),
            "valkey_us": round(mean_of(bursts).valkey, _DIGITS),
            "of_plain": mean_of(bursts).whole / mean_of(plain).whole,
            "bounds": _bounds([one.whole / other.whole for one, other in zip(bursts, plain, strict=True)]),
        }
        for name, bursts in costs.items()
    ]


def is_met(results: Sequence[Mapping[str, Any]]) -> bool:
    """Whether an exchange on one node of Citus costs at most BAR times as much as on plain PostgreSQL."""
    return bool(next(each["of_plain"] for each in results if each["name"] == JUDGED) <= BAR)


def table_of_costs(results: Sequence[Mapping[str, Any]]) -> str:
    lines = [
        "| | service µs | PostgreSQL µs | Valkey µs | together µs | of plain (95 % interval of the bursts) |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for each in results:
        parts = [each[part] for part in ("service_us", "postgres_us", "valkey_us")]
        ratio = f"{each['of_plain']:.2f}"
        if each["bounds"] is not None:
            ratio += " ({:.2f} to {:.2f})".format(*each["bounds"])
        cells = [each["name"], *(f"{part:.0f}" for part in (*parts, sum(parts))), ratio]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def faults_of(results: Sequence[Result]) -> list[dict[str, Any]]:
    """All schedules of a fault together, by fault."""
    by_name: dict[str, list[Result]] = {}
    for each in results:
        by_name.setdefault(each.fault.name, []).append(each)
    return [
        {
            "name": name,
            "operations": sum(len(each.journal.operations) for each in mine),
            "schedules": len(mine),
            "violations": sum(len(each.violations) + len(each.undecided) for each in mine),
            "struck": sum(each.bites for each in mine),
            "ready_again_s": round(max(each.back_s for each in mine), 2),
            "judges": sorted({verdict.judge for each in mine for verdict in each.verdicts}),
        }
        for name, mine in by_name.items()
    ]


def table_of_faults(results: Sequence[Mapping[str, Any]]) -> str:
    lines = [
        "| | operations | schedules | violations | struck | ready again after | judged by |",
        "| --- | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for each in results:
        counts = [f"{each[part]:,}" for part in ("operations", "schedules", "violations", "struck")]
        cells = [each["name"], *counts, f"{each['ready_again_s']:.1f} s", " and ".join(each["judges"])]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def keep(out: Path, name: str, about: Sequence[str], table: str, document: Mapping[str, Any]) -> None:
    """Write NAME.md and NAME.json. about: paragraphs that name the machine, the servers and the set-up."""
    (out / f"{name}.md").write_text("\n\n".join([*about, table]) + "\n")
    (out / f"{name}.json").write_text(in_lines({"about": list(about), **document}))


def _bounds(ratios: Sequence[float]) -> tuple[float, float] | None:
    """Those of the 95 % interval; fewer than six ratios have none."""
    interval = interval_of(ratios)
    return (interval.low, interval.high) if isfinite(interval.high) else None

"""The results of a run: a table for people, one document for programs."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from bench.load.machine import describe_machine
from bench.scenarios.measure import Result
from bench.scenarios.options import Options

_BUSY = 0.9  # of one core; what locust measures then is itself
_LATE = 0.05


def table(results: Sequence[Result]) -> str:
    lines = [_row("", "requests", "failed", "per s", "p50 ms", "p99 ms")]
    for result in results:
        figures, failed = result.figures, Counter[str]()
        for each in figures["failed"]:
            failed[each["part"]] += each["times"]
        lines.append(_row(result.scenario.name, *_cells(figures["all"], failed.total())))
        if len(figures["parts"]) > 1:
            parts = figures["parts"].items()
            lines += [_row(f"  {name}", *_cells(part, failed[name])) for name, part in parts]
        lines += [_row(f"  {name}", *_cells(part, "")) for name, part in figures["phases"].items()]
    return "\n".join(lines)


def costs(results: Sequence[Result]) -> str:
    """The cost of one request in each component, and how busy locust was."""
    lines = [_row("processor time", "service µs", "PostgreSQL µs", "Valkey µs", "locust", "checked")]
    for result in results:
        used = result.used
        cells = [f"{result.cost_us(each):.0f}" for each in (used.service_s, used.postgres_s, used.valkey_s)]
        lines.append(
            _row(result.scenario.name, *cells, f"{100 * result.generator_share:.0f} %", result.checked)
        )
    return "\n".join(lines)


def notes(results: Sequence[Result]) -> list[str]:
    """The notes that a reader of the figures needs."""
    found = []
    for result in results:
        name = result.scenario.name
        if result.generator_share > _BUSY:
            found.append(f"{name}: locust used up its core; the service can do more than this")
        if result.late_share > _LATE:
            found.append(
                f"{name}: the rate was not kept, {100 * result.late_share:.0f} % of the tasks began late"
            )
        if result.figures["ended"] == "used up":
            found.append(f"{name}: the prepared codes were used up after {result.figures['seconds']:.1f} s")
    return found


def faults(results: Sequence[Result]) -> list[str]:
    return [f"{result.scenario.name}: {fault}" for result in results for fault in result.faults]


def document(results: Sequence[Result], options: Options) -> dict[str, Any]:
    return {
        "machine": describe_machine(),
        "load": {**asdict(options.load), "model": options.load.model},
        "workers": options.workers,
        "thresholds": {"failed": 0, "p99_ms": options.p99_ms},
        "notes": notes(results),
        "scenarios": {result.scenario.name: _document(result) for result in results},
    }


def _document(result: Result) -> dict[str, Any]:
    used = result.used
    return {
        "about": result.scenario.about,
        **result.figures,
        "late_share": round(result.late_share, 4),
        "cpu_us_per_request": {
            "service": round(result.cost_us(used.service_s), 1),
            "postgresql": round(result.cost_us(used.postgres_s), 1),
            "valkey": round(result.cost_us(used.valkey_s), 1),
        },
        "generator_share_of_a_core": round(result.generator_share, 3),
        "tokens_found_in_postgresql": result.checked,
        "faults": result.faults,
    }


def _cells(part: dict[str, Any], failed: object) -> list[object]:
    latency = part["latency_ms"]
    percentiles = [f"{latency[name]:.1f}" if latency else "" for name in ("p50", "p99")]
    return [part["requests"], failed, f"{part['rate']:.1f}", *percentiles]


def _row(name: str, *cells: object) -> str:
    return f"{name:28}" + "".join(f"{cell!s:>14}" for cell in cells)

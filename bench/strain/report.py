"""The results of strain, as markdown and as one document."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bench.load import summary
from bench.load.generator import Outcome
from bench.load.machine import describe_machine
from bench.load.summary import medians, spread, spread_of, table
from bench.strain import flood, overload
from bench.strain.flood import Flood
from bench.strain.overload import Overload

Result = Flood | Overload


def render(results: Sequence[Result]) -> str:
    """Markdown."""
    parts = [describe_machine()]
    for result in results:
        parts += _flood(result) if isinstance(result, Flood) else _overload(result)
        if result.faults:
            parts.append("\n".join(f"- {fault}" for fault in result.faults))
    return "\n\n".join(parts) + "\n"


def document(results: Sequence[Result]) -> dict[str, Any]:
    return {"machine": describe_machine(), "results": [_document(each) for each in results]}


def every_round(results: Sequence[Result]) -> dict[str, Any]:
    """All rounds of the floods; the overload has only one."""
    return {each.name: summary.every_round(each.rounds) for each in results if isinstance(each, Flood)}


def _flood(result: Flood) -> Iterator[str]:
    plan = result.plan
    offered = f"{plan.rate:,.0f}/s honest requests offered, of a peak of {result.peak:,.0f}/s"
    yield f"### {result.name}\n\n{offered}, {plan.rounds} rounds of {plan.seconds:g} s; medians"
    yield table(result.rounds)
    honest, forged = _counts(result.honest, {}), _counts(result.forged, result.later)
    yield f"Honest requests were answered {honest}; forged ones {forged}."
    yield (
        f"**p99, {flood.FLOODED} / {flood.ALONE}: {spread(result.pairs)}, "
        f"at most {flood.BAR:.2f}: {_verdict(result)}**"
    )


def _overload(result: Overload) -> Iterator[str]:
    offered = f"{overload.OFFERED:,} codes a second offered for {result.seconds} s"
    yield f"### {result.name}\n\n{offered}, to a store that takes {overload.CAPACITY} tokens a second"
    lines = ["| | answers | p50 ms | p99 ms | slowest ms |", "| --- | --- | ---: | ---: | ---: |"]
    lines += [
        _row(f"before, {overload.FEW}/s", result.before),
        _row(f"{overload.OFFERED:,}/s", result.during),
        _row(f"{overload.WITHIN_S:g} s later, {overload.FEW}/s", result.after),
        _row("those turned away, once the store is quick", result.again),
    ]
    yield "\n".join(lines)
    yield f"{result.stored:,} tokens were answered; each stands in PostgreSQL as the only one of its code."
    yield (
        f"**slowest answer {result.during.latency_ms['max'] / 1000:.1f} s, at most {overload.BOUND_S:g}; "
        f"p99 {overload.WITHIN_S:g} s later / before: {result.ratio:.2f}, at most {overload.BAR:.2f}: {_verdict(result)}**"
    )


def _document(result: Result) -> dict[str, Any]:
    if isinstance(result, Overload):
        return {**asdict(result), "ratio": round(result.ratio, 4), "met": result.met}
    loaded = {"name": result.name, "peak": result.peak, "plan": asdict(result.plan)}
    answered = {"honest": result.honest, "forged": result.forged, "later": result.later}
    judged = {"ratios": {"p99": spread_of(result.pairs)}, "faults": result.faults, "met": result.met}
    return {**loaded, **answered, **judged, "medians": medians(result.rounds)}


def _row(name: str, outcome: Outcome) -> str:
    latency = (f"{outcome.latency_ms[each]:,.1f}" for each in ("p50", "p99", "max"))
    return f"| {' | '.join((name, _counts(outcome.statuses, outcome.later), *latency))} |"


def _counts(statuses: Mapping[str, int], later: Mapping[str, int]) -> str:
    """later: how many of them said when to come again; fewer than all is a fault, and named there."""
    return ", ".join(
        f"{status} ({count:,}{', each with Retry-After' if later.get(status) == count else ''})"
        for status, count in sorted(statuses.items())
    )


def _verdict(result: Result) -> str:
    return "met" if result.met else "NOT MET"

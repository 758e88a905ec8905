"""The results of strain, as markdown and as one document."""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from statistics import median
from typing import Any

from bench.load import summary
from bench.load.generator import Outcome, percentiles_ms
from bench.load.machine import describe_machine
from bench.load.summary import medians, spread, spread_of, table
from bench.strain import flood, guesses, overload, price
from bench.strain.flood import Flood
from bench.strain.guesses import ALONE, FRESH, JUDGED, LIMITED, Guessing, kind_of
from bench.strain.overload import Overload
from bench.strain.people import KNOWN, NEW
from bench.strain.price import Price

Result = Flood | Price | Overload | Guessing


def render(results: Sequence[Result]) -> str:
    """Markdown."""
    parts = [describe_machine()]
    for result in results:
        parts += _part(result)
        if result.faults:
            parts.append("\n".join(f"- {fault}" for fault in result.faults))
    return "\n\n".join(parts) + "\n"


def document(results: Sequence[Result]) -> dict[str, Any]:
    return {"machine": describe_machine(), "results": [_document(each) for each in results]}


def every_round(results: Sequence[Result]) -> dict[str, Any]:
    """All rounds; the overload has only one."""
    return {each.name: summary.every_round(each.rounds) for each in results if not isinstance(each, Overload)}


def _part(result: Result) -> Iterator[str]:
    if isinstance(result, Flood):
        return _flood(result)
    if isinstance(result, Price):
        return _price(result)
    return _overload(result) if isinstance(result, Overload) else _guesses(result)


def _flood(result: Flood) -> Iterator[str]:
    plan = result.plan
    offered = f"{2 * result.rate:,.0f}/s requests offered, of a peak of {result.peak:,.0f}/s"
    yield f"### {result.name}\n\n{offered}, {plan.rounds} rounds of {plan.seconds:g} s; medians"
    yield table(result.rounds)
    honest, forged = _counts(result.honest, {}), _counts(result.forged, result.later)
    unread = f" The service read from no connection for {result.unread:,} more." if result.unread else ""
    yield f"Honest requests were answered {honest}; forged ones {forged}.{unread}"
    yield (
        f"**p99, {flood.FLOODED} / {flood.ALONE}: {spread(result.pairs)}, "
        f"at most {flood.BAR:.2f}: {_verdict_of(result.ratio <= flood.BAR and not result.faults)}**"
    )
    yield (
        f"**processor time, a forged request that was due / an honest one: {spread(result.costs)}, "
        f"at most {flood.COST_BAR:.2f}: {_verdict_of(result.cost <= flood.COST_BAR)}**"
    )


def _price(result: Price) -> Iterator[str]:
    plan = result.plan
    asked = f"{plan.connections} connections of a trusted proxy"
    yield f"### {result.name}\n\n{asked}, {plan.rounds} rounds of {plan.seconds:g} s; medians"
    yield table(result.rounds)
    yield f"**processor time, {price.FORGED} / {price.HONEST}: {spread(result.pairs)}, not judged**"


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


def _guesses(result: Guessing) -> Iterator[str]:
    rounds = len(result.rounds[kind_of(KNOWN, ALONE)])
    offered = f"{guesses.SIGN_INS} sign-ins a second, beside {guesses.GUESSES} wrong passwords a second"
    yield (
        f"### {result.name}\n\n{offered} from {result.addresses} addresses, {rounds} rounds of "
        f"{result.round_s} s; medians of the sign-ins, each with its page and its form"
    )
    yield table(result.rounds)
    yield "\n".join(_seconds(result))
    yield f"Guesses from addresses above their limits were answered {_counts(result.limited, {})}."
    yield "\n".join(_in_all(result))
    asked = "; ".join(f"{name} {median(found):,.1f}" for name, found in result.asked.items())
    yield f"p99 of the introspections meanwhile, median in ms: {asked}."
    for browsers in (KNOWN, NEW):
        for beside in (FRESH, LIMITED):
            yield f"**p99, {browsers}, {beside} / {ALONE}: {_judged(result, browsers, beside)}**"


def _judged(result: Guessing, browsers: str, beside: str) -> str:
    seen = spread(result.pairs(browsers, beside))
    if (browsers, beside) not in JUDGED:
        return f"{seen}, not judged"
    return f"{seen}, at most {guesses.BAR:.2f}: {_verdict_of(result.met_by(browsers, beside))}"


def _seconds(result: Guessing) -> Iterator[str]:
    yield f"| second {FRESH} | guesses answered | slowest from {KNOWN}, ms | from {NEW}, ms |"
    yield "| ---: | --- | ---: | ---: |"
    for second, answers in sorted(result.seconds.items()):
        slowest = (result.slowest_s.get((browsers, second)) for browsers in (KNOWN, NEW))
        cells = (f"{taken_s * 1e3:,.0f}" if taken_s else "none came" for taken_s in slowest)
        yield f"| {second + 1} | {_counts(answers, {})} | {' | '.join(cells)} |"


def _in_all(result: Guessing) -> Iterator[str]:
    yield "| all rounds together | answers | p50 ms | p99 ms | slowest ms |"
    yield "| --- | --- | ---: | ---: | ---: |"
    for kind, taken_s in result.taken_s.items():
        found = percentiles_ms(array("d", taken_s))
        latency = (f"{found[each]:,.1f}" for each in ("p50", "p99", "max"))
        yield f"| {kind} | {_counts(result.honest[kind], {})} | {' | '.join(latency)} |"


def _document(result: Result) -> dict[str, Any]:
    if isinstance(result, Overload):
        return {**asdict(result), "ratio": round(result.ratio, 4), "met": result.met}
    if isinstance(result, Guessing):
        return _document_of_guesses(result)
    if isinstance(result, Price):
        named = {"name": result.name, "plan": asdict(result.plan)}
        seen = {"ratios": {"server_us": spread_of(result.pairs)}, "faults": result.faults, "met": result.met}
        return {**named, **seen, "medians": medians(result.rounds)}
    loaded = {"name": result.name, "peak": result.peak, "rate": result.rate, "plan": asdict(result.plan)}
    answered = {
        "honest": result.honest,
        "forged": result.forged,
        "later": result.later,
        "unread": result.unread,
    }
    seen = {"p99": spread_of(result.pairs), "forged_us": spread_of(result.costs)}
    judged = {"ratios": seen, "faults": result.faults, "met": result.met}
    return {**loaded, **answered, **judged, "medians": medians(result.rounds)}


def _document_of_guesses(result: Guessing) -> dict[str, Any]:
    seconds = {str(second + 1): dict(answers) for second, answers in sorted(result.seconds.items())}
    return {
        "name": result.name,
        "addresses": result.addresses,
        "honest": {kind: dict(answers) for kind, answers in result.honest.items()},
        "fresh": seconds,
        "limited": dict(result.limited),
        "introspection_p99_ms": {name: median(found) for name, found in result.asked.items()},
        "ratios": {
            "p99": {
                kind_of(browsers, beside): spread_of(result.pairs(browsers, beside))
                for browsers in (KNOWN, NEW)
                for beside in (FRESH, LIMITED)
            }
        },
        "faults": result.faults,
        "met": result.met,
        "medians": medians(result.rounds),
    }


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
    return _verdict_of(result.met)


def _verdict_of(met: bool) -> str:  # noqa: FBT001
    return "met" if met else "NOT MET"

"""`make bench-limit`: the service beside the bare limit, in interleaved rounds on the same stores."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from bench.ground import program
from bench.ground.token_path import laid_out
from bench.limit.poll import Poll, poll_pages
from bench.limit.poll import table as table_of_polls
from bench.limit.scenarios import Result, with_cache, without_cache
from bench.limit.stores import open_stores
from bench.load.machine import describe_machine
from bench.load.summary import every_round, medians, spread, spread_of, table

SCENARIOS = ("exchange", "latency", "client", "introspect", "cached", "guard", "page", "poll")
EXTRA = ("loads",)  # a line of latencies rather than a bar


def main() -> int:
    options = _read_arguments()
    return program.run("limit", options.out, partial(_measure, options))


def _measure(options: argparse.Namespace) -> program.Findings:
    wanted = frozenset(options.only)
    with laid_out(
        "limit", program.plan_of(options), workers=options.workers, tokens=options.tokens
    ) as ground:
        stores = open_stores(ground)
        results = [*without_cache(ground, stores, wanted), *with_cache(ground, stores, wanted)]
        polls = [*poll_pages(ground, options.fleets)] if "poll" in wanted else []
    documents = [*map(_document, results), *(poll.document() for poll in polls)]
    document = {"machine": describe_machine(), "results": documents}
    rounds: dict[str, Any] = {result.name: every_round(result.rounds) for result in results}
    rounds |= {
        poll.name: {name: [each._asdict() for each in done] for name, done in poll.rounds.items()}
        for poll in polls
    }
    met = all(result.met for result in results) and all(poll.met for poll in polls)
    return program.Findings(render(results, polls), document, met, rounds)


def render(results: Sequence[Result], polls: Sequence[Poll] = ()) -> str:
    """Markdown."""
    parts = [describe_machine()]
    for result in results:
        plan = result.plan
        load = f"{plan.rate:,.0f}/s offered" if plan.rate else f"{plan.connections} connections"
        parts += [
            f"### {result.name}\n\n{load}, {plan.rounds} rounds of {plan.seconds:g} s; medians",
            table(result.rounds),
            f"**{result.measure}, ours / {result.other}: {_verdict(result)}**, processor time {result.cost:.2f}",
        ]
    if polls:
        parts.append(table_of_polls(polls))
    return "\n\n".join(parts) + "\n"


def _verdict(result: Result) -> str:
    seen = spread(result.pairs)
    if result.bar is None:
        return seen
    sign = "at least" if result.measure == "rate" else "at most"
    return f"{seen}, {sign} {result.bar:.2f}: {'met' if result.met else 'NOT MET'}"


def _document(result: Result) -> dict[str, Any]:
    ratios = {
        result.measure: spread_of(result.pairs),
        "processor time a request": spread_of(result.cost_pairs),
    }
    judged = {"ratios": ratios, "bar": result.bar, "met": result.met}
    return {"name": result.name, "plan": asdict(result.plan), **judged, "medians": medians(result.rounds)}


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.limit", description=__doc__)
    add = parser.add_argument
    program.add_plan(
        parser,
        rounds=(7, "of each comparison"),
        seconds=(4, "that one contender is loaded in a round"),
        connections=(32, "of the closed model"),
    )
    add("--workers", type=program.count, default=program.WORKERS, help="processes of each contender")
    add("--tokens", type=program.count, default=10_000, help="that are introspected in turn (10000)")
    add("--fleets", type=program.count, default=8, help="whose pages are polled (8)")
    add(
        "--only",
        nargs="+",
        choices=(*SCENARIOS, *EXTRA),
        default=SCENARIOS,
        help="comparisons to make (all but loads)",
    )
    program.add_out(parser)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

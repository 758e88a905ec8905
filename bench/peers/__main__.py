"""`make bench-peers`: other authorization servers beside ours, in interleaved rounds on the same PostgreSQL and Valkey."""

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from bench.ground import program
from bench.ground.token_path import laid_out
from bench.load.machine import describe_machine
from bench.load.summary import every_round, medians, table
from bench.peers.catalogue import PEERS
from bench.peers.comparison import CODES, Comparison, Ratio, compare
from bench.peers.peer import Peer, PeerError, Task


def main() -> int:
    options = _read_arguments()
    return program.run("peers", options.out, partial(_measure, options), PeerError)


def _measure(options: argparse.Namespace) -> program.Findings:
    with laid_out(
        "peers", program.plan_of(options), workers=options.workers, tokens=options.tokens
    ) as ground:
        comparisons = [
            compare(ground, task, _peers_of(options), options.out.resolve()) for task in options.tasks
        ]
    document = {"machine": describe_machine(), "comparisons": [_document(each) for each in comparisons]}
    failed = any(each.missing or not all(ratio.met for ratio in each.ratios) for each in comparisons)
    rounds = {f"{each.task}": every_round(each.rounds) for each in comparisons}
    return program.Findings(render(comparisons), document, options.smoke or not failed, rounds)


def render(comparisons: Sequence[Comparison]) -> str:
    """Markdown."""
    parts = [describe_machine()]
    for each in comparisons:
        parts += [f"### {each.task}", table(each.rounds), _ratios(each.ratios)]
        parts += [_doubled(each.doubled)] if each.doubled else []
        parts += [f"Not measured: {name}: {reason}" for name, reason in each.missing.items()]
    return "\n\n".join(parts) + "\n"


def _ratios(ratios: Sequence[Ratio]) -> str:
    lines = [
        "| | times the rate | least to most | bar | processor time a request, the peer's to ours |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for each in ratios:
        bar = "" if each.bar is None else f"{each.bar:g}: {'met' if each.met else 'NOT MET'}"
        spread = f"{each.least:.1f} to {each.most:.1f}"
        cells = (f"{each.ours} / {each.peer}", f"{each.median:.2f}", spread, bar, f"{each.costs:.2f}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _doubled(doubled: Mapping[str, int]) -> str:
    counts = ", ".join(f"{name} {count}" for name, count in doubled.items())
    return f"{CODES} codes were sent twice at the same time; so many were answered with two tokens: {counts}"


def _document(comparison: Comparison) -> dict[str, Any]:
    ratios = [{**asdict(each), "met": each.met} for each in comparison.ratios]
    counted = {"doubled": comparison.doubled, "missing": comparison.missing}
    return {"task": comparison.task, "ratios": ratios, **counted, "medians": medians(comparison.rounds)}


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    add = parser.add_argument
    program.add_plan(
        parser,
        rounds=(5, "of each task"),
        seconds=(4, "that one server is loaded in a round"),
        connections=(32, "each with one request in flight"),
    )
    add("--workers", type=program.count, default=2, help="processes of each server (2)")
    add("--tokens", type=program.count, default=5000, help="that are introspected in turn (5000)")
    add("--tasks", type=Task, nargs="+", default=tuple(Task), metavar="TASK", help=f"of {_named(Task)} (all)")
    add("--only", nargs="+", default=(), metavar="PART", help="peers whose name holds it (all)")
    add("--smoke", action="store_true", help="too small to judge by: a missed bar is no error")
    program.add_out(parser)
    options = parser.parse_args()
    if not _peers_of(options):
        parser.error(f"--only: none of {', '.join(peer.name for peer in PEERS)}")
    return options


def _peers_of(options: argparse.Namespace) -> list[Peer]:
    return [peer for peer in PEERS if not options.only or any(part in peer.name for part in options.only)]


def _named(tasks: Iterable[Task]) -> str:
    return ", ".join(f'"{task}"' for task in tasks)


if __name__ == "__main__":
    sys.exit(main())

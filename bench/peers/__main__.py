"""`make bench-peers`: other authorization servers beside ours, in interleaved rounds on the same PostgreSQL and Valkey."""

import argparse
import signal
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import orjson

from app.embedded import EmbeddedError
from bench.check import CheckError
from bench.generator import GeneratorError
from bench.limit.ground import prepare
from bench.machine import describe_machine
from bench.peers.catalogue import PEERS
from bench.peers.comparison import CODES, Comparison, Ratio, compare
from bench.peers.peer import PeerError, Task
from bench.rounds import Plan, RoundError, table
from bench.seed import SeedError
from bench.serving import ServingError

_OUT = Path(__file__).parents[1] / "out"
_ERRORS = (
    *(RoundError, CheckError, PeerError, GeneratorError),
    *(ServingError, SeedError, EmbeddedError, OSError),
)


def main() -> int:
    options = _read_arguments()
    # Ends like Ctrl-C: everything that was started is stopped on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    options.out.mkdir(parents=True, exist_ok=True)
    try:
        comparisons = _measure(options)
    except _ERRORS as error:
        print(f"bench-peers: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("bench-peers: interrupted, everything is stopped", file=sys.stderr)
        return 128 + signal.SIGINT
    report = render(comparisons)
    print(report)
    (options.out / "peers.md").write_text(report)
    document = {"machine": describe_machine(), "comparisons": [_document(each) for each in comparisons]}
    (options.out / "peers.json").write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    failed = any(each.missing or not all(ratio.met for ratio in each.ratios) for each in comparisons)
    return 1 if failed and not options.smoke else 0


def _measure(options: argparse.Namespace) -> list[Comparison]:
    plan = Plan(options.rounds, options.seconds, options.warm_up, options.connections)
    peers = [peer for peer in PEERS if not options.only or any(part in peer.name for part in options.only)]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rovitracker-peers-")))
        ground = prepare(stack, folder, plan, workers=options.workers, tokens=options.tokens)
        return [compare(ground, task, peers, options.out.resolve()) for task in options.tasks]


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
    return f"Of {CODES} codes sent twice at the same time, answered with two tokens: {counts}"


def _document(comparison: Comparison) -> dict[str, object]:
    rounds = {name: [asdict(each) for each in done] for name, done in comparison.rounds.items()}
    ratios = [{**asdict(each), "met": each.met} for each in comparison.ratios]
    return {**asdict(comparison), "rounds": rounds, "ratios": ratios}


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    add = parser.add_argument
    add("--rounds", type=int, default=5, help="of each task (5)")
    add("--seconds", type=float, default=4.0, help="that one server is loaded in a round (4)")
    add("--warm-up", type=float, default=1.0, help="seconds before them that do not count (1)")
    add("--connections", type=int, default=32, help="each with one request in flight (32)")
    add("--workers", type=int, default=2, help="processes of each server (2)")
    add("--tokens", type=int, default=5000, help="that are introspected in turn (5000)")
    add("--tasks", type=Task, nargs="+", default=tuple(Task), metavar="TASK", help=f"of {_named(Task)} (all)")
    add("--only", nargs="+", default=(), metavar="PART", help="peers whose name holds it (all)")
    add("--smoke", action="store_true", help="too small to judge by: a missed bar is no error")
    add("--out", type=Path, default=_OUT, help="folder of the results (bench/out)")
    return parser.parse_args()


def _named(tasks: Iterable[Task]) -> str:
    return ", ".join(f'"{task}"' for task in tasks)


if __name__ == "__main__":
    sys.exit(main())

"""`make bench-limit`: the service beside the bare limit, in interleaved rounds on the same stores."""

import argparse
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import orjson

from app.embedded import EmbeddedError
from bench.check import CheckError
from bench.generator import GeneratorError
from bench.limit.ground import prepare
from bench.limit.scenarios import Result, with_cache, without_cache
from bench.machine import cores, describe_machine
from bench.rounds import Plan, RoundError, table
from bench.seed import SeedError
from bench.serving import ServingError

SCENARIOS = ("exchange", "latency", "client", "introspect", "cached", "guard")
EXTRA = ("loads",)  # a line of latencies rather than a bar

_OUT = Path(__file__).parents[1] / "out"


def main() -> int:
    options = _read_arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        results = _measure(options)
    except (RoundError, CheckError, GeneratorError, ServingError, SeedError, EmbeddedError, OSError) as error:
        print(f"bench-limit: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("bench-limit: interrupted, everything is stopped", file=sys.stderr)
        return 128 + signal.SIGINT
    report = render(results)
    print(report, end="")
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "limit.md").write_text(report)
    document = {"machine": describe_machine(), "results": [_document(result) for result in results]}
    (options.out / "limit.json").write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    return 0 if all(result.met for result in results) else 1


def _measure(options: argparse.Namespace) -> list[Result]:
    plan = Plan(options.rounds, options.seconds, options.warm_up, options.connections)
    wanted = frozenset(options.only)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rovitracker-limit-")))
        ground = prepare(stack, folder, plan, workers=options.workers, tokens=options.tokens)
        return [*without_cache(ground, wanted), *with_cache(ground, wanted)]


def render(results: Sequence[Result]) -> str:
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
    return "\n\n".join(parts) + "\n"


def _verdict(result: Result) -> str:
    seen = f"{result.ratio:.2f} ({min(result.pairs):.2f} to {max(result.pairs):.2f})"
    if result.bar is None:
        return seen
    sign = "at least" if result.measure == "rate" else "at most"
    return f"{seen}, {sign} {result.bar:.2f}: {'met' if result.met else 'NOT MET'}"


def _document(result: Result) -> dict[str, object]:
    rounds = {name: [asdict(each) for each in done] for name, done in result.rounds.items()}
    judged = {"ratio": result.ratio, "processor_time_ratio": result.cost, "met": result.met}
    return {**asdict(result), "rounds": rounds, **judged}


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.limit", description=__doc__)
    add = parser.add_argument
    add("--rounds", type=int, default=7, help="of each comparison (7)")
    add("--seconds", type=float, default=4.0, help="that one contender is loaded in a round (4)")
    add("--warm-up", type=float, default=1.0, help="seconds before them that do not count (1)")
    add("--connections", type=int, default=32, help="of the closed model (32)")
    add("--workers", type=int, default=max(2, cores() // 2), help="processes of each contender")
    add("--tokens", type=int, default=10_000, help="that are introspected in turn (10000)")
    add(
        "--only",
        nargs="+",
        choices=(*SCENARIOS, *EXTRA),
        default=SCENARIOS,
        help="comparisons to make (all but loads)",
    )
    add("--out", type=Path, default=_OUT, help="folder of the results (bench/out)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

"""`make bench-strain`: honest callers beside a flood of forged tokens, and three times more than a slow store takes."""

import argparse
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import orjson

from app.embedded import EmbeddedError
from bench.check import CheckError
from bench.generator import GeneratorError
from bench.limit.ground import prepare
from bench.machine import cores
from bench.rounds import Plan, RoundError
from bench.seed import SeedError
from bench.serving import ServingError
from bench.strain.flood import measure_floods
from bench.strain.overload import measure_overload
from bench.strain.report import Result, document, render

SCENARIOS = ("introspect", "cached", "guard", "overload")

_OUT = Path(__file__).parents[1] / "out"
_EPILOG = """
examples, each behind make bench-strain BENCH="...":
  --only cached --rounds 5          one flood
  --only overload --overload-s 10   the overload alone, and shorter
"""


def main() -> int:
    options = _read_arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        results = _measure(options)
    except (RoundError, CheckError, GeneratorError, ServingError, SeedError, EmbeddedError, OSError) as error:
        print(f"bench-strain: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("bench-strain: interrupted, everything is stopped", file=sys.stderr)
        return 128 + signal.SIGINT
    report = render(results)
    print(report, end="")
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "strain.md").write_text(report)
    (options.out / "strain.json").write_bytes(orjson.dumps(document(results), option=orjson.OPT_INDENT_2))
    return 0 if all(result.met for result in results) else 1


def _measure(options: argparse.Namespace) -> list[Result]:
    plan = Plan(options.rounds, options.seconds, options.warm_up, options.connections)
    wanted = frozenset(options.only)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rovitracker-strain-")))
        ground = prepare(stack, folder, plan, workers=options.workers, tokens=options.tokens)
        results: list[Result] = [*measure_floods(ground, wanted, options.share / 100)]
        if "overload" in wanted:
            results.append(measure_overload(ground, options.overload_s))
        return results


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make bench-strain",
        description=__doc__.partition(": ")[2],
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--rounds", type=int, default=7, help="pairs of rounds of each flood, with it and without (7)")
    add("--seconds", type=float, default=4.0, help="of a round (4)")
    add("--warm-up", type=float, default=1.0, help="seconds before them that do not count (1)")
    add(
        "--share",
        type=float,
        default=40,
        help="percent of the peak that the honest offer, and the forger too (40)",
    )
    add("--connections", type=int, default=32, help="by which the peak is measured (32)")
    add("--overload-s", type=int, default=30, help="seconds of the overload (30)")
    add("--workers", type=int, default=max(2, cores() // 2), help="processes of the service")
    add("--tokens", type=int, default=10_000, help="that are introspected in turn (10000)")
    add("--only", nargs="+", choices=SCENARIOS, default=SCENARIOS, help="what to measure (all)")
    add("--out", type=Path, default=_OUT, help="folder of the results (bench/out)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

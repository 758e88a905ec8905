"""`make bench-growth`: what more tokens, workers and connections do to rate, latency and the cost of a request."""

import argparse
import signal
import sys
import time
from pathlib import Path

import orjson

from app.embedded import EmbeddedError
from bench.check import CheckError
from bench.generator import GeneratorError
from bench.growth.database import Database
from bench.growth.ground import Ground, laid_out
from bench.growth.measure import by_connections, by_tokens, by_workers
from bench.growth.report import Report
from bench.machine import cores
from bench.rounds import Plan, RoundError
from bench.seed import SeedError
from bench.serving import ServingError

PARTS = ("tokens", "workers", "connections")

_OUT = Path(__file__).parents[1] / "out"
_SMALL, _MIDDLE = 10_000, 1_000_000
_EPILOG = """
examples, each behind make bench-growth BENCH="...":
  --tokens 20000000                              the whole of it: some 20 GB, and half an hour to fill
  --tokens 20000000 --data-dir /var/tmp/growth --fill-only
                                                 fill now, measure later with the same --data-dir
  --only connections --rounds 3                  a part
"""


def main() -> int:
    options = _read_arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        report = _measure(options)
    except (RoundError, CheckError, GeneratorError, ServingError, SeedError, EmbeddedError, OSError) as error:
        print(f"bench-growth: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("bench-growth: interrupted, everything is stopped", file=sys.stderr)
        return 128 + signal.SIGINT
    text = report.markdown()
    print(text)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "growth.md").write_text(text)
    (options.out / "growth.json").write_bytes(orjson.dumps(report.document(), option=orjson.OPT_INDENT_2))
    return 0 if report.met else 1


def _measure(options: argparse.Namespace) -> Report:
    plan = Plan(options.rounds, options.seconds, options.warm_up, options.connections)
    wanted = () if options.fill_only else options.only
    with laid_out(options.data_dir) as ground:
        databases = [_filled(ground, count) for count in _sizes(options.tokens)]
        report = Report(databases, options.workers)
        if wanted:
            ground.read_through(databases)
        if "tokens" in wanted:
            results, report.footprints = by_tokens(ground, databases, plan, options.workers)
            report.results += results
        middle = databases[min(1, len(databases) - 1)]
        if "workers" in wanted:
            report.results += by_workers(ground, middle, plan)
        if "connections" in wanted:
            report.results += by_connections(ground, middle, plan, options.workers)
    return report


def _filled(ground: Ground, count: int) -> Database:
    began = time.monotonic()

    def tell(what: str) -> None:
        print(f"{count:,} tokens, {time.monotonic() - began:.0f} s: {what}", file=sys.stderr, flush=True)

    return ground.database(count, tell)


def _sizes(most: int) -> list[int]:
    """Ten thousand, a million, and what was asked for."""
    return sorted({min(_SMALL, most), *([_MIDDLE] if most > _MIDDLE else []), most})


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make bench-growth",
        description=__doc__.partition(": ")[2],
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--tokens", type=_count, default=_MIDDLE, help="in the largest database (1000000)")
    add("--rounds", type=_count, default=5, help="of each comparison (5)")
    add("--seconds", type=float, default=3.0, help="that one contender is loaded in a round (3)")
    add("--warm-up", type=float, default=1.0, help="seconds before them that do not count (1)")
    add("--connections", type=_count, default=32, help="of the closed model, where not compared (32)")
    add("--workers", type=_count, default=max(2, cores() // 2), help="processes, where not compared")
    add("--only", nargs="+", choices=PARTS, default=PARTS, help="what to compare (all)")
    add("--data-dir", type=Path, help="keeps the filled databases there, and finds them again")
    add("--fill-only", action="store_true", help="fill, and measure nothing")
    add("--out", type=Path, default=_OUT, help="folder of the results (bench/out)")
    options = parser.parse_args()
    if options.fill_only and options.data_dir is None:
        parser.error("--fill-only needs a --data-dir, else it is all removed again")
    return options


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("1 or more")
    return number


if __name__ == "__main__":
    sys.exit(main())

"""`make bench-aemp`: what a page of a large fleet, a page of a long history and the writing of it cost."""

import argparse
import signal
import sys
from pathlib import Path

import orjson
import uvloop

from app.embedded import EmbeddedError
from app.storage.errors import StatementRefusedError, StoreUnavailableError
from bench.aemp.accounts import SMALL_MACHINES, count_steps
from bench.aemp.fill import read_size
from bench.aemp.ground import laid_out
from bench.aemp.ingest import measure_ingest
from bench.aemp.pages import WINDOW, measure_pages
from bench.aemp.plans import explain_pages
from bench.aemp.rendering import measure_rendering
from bench.aemp.report import Report
from bench.check import CheckError
from bench.generator import GeneratorError
from bench.machine import cores
from bench.rounds import Plan, RoundError
from bench.seed import SeedError
from bench.serving import ServingError

PARTS = ("pages", "plans", "rendering", "ingest")

_OUT = Path(__file__).parents[1] / "out"
_EPILOG = """
examples, each behind make bench-aemp BENCH="...":
  --gigabytes 1                                  a tenth of the history
  --data-dir /var/tmp/aemp --fill-only           fill now, measure later with the same --data-dir
  --only ingest --rounds 5                       a part
"""
_TOLD = (
    *(RoundError, CheckError, GeneratorError, ServingError, SeedError, EmbeddedError, OSError),
    *(StoreUnavailableError, StatementRefusedError),
)


def main() -> int:
    options = _read_arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        report = _measure(options)
    except _TOLD as error:
        print(f"bench-aemp: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("bench-aemp: interrupted, everything is stopped", file=sys.stderr)
        return 128 + signal.SIGINT
    text = report.markdown()
    print(text, end="")
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "aemp.md").write_text(text)
    (options.out / "aemp.json").write_bytes(orjson.dumps(report.document(), option=orjson.OPT_INDENT_2))
    return 0 if report.met else 1


def _measure(options: argparse.Namespace) -> Report:
    plan = Plan(options.rounds, options.seconds, options.warm_up, options.connections)
    wanted = () if options.fill_only else options.only
    with laid_out(options.data_dir, options.machines, options.gigabytes) as ground:
        report = Report(
            small=ground.accounts.small.fleet,
            large=ground.large,
            size=uvloop.run(read_size(ground.owner_url)),
            shared_buffers=ground.shared_buffers,
            workers=options.workers,
        )
        if "pages" in wanted:
            ground.read_through()
            report.pages = measure_pages(ground, plan, options.workers)
        if "plans" in wanted:
            report.plans = uvloop.run(explain_pages(ground))
        if "rendering" in wanted:
            report.renderings = uvloop.run(measure_rendering(ground))
        if "ingest" in wanted:  # last, since the fleet is told anew
            report.ingest = uvloop.run(measure_ingest(ground, options.rounds))
    return report


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make bench-aemp",
        description=__doc__.partition(": ")[2],
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--machines", type=_count, default=10_000, help="of the large fleet (10000)")
    add("--gigabytes", type=float, default=10.0, help="GiB of its readings, with their index (10)")
    add("--rounds", type=_count, default=3, help="of each comparison (3)")
    add("--seconds", type=float, default=4.0, help="that one contender is loaded in a round (4)")
    add("--warm-up", type=float, default=1.0, help="seconds before them that do not count (1)")
    add("--connections", type=_count, default=4, help="of the closed model (4)")
    add("--workers", type=_count, default=max(2, cores() // 2), help="processes of the service")
    add("--only", nargs="+", choices=PARTS, default=PARTS, help="what to measure (all)")
    add("--data-dir", type=Path, help="keeps the filled database there, and finds it again")
    add("--fill-only", action="store_true", help="fill, and measure nothing")
    add("--out", type=Path, default=_OUT, help="folder of the results (bench/out)")
    options = parser.parse_args()
    if options.fill_only and options.data_dir is None:
        parser.error("--fill-only needs a --data-dir, else it is all removed again")
    if options.machines < SMALL_MACHINES:
        parser.error(f"--machines: at least {SMALL_MACHINES}, a page of the fleet")
    if count_steps(options.machines, options.gigabytes) < WINDOW:
        parser.error(f"--gigabytes: too few for {WINDOW} readings of each metric, two pages of a series")
    return options


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("1 or more")
    return number


if __name__ == "__main__":
    sys.exit(main())

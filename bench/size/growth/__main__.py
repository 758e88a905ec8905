"""`make bench-growth`: what more tokens, workers and connections do to rate, latency and the cost of a request."""

import argparse
import sys
from functools import partial

from bench.ground import program
from bench.size.growth.ground import laid_out
from bench.size.growth.measure import by_connections, by_tokens, by_workers
from bench.size.growth.report import Report

PARTS = ("tokens", "workers", "connections")

_SMALL, _MIDDLE = 10_000, 1_000_000
_EPILOG = """
examples, each behind make bench-growth BENCH="...":
  --tokens 20000000                              the whole of it: 14 GB, and some ten minutes to fill
  --tokens 20000000 --data-dir /var/tmp/growth --fill-only
                                                 fill now, measure later with the same --data-dir
  --only connections --rounds 3                  a part
"""


def main() -> int:
    options = _read_arguments()
    return program.run("growth", options.out, partial(_measure, options))


def _measure(options: argparse.Namespace) -> program.Findings:
    plan = program.plan_of(options)
    wanted = () if options.fill_only else options.only
    with laid_out(options.data_dir) as ground:
        databases = [ground.tokens(count) for count in _sizes(options.tokens)]
        report = Report(databases, ground.shared_buffers, options.workers)
        for database in databases if wanted else ():
            ground.read_through(database.name, database.url)
        if "tokens" in wanted:
            results, report.footprints = by_tokens(
                ground, databases, plan, options.workers, options.exchanges
            )
            report.results += results
        middle = databases[min(1, len(databases) - 1)]
        if "workers" in wanted:
            report.results += by_workers(ground, middle, plan)
        if "connections" in wanted:
            report.results += by_connections(ground, middle, plan, options.workers)
    return program.Findings(report.markdown(), report.document(), report.met, report.rounds())


def _sizes(most: int) -> list[int]:
    """Ten thousand, a million, and what was asked for."""
    return sorted({min(_SMALL, most), *([_MIDDLE] if most > _MIDDLE else []), most})


def _read_arguments() -> argparse.Namespace:
    parser = program.make_parser("growth", __doc__, _EPILOG)
    add = parser.add_argument
    add("--tokens", type=program.count, default=_MIDDLE, help="in the largest database (1000000)")
    program.add_plan(
        parser,
        rounds=(5, "of each comparison"),
        seconds=(3, "that one contender is loaded in a round"),
        connections=(32, "of the closed model, where not compared"),
    )
    add("--workers", type=program.count, default=program.WORKERS, help="processes, where not compared")
    add("--exchanges", type=program.count, default=20_000, help="whose bytes are counted (20000)")
    add("--only", nargs="+", choices=PARTS, default=PARTS, help="what to compare (all)")
    program.add_filling(parser, "keeps the filled databases there, and finds them again")
    program.add_out(parser)
    options = parser.parse_args()
    program.check_filling(parser, options)
    return options


if __name__ == "__main__":
    sys.exit(main())

"""`make bench-aemp`: what a page of a large fleet, a page of a long history and the writing of it cost."""

import argparse
import sys
from dataclasses import replace
from functools import partial

import uvloop

from bench.ground import program
from bench.ground.service import Service
from bench.size.aemp.accounts import SMALL_MACHINES, count_steps
from bench.size.aemp.ground import laid_out
from bench.size.aemp.ingest import measure_ingest
from bench.size.aemp.pages import WINDOW, measure_pages
from bench.size.aemp.plans import explain_pages
from bench.size.aemp.rendering import measure_rendering
from bench.size.aemp.report import Report
from bench.size.aemp.shares import measure_shares
from bench.size.database import read_size

PARTS = ("pages", "shares", "plans", "rendering", "ingest")

_EPILOG = """
examples, each behind make bench-aemp BENCH="...":
  --gigabytes 1                                  a tenth of the history
  --data-dir /var/tmp/aemp --fill-only           fill now, measure later with the same --data-dir
  --only ingest --rounds 5                       a part
"""


def main() -> int:
    options = _read_arguments()
    return program.run("aemp", options.out, partial(_measure, options))


def _measure(options: argparse.Namespace) -> program.Findings:
    plan = program.plan_of(options)
    wanted = () if options.fill_only else options.only
    with laid_out(options.data_dir, options.machines, options.gigabytes) as ground:
        report = Report(
            small=ground.accounts.small.fleet,
            large=ground.large,
            size=uvloop.run(read_size(ground.owner_url, ["reading"])),
            shared_buffers=ground.shared_buffers,
            workers=options.workers,
        )
        if {"pages", "shares"} & {*wanted}:
            ground.read_through("both fleets", ground.owner_url)
            with ground.serving(_without_memory(ground.service), options.workers) as served:
                pages = measure_pages(ground, served, plan) if "pages" in wanted else []
                shares = measure_shares(ground, served, plan) if "shares" in wanted else []
            report.pages = [*pages, *shares]
        if "plans" in wanted:
            report.plans = uvloop.run(explain_pages(ground))
        if "rendering" in wanted:
            report.renderings = uvloop.run(measure_rendering(ground))
        if "ingest" in wanted:  # last, since the fleet is told anew
            report.ingest = uvloop.run(measure_ingest(ground, options.rounds))
    return program.Findings(report.markdown(), report.document(), report.met, report.rounds())


def _without_memory(service: Service) -> Service:
    """A page that is given again costs the same, however large its fleet is."""
    return replace(service, settings={**service.settings, "LIMIT_PAGE_MEMORY": "0"})


def _read_arguments() -> argparse.Namespace:
    parser = program.make_parser("aemp", __doc__, _EPILOG)
    add = parser.add_argument
    add("--machines", type=program.count, default=10_000, help="of the large fleet (10000)")
    add("--gigabytes", type=float, default=10.0, help="GiB of its readings, with their index (10)")
    program.add_plan(
        parser,
        rounds=(3, "of each comparison"),
        seconds=(4, "that one contender is loaded in a round"),
        connections=(4, "of the closed model"),
    )
    add("--workers", type=program.count, default=program.WORKERS, help="processes of the service")
    add("--only", nargs="+", choices=PARTS, default=PARTS, help="what to measure (all)")
    program.add_filling(parser, "keeps the filled database there, and finds it again")
    program.add_out(parser)
    options = parser.parse_args()
    program.check_filling(parser, options)
    if options.machines < SMALL_MACHINES:
        parser.error(f"--machines: at least {SMALL_MACHINES}, a page of the fleet")
    if count_steps(options.machines, options.gigabytes) < WINDOW:
        parser.error(f"--gigabytes: too few for {WINDOW} readings of each metric, two pages of a series")
    return options


if __name__ == "__main__":
    sys.exit(main())

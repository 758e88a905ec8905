"""`make bench-compare BASE=REVISION`: what a request costs in the working tree beside another revision, in short rounds."""

import argparse
import os
import sys
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from bench.compare.checkout import (
    ROOT,
    Checkout,
    CheckoutError,
    checked_out,
    copied,
    describe_tree,
    find_revision,
)
from bench.compare.interpreter import Interpreter, choose, equip
from bench.compare.measure import SCENARIOS, Ground, Plan, Round, measure_round, prepare
from bench.compare.pages import PAGES, Fleets, measure_pages, put_in, size_of
from bench.compare.report import Report, Result
from bench.compare.sides import confined, make_sides
from bench.compare.valkeys import KINDS, valkeys_of
from bench.ground import program
from bench.ground.installation import InstallationError
from bench.ground.serving import private_servers
from bench.load.machine import describe_machine, find_stores

_EPILOG = """
examples:
  make bench-compare BASE=main                                     what this branch costs
  make bench-compare BASE=HEAD                                     what is not committed yet
  make bench-compare BASE=HEAD~3 BENCH="--scenario introspect --rounds 40"
  make bench-compare BASE=HEAD BENCH="--valkey cluster --scenario code_exchange --bar 1.10"
  make bench-compare BASE=c69f94f BENCH="--scenario page_tenth page_whole"
  make bench-compare BASE=v0.1.0 BENCH="--bar 1.05 --python /usr/bin/python3"
"""


def main() -> int:
    options = _read_arguments()
    return program.run("compare", options.out, partial(_measure, options), CheckoutError, InstallationError)


def _measure(options: argparse.Namespace) -> program.Findings:
    if sys.platform != "linux":
        raise CheckoutError("it takes Linux to keep processes to their cores, and to read their clocks")
    revision, tree, machine = find_revision(ROOT, options.base), describe_tree(ROOT), describe_machine()
    cores = frozenset(os.sched_getaffinity(0))
    own = frozenset([min(cores)])
    rest = cores - own or own
    # Before the stores start, so that they keep to the same cores as the load.
    with confined(rest), private_servers("compare") as servers:
        own_files = copied(ROOT, servers.folder / "tree")
        with checked_out(ROOT, revision, servers.folder / "base") as base:
            interpreter, checkouts = _checkouts(options.python, {tree: own_files, revision.name: base})
            _tell(f"{tree} beside {revision.name}, on {interpreter.name}; preparing")
            stores, plan = find_stores(servers.embedded), Plan(options.seconds, options.connections)
            with valkeys_of(options.valkey, servers.folder / "valkeys") as valkeys:
                sides = make_sides(servers, *checkouts, valkeys=valkeys)
                plain = [name for name in options.scenario if name in SCENARIOS]
                pages = [name for name in options.scenario if name in PAGES]
                ground = prepare(sides, plain, stores, own, plan) if plain else None
                size = size_of(plan, options.fleets)
                fleets = put_in(sides, pages, stores, own, size) if pages else None
                rounds = _rounds(ground, fleets, options.rounds)
    sizes = {**(ground.sizes if ground else {}), **dict.fromkeys(pages, size)}
    results = [
        Result(name, each, [done for done in rounds if done.scenario == name], options.bar or _bar(name))
        for name, each in sizes.items()
    ]
    pinned = "services on one core, load and stores on the rest" if rest != own else "all on the only core"
    names = (
        (f"{tree} over {options.valkey}", f"{revision.name} over one Valkey")
        if options.valkey
        else (tree, revision.name)
    )
    report = Report(machine, interpreter.name, pinned, *names, results)
    return program.Findings(report.markdown(), report.document(), report.met, report.rounds())


def _checkouts(named: Path | None, folders: Mapping[str, Path]) -> tuple[Interpreter, list[Checkout]]:
    """Choose an interpreter, and give each folder the packages that it pins. folders: by the names of their revisions."""
    locks = {name: (folder / "requirements.txt").read_bytes() for name, folder in folders.items()}
    interpreter = choose(named, set(locks.values()))
    return interpreter, [
        Checkout(name, folder, equip(interpreter, locks[name])) for name, folder in folders.items()
    ]


def _bar(name: str) -> float:
    return SCENARIOS[name].bar if name in SCENARIOS else PAGES[name].bar


def _rounds(ground: Ground | None, fleets: Fleets | None, count: int) -> list[Round]:
    rounds: list[Round] = []
    began = time.monotonic()
    for number in range(count):
        done = measure_round(ground, number) if ground else []
        done += measure_pages(fleets, number) if fleets else []
        rounds += done
        left_s = (time.monotonic() - began) / (number + 1) * (count - number - 1)
        seen = ", ".join(f"{each.scenario} {each.ratio:.3f}" for each in done)
        elsewhere = max(each.elsewhere for each in done)
        _tell(f"round {number + 1} of {count}: {seen}; elsewhere {elsewhere:.0%}; {left_s:.0f} s left")
    return rounds


def _tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def _read_arguments() -> argparse.Namespace:
    parser = program.make_parser("compare BASE=REVISION", __doc__, _EPILOG)
    add = parser.add_argument
    add("--base", required=True, metavar="REVISION", help="the other revision, whatever git knows it by")
    add("--rounds", type=program.count, default=20, help="six or more give an interval (20)")
    add("--seconds", type=program.positive, default=1.0, help="of processor time of each in a round (1)")
    add("--connections", type=program.count, default=16, help="that are busy at once (16)")
    add(
        "--scenario",
        nargs="+",
        choices=(*SCENARIOS, *PAGES),
        default=list(SCENARIOS),
        help="what is asked (all but pages)",
    )
    add("--fleets", type=program.count, default=20, help="whose pages are asked for, one a burst (20)")
    add(
        "--bar",
        type=program.positive,
        help="up to where the interval may reach (1.02; for pages the one of each, which is meant for BASE=c69f94f)",
    )
    add(
        "--valkey",
        choices=KINDS,
        help="what the working tree's codes are in; the base's are then in one Valkey by TCP",
    )
    add("--python", type=Path, metavar="PATH", help="to run both on; that of a virtual environment as it is")
    program.add_out(parser)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

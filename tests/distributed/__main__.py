"""`make check-distributed`: the service on Citus, from the programs in CITUS_BIN; then what that costs."""

import argparse
import asyncio
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from bench.load.machine import describe_machine
from tests.distributed.faults import FAULTS, run_faults
from tests.distributed.measure import measure
from tests.distributed.nodes import NoCitusError, citus_programs, versions
from tests.distributed.protocol import run_protocol
from tests.distributed.report import (
    BAR,
    JUDGED,
    costs_of,
    faults_of,
    is_met,
    keep,
    table_of_costs,
    table_of_faults,
)
from tests.faults.judge import NoJudgeError, porcupine
from tests.faults.schedule import Plan, Result
from tests.support.server import ROOT

FAILED, NOT_SHOWN = 1, 3  # 2 is argparse's
OUT = Path(__file__).with_name("out")
PARTS = ("distribution", "protocol", "faults", "measure")


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when all is as it should be; 3 where there is no Citus to run."""
    options = _read_arguments(arguments)
    try:
        programs = citus_programs()
    except NoCitusError as error:
        _say(f"not shown: the service on several PostgreSQL servers: {error}")
        return NOT_SHOWN
    _say(f"{versions(programs)}, from {programs}")
    options.out.mkdir(parents=True, exist_ok=True)
    wanted = options.only or PARTS
    parts: dict[str, Callable[[], bool]] = {
        "distribution": _distribution,
        "protocol": lambda: _protocol(programs, options.out),
        "faults": lambda: _faults(programs, options),
        "measure": lambda: _measure(programs, options),
    }
    results = [parts[name]() for name in PARTS if name in wanted]
    return 0 if all(results) else FAILED


def _distribution() -> bool:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/distributed"]
    done = subprocess.run(command, cwd=ROOT, check=False)
    return _told(
        "distribution", good=done.returncode == 0, found="of a schema with rows, killed and taken up"
    )


def _protocol(programs: Path, out: Path) -> bool:
    code, line = run_protocol(programs, out / "protocol.txt")
    return _told("protocol", good=code == 0, found=f"{line} (the whole of it: {out / 'protocol.txt'})")


def _faults(programs: Path, options: argparse.Namespace) -> bool:
    """Every fault is struck until so many operations of each are judged, and none of them broke a promise."""
    try:
        judge = porcupine()
    except NoJudgeError as error:
        judge = None
        _say(f"not judged by Porcupine: {error}. The rules in Python judge alone")
    results = asyncio.run(_struck(programs, options, judge))
    found_of_all = faults_of(results)
    setup = (
        f"### Faults under load\n\nA coordinator and two workers, 32 shards, two instances of the service with two processes each. "
        f"Lives of codes, {options.at_once} at once, in schedules of {options.seconds:g} s, until each fault met "
        f"{options.operations:,} operations."
    )
    about = [describe_machine(), versions(programs), setup]
    keep(options.out, "citus_faults", about, table_of_faults(found_of_all), {"results": found_of_all})
    good = []
    for fault in FAULTS:
        mine = [each for each in results if each.fault is fault]
        operations = sum(len(each.journal.operations) for each in mine)
        wrong = [line for each in mine for line in (*each.violations, *each.undecided)]
        found = (
            f"{operations:,} operations in {len(mine)} schedules, {len(wrong)} violations, struck "
            f"{sum(each.bites for each in mine)} times, ready again after {max((each.back_s for each in mine), default=0):.1f} s, "
            f"judged by {' and '.join(_judges(mine))}"
        )
        enough = operations >= options.operations and all(each.bit for each in mine)
        good.append(_told(fault.name, good=enough and not wrong, found=found))
        for line in wrong:
            _say(f"  {line}")
    return all(good)


async def _struck(programs: Path, options: argparse.Namespace, judge: Path | None) -> list[Result]:
    """Run schedules until enough operations are judged, and tell of each. The journal of one with violations is kept."""
    plan = Plan(options.seconds, options.at_once)
    struck = run_faults(programs, options.out, plan, judge, seed=options.seed, operations=options.operations)
    results = []
    async for each in struck:
        results.append(each)
        done = f"{len(each.journal.operations):,} operations, {len(each.violations)} violations, {each.seconds:.0f} s"
        _say(f"  {each.fault.name}, seed {each.seed}: {done}")
        if each.violations:
            each.journal.write(options.out / f"{each.fault.name.replace(' ', '-')}.{each.seed}.jsonl")
    return results


def _judges(results: Sequence[Result]) -> list[str]:
    return sorted({verdict.judge for each in results for verdict in each.verdicts}) or ["nobody"]


def _measure(programs: Path, options: argparse.Namespace) -> bool:
    """Whether an exchange on one node costs no more than the bar. The figures are kept either way."""
    costs = asyncio.run(
        measure(programs, bursts=options.bursts, requests=options.requests, connections=options.connections)
    )
    results = costs_of(costs)
    setup = (
        "### Code exchange, Citus beside plain PostgreSQL\n\nProcessor time an exchange, by accounts of the kernel that count in steps of 10 ms. 32 shards on one node, "
        f"and on two workers beside their coordinator; one process of the service. {options.bursts} bursts of "
        f"{options.requests} exchanges of each side in turn, over {options.connections} connections that are all busy."
    )
    good = is_met(results)
    verdict = f"On one node at most {BAR:g} of plain: {'met' if good else 'NOT MET'}."
    table = table_of_costs(results)
    about = [describe_machine(), versions(programs), setup, verdict]
    keep(options.out, "citus", about, table, {"results": results, "bar": BAR, "met": good})
    _say(table)
    ratio = next(each["of_plain"] for each in results if each["name"] == JUDGED)
    return _told("cost", good=good, found=f"{ratio:.2f} on one node, with a bar of {BAR}")


def _told(name: str, *, good: bool, found: str) -> bool:
    _say(f"{'ok' if good else 'FAILED'}  {name}: {found}")
    return good


def _say(line: str) -> None:
    Console(stderr=True, highlight=False, soft_wrap=True).print(line, markup=False)


def _read_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.distributed",
        description=__doc__,
        epilog='Example: make check-distributed CITUS_BIN=/usr/lib/postgresql/18/bin DISTRIBUTED="--only faults --operations 5000"',
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, help="these parts; all of them by default")
    parser.add_argument("--seed", type=int, default=1, help="of the faults (default: 1)")
    parser.add_argument(
        "--operations", type=int, default=50_000, help="of each fault, at least (default: 50000)"
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="of load in each schedule (default: 60)")
    parser.add_argument("--at-once", type=int, default=48, help="lives of codes at once (default: 48)")
    parser.add_argument("--bursts", type=int, default=12, help="of each side that is measured (default: 12)")
    parser.add_argument("--requests", type=int, default=200, help="of each burst (default: 200)")
    parser.add_argument("--connections", type=int, default=32, help="that are busy at once (default: 32)")
    parser.add_argument(
        "--out", type=Path, default=OUT, help="folder for what was found (default: %(default)s)"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())

"""`make conformance`: the protocol's tests at depth, then a fault for each group of items, which they must notice."""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.conformance.citations import ROOT, Citation, find_citations
from tests.conformance.plant import FAULTS, Fault, FaultError, Outcome, judge, read_faults

_FAILED, _UNUSABLE = 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when every test is green and every fault was noticed."""
    options = _read_arguments(arguments)
    citations = find_citations("O")
    deep = 0 if options.faults_only else _run_at_depth(options, citations)
    try:
        faults = [fault for fault in read_faults(options.faults) if _wanted(fault, options.only)]
        outcomes = [] if options.tests_only else list(_plant(faults, citations, options.jobs))
    except FaultError as error:
        print(f"conformance: {error}", file=sys.stderr)
        return _UNUSABLE
    except KeyboardInterrupt:
        print("conformance: interrupted, everything is stopped", file=sys.stderr)
        return 128 + signal.SIGINT
    unnoticed = [each for each in outcomes if not each.red]
    if outcomes:
        _print_table(sorted(outcomes, key=lambda each: faults.index(each.fault)))
    if not options.faults_only:
        print(f"tests at depth: {'green' if deep == 0 else 'RED'}")
    if not options.tests_only:
        items = {item for each in outcomes for item in each.fault.items}
        print(f"faults: {len(outcomes)} for {len(items)} items, {len(unnoticed)} unnoticed")
    return _FAILED if deep or unnoticed else 0


def _run_at_depth(options: argparse.Namespace, citations: Sequence[Citation]) -> int:
    """Exit status of the files that cite anything, with many more examples and rounds than the suite has time for."""
    files = sorted({each.file for each in citations})
    depth = {"CONFORMANCE_DEPTH": str(options.depth), "CONFORMANCE_ROUNDS": str(options.rounds)}
    command = ["-q", "-n", str(options.jobs), "--dist", "loadfile", "--timeout", "1800", *files]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *command], cwd=ROOT, env={**os.environ, **depth}, check=False
    ).returncode


def _plant(faults: Sequence[Fault], citations: Sequence[Citation], jobs: int) -> Iterator[Outcome]:
    pool = ThreadPoolExecutor(jobs)
    try:
        judged = [pool.submit(judge, fault, citations) for fault in faults]
        done, console = as_completed(judged), Console(stderr=True)
        for each in track(done, "planting faults", total=len(judged), console=console, transient=True):
            yield each.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _wanted(fault: Fault, only: Sequence[str]) -> bool:
    """Whether a fault is wanted, by the number of an item or a part of its name."""
    return not only or any(
        word.removeprefix("O-") in map(str, fault.items) or word in fault.name for word in only
    )


def _print_table(outcomes: Sequence[Outcome]) -> None:
    table = Table("fault", "items", "noticed by", "s", box=None, header_style="bold")
    for each in outcomes:
        noticed = each.red.partition("::")[2].partition(" - ")[0] or f"NOBODY {each.trouble}".strip()
        items = " ".join(f"O-{item}" for item in each.fault.items)
        table.add_row(each.fault.name, items, noticed.partition("[")[0], f"{each.seconds:.0f}")
    Console(width=None if sys.stdout.isatty() else 200).print(table, markup=False)


def _read_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    add = parser.add_argument
    add("--depth", type=int, default=20, help="times as many examples of each property (20)")
    add("--rounds", type=int, default=200, help="of each race (200)")
    add("--jobs", type=int, default=os.cpu_count() or 1, help="at once (as many as there are cores)")
    add(
        "--only",
        nargs="+",
        default=(),
        help="faults of these items (O-28) or with these words in their names",
    )
    add("--faults", type=Path, default=FAULTS, help="file of the faults (tests/conformance/faults.txt)")
    parts = parser.add_mutually_exclusive_group()
    parts.add_argument("--tests-only", action="store_true", help="plant nothing")
    parts.add_argument("--faults-only", action="store_true", help="do not run the tests at depth first")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())

"""`make check-faults`: seeded schedules of faults under a journalled workload, judged; then bugs that the judge must find."""

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uvloop
from rich.console import Console

from bench.ground.installation import InstallationError
from tests.faults.fault import Fault
from tests.faults.ground import laid_out
from tests.faults.journal import Journal
from tests.faults.judge import NoJudgeError, porcupine
from tests.faults.kept import keep
from tests.faults.planted import PLANTED, plant, table_of_planted
from tests.faults.report import lines_of, summary_of, table_of
from tests.faults.schedule import FAULTS, Plan, Result, run_schedule, wanted

OUT = Path(__file__).with_name("out")
FAILED, NOT_JUDGED = 1, 3  # 2 is argparse's

_SUMMARY = "faults.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when nothing broke a promise, every fault bit and every planted bug was found; 3 where Porcupine is missing."""
    options = _read_arguments(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    options.out.mkdir(parents=True, exist_ok=True)
    program = None
    try:
        program = porcupine()
    except NoJudgeError as error:
        _say(f"not judged by Porcupine: {error}. The rules in Python judge alone")
    except InstallationError as error:
        _say(str(error))
        return FAILED
    try:
        results, planted = uvloop.run(_run(options, program))
    except KeyboardInterrupt:
        _say("interrupted, everything is stopped")
        return 128 + signal.SIGINT
    status = conclude(options.out, program, results, planted)
    if options.write:
        keep(json.loads((options.out / _SUMMARY).read_text()), len(FAULTS))
        _say("written: tests/faults/last.json, and its part of docs/guarantees.md")
    return status


async def _run(
    options: argparse.Namespace, program: Path | None
) -> tuple[list[Result], list[dict[str, Any]]]:
    plan = Plan(options.seconds, options.at_once)
    faults = [] if options.planted_only else wanted(options.only)
    seeds = range(options.seed, options.seed + options.rounds)
    results = await _run_schedules(
        [(fault, seed) for seed in seeds for fault in faults], options, plan, program
    )
    bugs = [] if options.schedules_only or program is None else PLANTED
    bugs = [each for each in bugs if not options.bugs or any(word in each.name for word in options.bugs)]
    planted = []
    for bug in bugs:
        planted.append(await plant(bug, options.seed, plan, program))
        _say(f"planted: {bug.name}: {planted[-1]['found'] or 'NOT FOUND'}")
    return results, planted


async def _run_schedules(
    schedules: Sequence[tuple[Fault, int]], options: argparse.Namespace, plan: Plan, program: Path | None
) -> list[Result]:
    """All on one ground, and on a new one after a fault from which the service did not come back."""
    results: list[Result] = []
    while len(results) < len(schedules):
        async with laid_out(logs=options.out) as ground:
            for fault, seed in schedules[len(results) :]:
                result = await run_schedule(ground, fault, seed, plan, program)
                _tell(result, len(results) + 1, len(schedules))
                if result.violations:
                    result.journal.write(options.out / f"{fault.name.replace(' ', '-')}.{seed}.jsonl")
                results.append(_slimmed(result))
                if result.broken:
                    break
    return results


def conclude(
    out: Path, program: Path | None, results: Sequence[Result], planted: Sequence[dict[str, Any]]
) -> int:
    """Print the table, write faults.json into the folder, and say what is wrong; the exit status."""
    summary = {"judged_by_porcupine": program is not None, **summary_of(results, planted)}
    (out / _SUMMARY).write_text(json.dumps(summary, indent=1) + "\n")
    console = Console(width=None if sys.stdout.isatty() else 200)
    if results:
        console.print(table_of(results), markup=False)
    if planted:
        console.print(table_of_planted(planted), markup=False)
    lines = [line for each in results for line in lines_of(each)]
    for line in lines:
        _say(line)
    unfound = [each["name"] for each in planted if not each["found"]]
    _say(
        f"{summary['operations']:,} operations in {summary['schedules']} schedules, {summary['violations']} violations, "
        f"slowest answer {summary['slowest_s']:.1f} s; {len(planted)} planted bugs, {len(unfound)} not found"
    )
    if lines or unfound:
        return FAILED
    if program is None:
        _say("not judged: which order of operations explains what callers saw, and the planted bugs")
        return NOT_JUDGED
    return 0


def _slimmed(result: Result) -> Result:
    """A schedule's summary needs figures of its operations alone, and there are many schedules."""
    for each in result.journal.operations:
        each.subject, each.gave, each.life = "", (), ""
    result.journal = Journal(result.journal.operations, result.journal.faults)
    return result


def _tell(result: Result, number: int, total: int) -> None:
    if result.not_shown:
        _say(f"{number} of {total}: {result.fault.name}: not shown: {result.not_shown}")
        return
    _say(
        f"{number} of {total}: {result.fault.name}, seed {result.seed}: {len(result.journal.operations):,} operations, "
        f"{result.fault.bites}: {result.bites}, {len(result.violations)} violations, {result.seconds:.0f} s"
    )


def _say(line: str) -> None:
    sys.stderr.write(f"faults: {line}\n")
    sys.stderr.flush()


def _read_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make check-faults",
        description=__doc__,
        epilog="""for example: make check-faults FAULTS="--only 'Valkey set back' --seed 3 --schedules-only\"""",
    )
    add = parser.add_argument
    add("--seed", type=int, default=1, help="of the first round of schedules (1)")
    add("--rounds", type=int, default=1, help="of all schedules, each with the next seed (1)")
    add(
        "--seconds",
        type=float,
        default=8.0,
        help="of load beside the strikes, for each schedule (8)",
    )
    add("--at-once", type=int, default=48, help="lives under way (48)")
    add("--only", nargs="+", default=(), help="faults with these words in their names")
    add("--bugs", nargs="+", default=(), help="planted bugs with these words in their names")
    add("--out", type=Path, default=OUT, help="folder of the summary, and of journals with violations")
    add("--write", action="store_true", help="keep the result: tests/faults/last.json and docs/guarantees.md")
    parts = parser.add_mutually_exclusive_group()
    parts.add_argument("--schedules-only", action="store_true", help="plant nothing")
    parts.add_argument("--planted-only", action="store_true", help="run no schedule of the true service")
    options = parser.parse_args(arguments)
    for word in options.only:
        if not wanted([word]):
            parser.error(f"no fault has {word!r} in its name")
    return options


if __name__ == "__main__":
    sys.exit(main())

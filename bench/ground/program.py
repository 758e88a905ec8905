"""The programs of the load tests share options of a plan, a clean end, a report in two files, and the exit status."""

import argparse
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

import orjson

from app.embedded import EmbeddedError
from app.settings import SettingsError
from app.storage.errors import StatementRefusedError, StoreUnavailableError
from app.storage.schema.migrations import MigrationError
from bench.ground.lines import in_lines
from bench.ground.serving import ServingError
from bench.load.check import CheckError
from bench.load.generator import GeneratorError
from bench.load.machine import cores
from bench.load.rounds import Plan, RoundError

WORKERS = max(2, cores() // 2)
OUT = Path(__file__).parents[1] / "out"

_BROKEN = 2  # argparse's own status too
_TOLD: tuple[type[Exception], ...] = (
    *(RoundError, CheckError, GeneratorError, ServingError),
    *(EmbeddedError, SettingsError, MigrationError, StoreUnavailableError, StatementRefusedError, OSError),
)


@dataclass(frozen=True, slots=True)
class Findings:
    """The result of a run. markdown: for people. document: medians, for programs. met: every bar. rounds: all of it."""

    markdown: str
    document: Mapping[str, Any]
    met: bool
    rounds: Mapping[str, Any] = field(default_factory=dict)


def run(name: str, out: Path, measure: Callable[[], Findings], *told: type[Exception]) -> int:
    """Exit status of a program that prints its findings, and keeps them as NAME.md, NAME.json and NAME.rounds.json.

    told: as in `end_well`.
    """

    def work() -> int:
        out.mkdir(parents=True, exist_ok=True)
        findings = measure()
        print(findings.markdown, end="")
        (out / f"{name}.md").write_text(findings.markdown)
        (out / f"{name}.json").write_text(in_lines(findings.document))
        if findings.rounds:
            (out / f"{name}.rounds.json").write_bytes(orjson.dumps(findings.rounds))
        return 0 if findings.met else 1

    return end_well(f"bench-{name}", work, *told)


def end_well(name: str, work: Callable[[], int], *told: type[Exception], broken: int = _BROKEN) -> int:
    """Exit status. told: what else is a line on stderr and no traceback."""
    # Ends like Ctrl-C: everything that was started is stopped on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        return work()
    except (*_TOLD, *told) as error:
        print(f"{name}: {error}", file=sys.stderr)
        return broken
    except KeyboardInterrupt:
        print(f"{name}: interrupted, everything is stopped", file=sys.stderr)
        return 128 + signal.SIGINT


def make_parser(name: str, about: str | None, epilog: str) -> argparse.ArgumentParser:
    """about: the program's docstring, which begins with its name. epilog: examples, line by line."""
    return argparse.ArgumentParser(
        prog=f"make bench-{name}",
        description=(about or "").partition(": ")[2],
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_plan(
    parser: argparse.ArgumentParser,
    *,
    rounds: tuple[int, str],
    seconds: tuple[float, str],
    connections: tuple[int, str],
) -> None:
    """Each option's default, and what the program says about it."""
    add = parser.add_argument
    add("--rounds", type=count, default=rounds[0], help=f"{rounds[1]} ({rounds[0]})")
    add("--seconds", type=positive, default=seconds[0], help=f"{seconds[1]} ({seconds[0]:g})")
    add("--warm-up", type=float, default=1.0, help="seconds before them that do not count (1)")
    add("--connections", type=count, default=connections[0], help=f"{connections[1]} ({connections[0]})")


def plan_of(options: argparse.Namespace) -> Plan:
    return Plan(options.rounds, options.seconds, options.warm_up, options.connections)


def add_filling(parser: argparse.ArgumentParser, keeps: str) -> None:
    """Add the options to fill once and measure later. keeps: what --data-dir does."""
    parser.add_argument("--data-dir", type=Path, help=keeps)
    parser.add_argument("--fill-only", action="store_true", help="fill, and measure nothing")


def check_filling(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    if options.fill_only and options.data_dir is None:
        parser.error("--fill-only needs a --data-dir, else it is all removed again")


def add_out(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the results (bench/out)")


def count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("1 or more")
    return number


def positive(text: str) -> float:
    number = float(text)
    if not isfinite(number) or number <= 0:
        raise argparse.ArgumentTypeError("more than 0")
    return number

"""What a soak found: tables for people, a document for programs, and a bar while it runs."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from bench.load.machine import describe_machine
from tests.soak.comparison import Tally
from tests.soak.resources import GROWTH, Resource
from tests.soak.run import Findings

_TOLD_EVERY_S = 30.0


def print_findings(findings: Findings, console: Console) -> None:
    plan, tally = findings.plan, findings.tally
    resources = Table("held by", "what", "middle third", "last third", "at most", "", box=None)
    for each in findings.resources:
        verdict = ("flat" if each.is_flat else "GROWS") if plan.is_long else "not judged"
        figures = (f"{value:,.1f}" for value in (each.middle, each.last, each.bound))
        resources.add_row(each.name, each.unit, *figures, verdict)
    work = Table("meanwhile", "", box=None)
    for name, count in sorted(findings.done.items()):
        work.add_row(name, f"{count:,}")
    samples = Table("samples", "equal", box=None)
    for name, count in sorted(tally.compared.items()):
        samples.add_row(name, f"{count:,}")
    for table in (samples, work, resources):
        console.print(table, markup=False)
    for line in (*tally.different, *_summary(findings)):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _summary(findings: Findings) -> Iterator[str]:
    tally, plan = findings.tally, findings.plan
    statuses = ", ".join(f"{status} ({count:,})" for status, count in sorted(tally.statuses.items()))
    yield f"samples: {tally.compared.total():,} equal, of at least {findings.samples_due:,}: {statuses}"
    yield f"samples that something changed meanwhile, not compared: {tally.unsettled:,}"
    yield f"samples that differ: {tally.differences:,}"
    if plan.is_long:
        yield f"what grows by more than {GROWTH:.2f} and its constant: {len(findings.growing)}"
    yield "met" if findings.met else "NOT MET"


def document(findings: Findings) -> dict[str, Any]:
    plan, tally = findings.plan, findings.tally
    return {
        "machine": describe_machine(),
        "plan": {"seconds": plan.seconds, "machines": [*plan.machines], "seed": plan.seed},
        "samples": {
            "compared": tally.compared.total(),
            "by_kind": dict(sorted(tally.compared.items())),
            "by_status": {str(status): count for status, count in sorted(tally.statuses.items())},
            "unsettled": tally.unsettled,
            "differences": tally.differences,
            "different": tally.different,
        },
        "work": dict(sorted(findings.done.items())),
        "resources": [_resource(each) for each in findings.resources],
        "judged": plan.is_long,
        "met": findings.met,
    }


def _resource(each: Resource) -> dict[str, Any]:
    return {
        "name": each.name,
        "unit": each.unit,
        "middle": round(each.middle, 2),
        "last": round(each.last, 2),
        "most": round(each.bound, 2),
        "flat": each.is_flat,
        "readings": [round(reading, 2) for reading in each.readings],
    }


@contextmanager
def progressing(seconds: float) -> Iterator[Callable[[float, Tally], None]]:
    """A bar where somebody watches, else a line now and then."""
    console = Console(stderr=True)
    told = time.monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("soaking", total=seconds)

        def tell(over_s: float, tally: Tally) -> None:
            nonlocal told
            said = f"{tally.compared.total():,} samples equal, {tally.differences:,} not"
            progress.update(task, completed=over_s, description=f"soaking: {said}")
            if not console.is_terminal and time.monotonic() - told > _TOLD_EVERY_S:
                told = time.monotonic()
                console.print(f"{over_s:.0f} of {seconds:.0f} s: {said}", highlight=False, markup=False)

        yield tell

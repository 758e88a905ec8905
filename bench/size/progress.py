"""The progress of a long piece of work: a bar where somebody watches, else a line now and then."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_console = Console(stderr=True)
_TOLD_EVERY_S = 10.0


@contextmanager
def progressing(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """The function is told how much was done since it was last called."""
    began = told = time.monotonic()
    done = 0
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=_console, transient=True, disable=not _console.is_terminal) as progress:
        task = progress.add_task(what, total=total)

        def advance(count: int) -> None:
            nonlocal told, done
            done += count
            progress.update(task, advance=count)
            if not _console.is_terminal and time.monotonic() - told > _TOLD_EVERY_S:
                told = time.monotonic()
                _say(f"{what}: {done:,} of {total:,}, {done / (told - began):,.0f} a second")

        yield advance
    took_s = time.monotonic() - began
    _say(f"{what}: {done:,} in {took_s:.1f} s")


def _say(line: str) -> None:
    _console.print(line, highlight=False, markup=False, soft_wrap=True)

"""Tests that judge by the clock run alone: meanwhile the other workers of the run wait."""

from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_SH, LOCK_UN, flock
from pathlib import Path


@contextmanager
def turn(folder: Path, *, alone: bool) -> Iterator[None]:
    """Wait for a turn among the workers that share a folder: with others, or with nobody beside it."""
    with (folder / "gate.lock").open("w") as gate, (folder / "running.lock").open("w") as running:
        flock(gate, LOCK_EX)  # who waits to be alone holds it, so that nobody new begins
        flock(running, LOCK_EX if alone else LOCK_SH)
        if not alone:
            flock(gate, LOCK_UN)
        yield

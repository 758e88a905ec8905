"""Tests that judge by the clock run alone: meanwhile the other workers of the run wait."""

from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, LOCK_UN, flock
from pathlib import Path


class Turns:
    """The turns of one worker, among those that share a folder. waits: else a turn that is not free is an error.

    They are locks of the kernel on two files, so a worker that is killed has given up its turn.
    """

    def __init__(self, folder: Path, *, waits: bool = True) -> None:
        self._gate = (folder / "gate.lock").open("w")
        self._running = (folder / "running.lock").open("w")
        self._at_once = 0 if waits else LOCK_NB
        self._alone = False

    def take(self, *, alone: bool) -> None:
        """Wait for a turn: with others, or with nobody beside it. One that runs alone may share that of the one before it.

        Raises BlockingIOError when the turn is not free and this worker does not wait.
        """
        if self._alone and alone:
            return
        flock(
            self._gate, LOCK_EX | self._at_once
        )  # who waits to be alone holds it, so that nobody new begins
        flock(self._running, (LOCK_EX if alone else LOCK_SH) | self._at_once)
        if not alone:
            flock(self._gate, LOCK_UN)
        self._alone = alone

    def give(self) -> None:
        flock(self._running, LOCK_UN)
        flock(self._gate, LOCK_UN)
        self._alone = False

    def close(self) -> None:
        """Give up whatever turn there is."""
        self._gate.close()
        self._running.close()
        self._alone = False

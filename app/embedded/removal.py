"""Deleting a data directory's servers for good, also what lies outside it."""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from app.embedded.errors import EmbeddedError
from app.embedded.folders import Folders, Record, run_folder
from app.embedded.home import lock_home
from app.embedded.locks import EXCLUSIVE, try_lock

_STOP_S = 10.0
_POLL_S = 0.05


def remove(data_dir: Path, *, patience_s: float = _STOP_S) -> tuple[Path, ...]:
    """Delete the servers of `data_dir` and all they store, and return the folders that are gone.

    patience_s: how long the last holder may take to leave. Raises EmbeddedError when somebody still holds them then.
    """
    folders = Folders(data_dir.resolve())
    if not folders.private.exists():
        return ()
    deadline = time.monotonic() + patience_s
    held = [_wait_for_the_keepers_end(folders, deadline)]
    try:
        removed = [folder for folder in _outlying(folders) if folder.exists()]
        held.extend(_wait_until_unused(folder, deadline) for folder in removed)
        for folder in (*removed, folders.private):  # the record last: it names the others
            if folder.exists():  # else it lay in one that is gone
                shutil.rmtree(folder)
    finally:
        for lock_fd in held:
            os.close(lock_fd)
    return (*removed, folders.private)


def _outlying(folders: Folders) -> Iterator[Path]:
    """The folders that the record names, and what an interrupted start left beside the servers' home."""
    record = Record.load(folders)
    if record is None:
        return
    run, home = run_folder(folders, record), record.home(folders)
    if run is not None:
        yield run
    yield home
    for ending in (".new", ".software"):
        yield home.with_name(home.name + ending)


def _wait_until_unused(folder: Path, deadline: float) -> int:
    """Take the lock that the keeper of a copy of this data directory would hold."""
    while True:
        try:
            return lock_home(folder)
        except EmbeddedError:
            if time.monotonic() > deadline:
                raise
        time.sleep(_POLL_S)


def _wait_for_the_keepers_end(folders: Folders, deadline: float) -> int:
    """Take the keeper's lock, which is free soon after the last holder left, and never while one is there."""
    while (keeper_fd := try_lock(folders.keeper_lock, EXCLUSIVE)) is None:
        if time.monotonic() > deadline:
            raise EmbeddedError(f"the servers of {folders.data_dir} are in use: stop the service first")
        time.sleep(_POLL_S)
    return keeper_fd

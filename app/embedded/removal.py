"""Deleting a data directory's servers for good, also what lies outside it."""

import os
import shutil
import time
from pathlib import Path

from app.embedded.errors import EmbeddedError
from app.embedded.folders import Folders, Record, run_folder
from app.embedded.locks import EXCLUSIVE, try_lock

_STOP_S = 10.0
_POLL_S = 0.05


def remove(data_dir: Path, *, patience_s: float = _STOP_S) -> None:
    """Delete the servers of `data_dir` and all they store.

    patience_s: how long the last holder may take to leave. Raises EmbeddedError when somebody still holds them then.
    """
    folders = Folders(data_dir.resolve())
    if not folders.private.exists():
        return
    keeper_fd = _wait_for_the_keepers_end(folders, patience_s)
    try:
        record = Record.load(folders)
        if record is not None:
            for folder in (run_folder(folders, record), record.home(folders)):
                if folder is not None and folder.exists():
                    shutil.rmtree(folder)
        shutil.rmtree(folders.private)
    finally:
        os.close(keeper_fd)


def _wait_for_the_keepers_end(folders: Folders, patience_s: float) -> int:
    """Take the keeper's lock, which is free soon after the last holder left, and never while one is there."""
    deadline = time.monotonic() + patience_s
    while (keeper_fd := try_lock(folders.keeper_lock, EXCLUSIVE)) is None:
        if time.monotonic() > deadline:
            raise EmbeddedError(f"the servers of {folders.data_dir} are in use: stop the service first")
        time.sleep(_POLL_S)
    return keeper_fd

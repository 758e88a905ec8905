"""Holding a data directory's private servers: attach, keep them alive, let go."""

import logging
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from app.embedded import postgres, valkey
from app.embedded.errors import EmbeddedError
from app.embedded.folders import Folders, Record, run_folder
from app.embedded.locks import EXCLUSIVE, SHARED, try_lock

_LOG = logging.getLogger(__name__)

_START_S = 60.0
_POLL_S = 0.025
_WATCH_S = 0.25
_RETRY_S = 2.0
_CODE_ROOT = Path(__file__).parents[2]


class Hold:
    """A share in the holders' lock, and a thread that replaces a keeper that died."""

    def __init__(self, folders: Folders, lock_fd: int) -> None:
        self._folders = folders
        self._lock_fd = lock_fd
        self._releasing = threading.Lock()
        self._released = threading.Event()
        threading.Thread(target=self._watch, name="embedded servers", daemon=True).start()

    def release(self) -> None:
        with self._releasing:
            if not self._released.is_set():
                self._released.set()
                os.close(self._lock_fd)

    def _watch(self) -> None:
        pause_s = _WATCH_S
        while not self._released.wait(pause_s):
            pause_s = _WATCH_S
            try:
                start_keeper_if_none(self._folders, time.monotonic() + _START_S)
            except (EmbeddedError, OSError) as error:
                _LOG.warning("the private servers do not come back: %s", error)
                pause_s = _RETRY_S


@dataclass(frozen=True, slots=True)
class Embedded:
    """A held attachment: the servers run until the last one is released or its process is dead."""

    database_url: str = field(repr=False)  # both with their password
    redis_url: str = field(repr=False)
    data_dir: Path
    _hold: Hold = field(repr=False, compare=False)

    def release(self) -> None:
        self._hold.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def attach(data_dir: Path) -> Embedded:
    """Start the servers that do not run, wait until both answer, and hold them.

    Raises EmbeddedError when they cannot be used, or do not answer in time.
    """
    folders = Folders(data_dir.resolve())
    deadline = time.monotonic() + _START_S
    try:
        folders.open()
        lock_fd = _share(folders, deadline)
        try:
            database_url, redis_url = _reach(folders, deadline)
        except BaseException:
            os.close(lock_fd)
            raise
    except OSError as error:
        raise EmbeddedError(f"the private servers in {data_dir} cannot be used: {error}") from error
    return Embedded(database_url, redis_url, folders.data_dir, Hold(folders, lock_fd))


def start_keeper_if_none(folders: Folders, deadline: float) -> None:
    """Start a keeper unless one lives, and wait until its servers answer.

    The lock is taken here and handed over by inheritance, so that only one of several starters starts it.
    Raises EmbeddedError when the keeper fails, or its servers do not answer in time.
    """
    keeper_fd = try_lock(folders.keeper_lock, EXCLUSIVE)
    if keeper_fd is None:
        return
    try:
        keeper = _spawn_keeper(folders, keeper_fd)
    finally:
        os.close(keeper_fd)
    try:
        # The pipe ends when the keeper is ready or dead.
        _, complaint = keeper.communicate(timeout=max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise _too_slow(folders) from None
    finally:
        if keeper.stderr is not None:
            keeper.stderr.close()
    if complaint.strip():
        raise EmbeddedError(complaint.decode(errors="replace").strip().splitlines()[-1])


def _share(folders: Folders, deadline: float) -> int:
    """Take a share in the holders' lock; a keeper that is stopping the servers makes us wait for its end."""
    while (lock_fd := try_lock(folders.holders_lock, SHARED)) is None:
        _pause(folders, deadline)
    return lock_fd


def _reach(folders: Folders, deadline: float) -> tuple[str, str]:
    while True:
        start_keeper_if_none(folders, deadline)
        if (urls := _answering(folders)) is not None:
            return urls
        _pause(folders, deadline)


def _answering(folders: Folders) -> tuple[str, str] | None:
    """The addresses of both servers if both answer there."""
    record = Record.load(folders)
    run = run_folder(folders, record) if record is not None else None
    if record is None or run is None:
        return None
    if not postgres.answers(postgres.socket_path(run)):
        return None
    if not valkey.answers(valkey.socket_path(run), record.valkey_password):
        return None
    # Everything is said, or the driver would take PGPORT and its like from the environment of whoever calls.
    database = (
        f"postgresql://{postgres.NAME}:{record.database_password}@/{postgres.NAME}?host={quote(f'{run}')}"
        f"&port={postgres.PORT}&sslmode=disable&target_session_attrs=any"
    )
    return database, f"unix://:{record.valkey_password}@{quote(f'{valkey.socket_path(run)}')}?db=0"


def _pause(folders: Folders, deadline: float) -> None:
    if time.monotonic() > deadline:
        raise _too_slow(folders)
    time.sleep(_POLL_S)


def _too_slow(folders: Folders) -> EmbeddedError:
    return EmbeddedError(
        f"the private servers do not answer after {_START_S:.0f} s (log: {folders.log('postgres')}): after a crash "
        "PostgreSQL may need longer, so try again; a data directory in use inside another container stays there"
    )


def _spawn_keeper(folders: Folders, keeper_fd: int) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ROVITRACKER_")}
    keeper = subprocess.Popen(  # noqa: S603 - this interpreter and our own module
        [sys.executable, "-m", "app.embedded", f"{folders.data_dir}", f"{keeper_fd}"],
        # It gets neither pipe of the caller: whoever reads its output must not wait for the keeper's end.
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        pass_fds=(keeper_fd,),
        start_new_session=True,  # the terminal's Ctrl-C is for the holders
        cwd=_CODE_ROOT,
        env=environment,
    )
    keeper.wait()  # its first half, which ends at once: the keeper proper is no child of this process
    return keeper

"""The keeper: the one process that runs a data directory's servers, for as long as somebody holds it."""

import logging
import os
import signal
import sys
import time
from pathlib import Path

from app.embedded.errors import EmbeddedError
from app.embedded.folders import Folders, settle_run_folder
from app.embedded.home import lock_home, settle_home
from app.embedded.locks import EXCLUSIVE, lock_now, open_lock, unlock
from app.embedded.postgres import postgres_program
from app.embedded.processes import Server, rotating_log
from app.embedded.software import installed_software, refresh_copy
from app.embedded.valkey import valkey_program

_LOG = logging.getLogger("keeper")

# Long enough for the next command of a script to find the servers running, short enough to leave nothing behind.
LINGER_S = 1.5
_POLL_S = 0.1
_START_POLL_S = 0.025  # during a recovery each probe is a line in the log


class Vacancy:
    """Knows when nobody has held the data directory for a while."""

    def __init__(self, folders: Folders) -> None:
        self._lock_fd = open_lock(folders.holders_lock)
        self._since: float | None = None

    def lasts(self) -> bool:
        """True once; the lock then stays taken, so that a newcomer waits until the servers have stopped."""
        now = time.monotonic()
        if not lock_now(self._lock_fd, EXCLUSIVE):
            self._since = None
            return False
        self._since = self._since or now
        if now - self._since >= LINGER_S:
            return True
        unlock(self._lock_fd)
        return False


class Keeper:
    """The two servers of one data directory, both running or both stopped."""

    def __init__(self, folders: Folders) -> None:
        software = installed_software()
        record = settle_home(folders, software)
        home = record.home(folders)
        lock_home(home)
        if record.account is not None:
            software = refresh_copy(software, home, record.account)
        run = settle_run_folder(folders, record)
        programs = (
            postgres_program(software, home, run, record.account, folders.log("postgres")),
            valkey_program(software, home, run, record, folders.log("valkey")),
        )
        self._servers = [Server(program, lambda: settle_run_folder(folders, record)) for program in programs]

    def tend(self) -> bool:
        """Start what does not run, again if need be; true once both answer.

        Raises EmbeddedError when one cannot start: the keeper ends, its starter learns why, and holders try anew later.
        """
        answering = [server.tend() for server in self._servers]
        return all(answering)

    def stop(self) -> None:
        for server in self._servers:
            server.ask_to_stop()
        for server in self._servers:
            server.wait_until_stopped()
        _LOG.info("both servers are stopped")


def main() -> None:
    """Run as `python -m app.embedded DATA_DIR LOCK_FD`, with the keeper's lock already held by that descriptor."""
    folders, lock_fd = Folders(Path(sys.argv[1])), int(sys.argv[2])
    if os.fork() > 0:
        os._exit(0)  # the starter waits for this half only, and never has to reap the other
    os.set_inheritable(lock_fd, False)
    os.chdir("/")
    os.umask(0o077)
    for kind in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        # Its life is the holders' alone. A handler, since ignored signals would stay ignored in the servers.
        signal.signal(kind, lambda *_: None)
    handler = rotating_log(folders.log("keeper"))
    handler.setFormatter(logging.Formatter("%(asctime)s [%(process)d] %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    try:
        keep(folders)
    except EmbeddedError as error:
        _LOG.warning("%s", error)
        sys.exit(f"{error}")
    except Exception:
        _LOG.exception("the keeper failed")
        raise  # the starter reads the last line of the trace


def keep(folders: Folders) -> None:
    """Run both servers until nobody holds them any more, and let the starter go on when they answer."""
    vacancy = Vacancy(folders)
    keeper = Keeper(folders)
    starter_waits = True
    try:
        while not vacancy.lasts():
            ready = keeper.tend()
            if ready and starter_waits:
                starter_waits = False
                let_starter_go()
                _LOG.info("both servers answer")
            time.sleep(_POLL_S if ready else _START_POLL_S)
    finally:
        keeper.stop()


def let_starter_go() -> None:
    """Close the pipe the starter reads: its end without a word means success."""
    null_fd = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null_fd, sys.stderr.fileno())
    os.close(null_fd)

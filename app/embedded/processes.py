"""The programs the keeper runs: confined, their output kept in a log of bounded size, their strays ended."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO

from app.embedded import confine
from app.embedded.accounts import Account
from app.embedded.errors import EmbeddedError

_LOG = logging.getLogger(__name__)

_LOG_BYTES = 1 << 20  # one such file and its predecessor per program
_STOP_S = 10.0  # a clean stop is a checkpoint, tenths of a second; the next start repairs anything harsher
_STRAY_S = 1.0
_BIND_S = 10.0  # both servers make their socket before they read any data
_POLL_S = 0.01


@dataclass(frozen=True, slots=True)
class Program:
    """A server's program: how it is run, and how one sees that it works."""

    name: str
    command: Sequence[str]
    account: Account | None
    folder: Path  # its data, and its working directory
    socket: Path
    pid_file: Path
    answers: Callable[[], bool]
    stop_signal: signal.Signals
    log: Path
    stale: Sequence[Path] = ()  # files of a dead predecessor that would stop a start
    stdin: bytes = b""


class Server:
    """One server process, started and tended by the keeper's main thread."""

    def __init__(self, program: Program, before_start: Callable[[], object]) -> None:
        self.program = program
        self._before_start = before_start
        self._log = rotating_log(program.log)
        self._last_lines: deque[str] = deque(maxlen=20)
        self._pump = threading.Thread()
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0  # on the monotonic clock
        self._bound = self._answered = False  # since then

    def tend(self) -> bool:
        """Start the server unless it works; true once it answers. PostgreSQL may have much to recover first.

        Raises EmbeddedError when it ended before it ever answered.
        """
        if not self._lives():
            self._refuse_to_loop()
            self._start()
        elif self._lost_socket():
            self.ask_to_stop()
            self.wait_until_stopped()
            self._start()
        self._answered = self._answered or self.program.answers()
        return self._answered

    def ask_to_stop(self) -> None:
        if self._process is not None and self._lives():
            self._process.send_signal(self.program.stop_signal)

    def wait_until_stopped(self) -> None:
        if self._process is None:
            return
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._end_strays()
            self._process.wait()

    def _lives(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _lost_socket(self) -> bool:
        """Cleaners of temp folders take what looks old to them, and may do so before we ever saw it."""
        exists = self.program.socket.exists()
        self._bound = self._bound or exists
        overdue = time.monotonic() > self._started_at + _BIND_S
        return not exists and (self._bound or overdue)

    def _refuse_to_loop(self) -> None:
        """A server that ended before it ever answered has a reason that another start would not remove."""
        if self._process is not None and not self._answered:
            self._pump.join(timeout=1)
            told = telling_line(self._last_lines)
            raise EmbeddedError(f"{self.program.name} did not start: {told} (log: {self.program.log})")

    def _start(self) -> None:
        """Start on a folder in which nothing of an earlier process is left."""
        _LOG.info("starting %s", self.program.name)
        self._before_start()
        self._end_strays()
        for path in (self.program.socket, *self.program.stale):
            path.unlink(missing_ok=True)
        self._started_at = time.monotonic()
        self._bound = self._answered = False
        self._process = _spawn(self.program.command, self.program.account, self.program.stop_signal)
        stdin, output = _pipes(self._process)
        self._pump = threading.Thread(target=self._keep_output, args=(output,), daemon=True)
        self._pump.start()
        with suppress(BrokenPipeError), stdin:  # it may die at once; what it says then is the error
            stdin.write(self.program.stdin)

    def _end_strays(self) -> None:
        end_strays(self.program.folder, Path(self.program.command[0]).name, self.program.pid_file)

    def _keep_output(self, output: IO[bytes]) -> None:
        for line in output:
            text = line.decode(errors="replace").rstrip()
            self._last_lines.append(text)
            self._log.handle(logging.makeLogRecord({"msg": text}))


def run_to_end(command: Sequence[str], account: Account | None, *, stdin: bytes = b"") -> None:
    """Run a program that ends by itself. Raises EmbeddedError, with its telling line, when it fails."""
    process = _spawn(command, account, signal.SIGKILL)
    output, _ = process.communicate(stdin)
    if process.returncode != 0:
        told = telling_line(output.decode(errors="replace").splitlines())
        raise EmbeddedError(f"{Path(command[0]).name} failed: {told}")


def telling_line(lines: Sequence[str]) -> str:
    """The line that says why a program ended: the last fatal or error one, else the last."""
    spoken = [line.strip() for line in lines if line.strip()] or ["it said nothing"]
    marked = [line for line in spoken if any(mark in line for mark in ("FATAL", "PANIC", "rror:", "ERROR"))]
    return (marked or spoken)[-1]


def rotating_log(path: Path) -> RotatingFileHandler:
    return RotatingFileHandler(path, maxBytes=_LOG_BYTES, backupCount=1, encoding="utf-8")


def end_strays(folder: Path, executable: str, pid_file: Path) -> None:
    """End the processes that an earlier keeper, or a killed postmaster, left running in a server's folder.

    SIGINT is a clean stop to both servers, and to a backend the end of its query, after which it sees that
    its postmaster is gone; SIGQUIT makes PostgreSQL drop everything. The caller holds the keeper's lock.
    """
    folder = folder.resolve()
    for kind in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        deadline = time.monotonic() + _STRAY_S
        told: set[int] = set()
        while pids := set(_strays(folder, executable, pid_file)):
            for pid in pids - told:
                with suppress(ProcessLookupError):
                    os.kill(pid, kind)
            told |= pids
            if time.monotonic() > deadline:
                break
            time.sleep(_POLL_S)
        else:
            return


def _strays(folder: Path, executable: str, pid_file: Path) -> Iterator[int]:
    """Find them by working directory where the system shows it: a pid on file may be another's by now."""
    if sys.platform != "linux":
        yield from _stray_on_file(pid_file, executable)
        return
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # gone meanwhile, or another user's
            if (process / "cwd").readlink() == folder and (process / "comm").read_text(
                "utf-8", "replace"
            ).strip() == executable:
                yield int(process.name)


def _stray_on_file(pid_file: Path, executable: str) -> Iterator[int]:
    try:
        pid = int(pid_file.read_text("utf-8").split()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return
    shown = subprocess.run(  # noqa: S603 - a fixed program and a number
        ["/bin/ps", "-p", str(pid), "-o", "comm="], capture_output=True, text=True, check=False
    )
    if Path(shown.stdout.strip()).name == executable:
        yield pid


def _spawn(
    command: Sequence[str], account: Account | None, death_signal: signal.Signals
) -> subprocess.Popen[bytes]:
    account = account or Account(os.geteuid(), os.getegid())
    numbers = (account.uid, account.gid, os.getpid(), death_signal.value)
    return subprocess.Popen(  # noqa: S603 - no shell; programs of the installed wheels
        [sys.executable, "-I", "-S", confine.__file__, *map(str, numbers), *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    if process.stdin is None or process.stdout is None:
        raise EmbeddedError("a server was started without its pipes")  # _spawn always asks for both
    return process.stdin, process.stdout

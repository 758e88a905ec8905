"""`rovitracker` as a process of its own, forked from one that has loaded the program: loading takes longer than most verbs.

What a verb is given is its own all the same: arguments, environment, folder, stdin, stdout and stderr. Where the start
itself is meant, or a terminal, a test runs `python -m app`.
"""

import gc
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from tempfile import TemporaryDirectory, TemporaryFile

from app.cli.main import command_line, run
from tests.support.server import ROOT

_LENGTH = struct.Struct("!Q")
_STATUS = struct.Struct("!i")
_STREAMS = 3


@dataclass(frozen=True, slots=True)
class Verbs:
    """address: the socket of the process that has loaded the program."""

    address: str

    def run(
        self, *arguments: str, environment: Mapping[str, str], stdin: str = "", timeout_s: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run one to its end, as `subprocess.run` does. Raises TimeoutError when it takes longer."""
        with ExitStack() as stack:
            streams = [stack.enter_context(TemporaryFile()) for _ in range(_STREAMS)]
            streams[0].write(stdin.encode())
            streams[0].seek(0)
            status = self._status(arguments, environment, [each.fileno() for each in streams], timeout_s)
            printed, said = (os.pread(each.fileno(), 1 << 30, 0).decode() for each in streams[1:])
        return subprocess.CompletedProcess(arguments, status, printed, said)

    def _status(
        self, arguments: Sequence[str], environment: Mapping[str, str], streams: list[int], timeout_s: float
    ) -> int:
        asked = json.dumps([arguments, dict(environment)]).encode()
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout_s)
            connection.connect(self.address)
            socket.send_fds(connection, [_LENGTH.pack(len(asked))], streams)
            connection.sendall(asked)
            status: int = _STATUS.unpack(_received(connection, _STATUS.size))[0]
        return status


@contextmanager
def loaded() -> Iterator[Verbs]:
    """The process that forks verbs, until the end."""
    with TemporaryDirectory(prefix="verbs") as folder:
        address = f"{folder}/socket"
        command = [sys.executable, "-m", "tests.support.verbs", address]
        with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.read() == b""  # it closes what it does not need when it listens
            yield Verbs(address)


def main(address: str) -> None:
    """Fork a process for whoever connects, until stdin ends. It goes on as the verb, and this one's loop is left."""
    command_line()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that answer
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        while True:
            ready, _, _ = select.select([listener, sys.stdin.fileno()], [], [])
            if listener not in ready:
                return
            connection, _ = listener.accept()
            if os.fork() == 0:
                break
            connection.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _answer(connection)


def _answer(connection: socket.socket) -> None:
    head, streams, _, _ = socket.recv_fds(connection, _LENGTH.size, _STREAMS)
    arguments, environment = json.loads(_received(connection, _LENGTH.unpack(head)[0]))
    verb = os.fork()
    if verb != 0:
        _, status = os.waitpid(verb, 0)
        with suppress(OSError):  # who asked waits no longer
            connection.sendall(_STATUS.pack(os.waitstatus_to_exitcode(status)))
        os._exit(0)
    connection.close()
    for stream, given in enumerate(streams):
        os.dup2(given, stream)
        os.close(given)
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["rovitracker", *arguments]
    run()


def _received(connection: socket.socket, size: int) -> bytes:
    got = b""
    while len(got) < size:
        more = connection.recv(size - len(got))
        if not more:
            raise ConnectionError("the process that forks verbs is gone")
        got += more
    return got


if __name__ == "__main__":
    main(sys.argv[1])

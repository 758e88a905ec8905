"""`rovitracker` as a process of its own, forked from one that has loaded the program: loading takes longer than most verbs.

What a verb is given is its own all the same: arguments, environment, folder, stdin, stdout and stderr. Where the start
itself is meant, or a terminal, a test runs `python -m app`.
"""

import asyncio
import atexit
import gc
import importlib
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
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import BinaryIO

from app.cli.main import command_line, run

_ROOT = Path(__file__).parents[2]

_LENGTH = struct.Struct("!Q")
_NUMBER = struct.Struct("!i")  # a verb's pid when it begins, and its exit status when it ends
_STREAMS = 3


class Running:
    """A verb that goes on until it is told to end.

    Its pid comes first on the connection that asked for it, and its exit status when it ends.
    """

    def __init__(self, pid: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.pid = pid
        self._writer = writer
        self._end = asyncio.create_task(reader.readexactly(_NUMBER.size))

    @property
    def status(self) -> int | None:
        """None while it runs."""
        return int(_NUMBER.unpack(self._end.result())[0]) if self._end.done() else None

    async def end(self) -> None:
        if not self._end.done():
            with suppress(ProcessLookupError):  # a test killed it, and its end is on the way here
                os.kill(self.pid, signal.SIGTERM)
            await asyncio.wait_for(self._end, 30)
        self._writer.close()


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
            connection = stack.enter_context(socket.socket(socket.AF_UNIX))
            connection.settimeout(timeout_s)
            self._ask(connection, arguments, environment, _ROOT, [each.fileno() for each in streams])
            _received(connection, _NUMBER.size)
            status: int = _NUMBER.unpack(_received(connection, _NUMBER.size))[0]
            printed, said = (os.pread(each.fileno(), 1 << 30, 0).decode() for each in streams[1:])
        return subprocess.CompletedProcess(arguments, status, printed, said)

    async def start(
        self, *arguments: str, environment: Mapping[str, str], folder: Path, stdout: BinaryIO
    ) -> Running:
        """Start one in a folder; stdin and stderr are those of this process."""
        connection = socket.socket(socket.AF_UNIX)
        self._ask(connection, arguments, environment, folder, [0, stdout.fileno(), 2])
        reader, writer = await asyncio.open_unix_connection(sock=connection)
        return Running(_NUMBER.unpack(await reader.readexactly(_NUMBER.size))[0], reader, writer)

    def _ask(
        self,
        connection: socket.socket,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        streams: list[int],
    ) -> None:
        asked = json.dumps([arguments, dict(environment), str(folder)]).encode()
        connection.connect(self.address)
        socket.send_fds(connection, [_LENGTH.pack(len(asked))], streams)
        connection.sendall(asked)


@cache
def loaded() -> Verbs:
    """The process that forks verbs. It begins when somebody asks for it, and ends with this one."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(_loaded())


@contextmanager
def _loaded() -> Iterator[Verbs]:
    """Load the program in another process, and wait until that one listens. It ends when its stdin is closed."""
    with TemporaryDirectory(prefix="verbs") as folder:
        address = f"{folder}/socket"
        command = [sys.executable, "-m", "tests.support.verbs", address]
        with subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.read() == b""  # it closes what it does not need when it listens
            yield Verbs(address)


def main(address: str) -> None:
    """Fork a process for whoever connects, until stdin ends. It goes on as the verb, and this one's loop is left."""
    command_line()
    importlib.import_module("app.main")  # `serve` loads it by its name
    # The workers of `serve` begin with the module that their supervisor began with.
    sys.modules["__main__"] = importlib.import_module("app.__main__")
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
    """Fork the verb. What is left of this process tells its pid and its exit status, and ends."""
    head, streams, _, _ = socket.recv_fds(connection, _LENGTH.size, _STREAMS)
    arguments, environment, folder = json.loads(_received(connection, _LENGTH.unpack(head)[0]))
    verb = os.fork()
    if verb != 0:
        with suppress(OSError):  # who asked waits no longer
            connection.sendall(_NUMBER.pack(verb))
            _, status = os.waitpid(verb, 0)
            connection.sendall(_NUMBER.pack(os.waitstatus_to_exitcode(status)))
        os._exit(0)
    connection.close()
    for stream, given in enumerate(streams):
        os.dup2(given, stream)
        os.close(given)
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["rovitracker", *arguments]
    run()


def _received(connection: socket.socket, size: int) -> bytes:
    """So many bytes. Raises ConnectionError when the other side ends first."""
    got = b""
    while len(got) < size:
        more = connection.recv(size - len(got))
        if not more:
            raise ConnectionError("the process that forks verbs is gone")
        got += more
    return got


if __name__ == "__main__":
    main(sys.argv[1])

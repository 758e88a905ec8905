"""`make check-containers`: the image and the compose files on an engine, with a status of its own where there is none."""

import ast
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from tests.containers.engine import lacking, sweep

FOLDER = Path(__file__).parent
FAILED, UNKNOWN = 1, 3

_PATIENCE_S = 900  # of one test; images may have to be built in it


def main(arguments: Sequence[str]) -> int:
    """0 when everything was shown. arguments: pytest's."""
    reason = lacking()
    if reason is not None:
        for claim in claims():
            _say(f"not shown: {claim}")
        _say(f"nothing was shown: {reason}")
        return UNKNOWN
    name = f"rovitracker-check-{secrets.token_hex(4)}"
    command = [sys.executable, "-m", "pytest", str(FOLDER), "--timeout", str(_PATIENCE_S), *arguments]
    environment = {**os.environ, "CHECK_CONTAINERS": name}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(FAILED))
    tests = subprocess.Popen(command, env=environment, start_new_session=True)
    try:
        return FAILED if tests.wait() else 0
    finally:
        _end(tests)
        sweep(name)


def claims() -> Iterator[str]:
    """The names of the tests, as sentences."""
    for file in sorted(FOLDER.glob("test_*.py")):
        for part in ast.parse(file.read_text()).body:
            if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) and part.name.startswith("test_"):
                yield part.name.removeprefix("test_").replace("_", " ")


def _end(tests: subprocess.Popen[bytes]) -> None:
    """With the engine's clients that they started, which would go on to make containers."""
    with suppress(ProcessLookupError):
        os.killpg(tests.pid, signal.SIGKILL)
    tests.wait()


def _say(line: str) -> None:
    sys.stderr.write(f"containers: {line}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

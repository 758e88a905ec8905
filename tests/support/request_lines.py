"""The lines that requests leave in the log, as documents."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

from app.logs import REQUESTS


@contextmanager
def request_lines() -> Iterator[list[dict[str, Any]]]:
    """The lines of the requests within the block, once it has ended."""
    lines = list[dict[str, Any]]()
    with written_lines() as written:
        yield lines
    lines.extend(json.loads(line) for line in written)


@contextmanager
def written_lines() -> Iterator[list[str]]:
    """The same as they are written."""
    stream, lines = StringIO(), list[str]()
    REQUESTS.open(stream, "debug")
    try:
        yield lines
    finally:
        REQUESTS.close()
        lines.extend(stream.getvalue().splitlines())

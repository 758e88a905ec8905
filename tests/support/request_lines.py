"""What requests leave in the log, as documents."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

from app.logs import REQUESTS


@contextmanager
def request_lines() -> Iterator[list[dict[str, Any]]]:
    """The lines of the requests within the block, once it has ended."""
    stream, lines = StringIO(), list[dict[str, Any]]()
    REQUESTS.open(stream, "debug")
    try:
        yield lines
    finally:
        REQUESTS.close()
        lines.extend(json.loads(line) for line in stream.getvalue().splitlines())

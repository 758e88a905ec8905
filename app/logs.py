"""Logging: JSON lines with the request's id; never a token, code, secret, password or cookie."""

import asyncio
import logging
import re
import sys
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from functools import lru_cache, partial
from http import HTTPStatus
from typing import Any, TextIO, TypeAlias

import orjson
import structlog

from app.oauth.token_string import LEAKED
from app.origin import origin

# Our own strings are known by their prefix, so they are hidden wherever they slip into a line.
_OURS = re.compile(LEAKED)
_OURS_IN_BYTES = re.compile(_OURS.pattern.encode())

_LINE = orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE
_FLUSH_EVERY_S = 0.02
_MOST_UNWRITTEN = 200


_as_json = partial(orjson.dumps, option=_LINE)


def _as_readable(line: dict[str, Any]) -> bytes:
    """The refusal of a request with the reference that its page names; empty for what was not refused."""
    if line["status"] < HTTPStatus.BAD_REQUEST:
        return b""
    reason = f"{line['error']}: {line['detail']}" if "error" in line else "unexpected error, see above"
    head = f"{line['timestamp']:%H:%M:%S}  {line['status']}  {line['method']} {line['path']}"
    text = f"{head}  {reason}  (reference {line['request_id']})"
    # What a stranger sent may hold anything, and a terminal obeys it.
    return "".join(sign if sign.isprintable() else "?" for sign in text).encode(errors="replace") + b"\n"


# What many requests have in common: the address of the client, method, path and status.
Common: TypeAlias = tuple[str | None, str, str, int]


def named(common: Common) -> dict[str, str | int | None]:
    """As a line has it."""
    return dict(zip(("client", "method", "path", "status"), common, strict=True))


_BEGIN = b'{"event":"request","request_id":"'


@lru_cache(512)  # of paths that may have 8 KiB
def _around(common: Common) -> tuple[bytes, bytes]:
    """A line around its milliseconds: programs ask for the same again and again."""
    return b'",' + orjson.dumps(named(common))[1:-1] + b',"ms":', b',"level":"info","timestamp":'


class RequestLines:
    """The line that every request leaves, those of a moment written together.

    The logging framework's way to the same line costs as much time as the rest of a token request.
    """

    def __init__(self) -> None:
        self._render: Callable[[dict[str, Any]], bytes] = _as_json
        self._stream: TextIO | None = None
        self._least = logging.INFO
        self._takes_answered = False
        self._unwritten = (
            bytearray()
        )  # hundreds of dictionaries that wait would be work for the garbage collector
        self._count = 0

    def open(self, stream: TextIO, level: str, *, readable: bool = False) -> None:
        """readable: a line for people for each refusal, whatever the level, and none for what went well."""
        self._stream = stream
        self._least = logging.INFO if readable else logging.getLevelNamesMapping()[level.upper()]
        self._render = _as_readable if readable else _as_json
        self._takes_answered = not readable and self.takes(logging.INFO)

    def close(self) -> None:
        self.flush()
        self._stream, self._takes_answered = None, False

    def takes(self, level: int) -> bool:
        """level: of the logging module."""
        return level >= self._least and self._stream is not None

    def write(self, line: dict[str, Any]) -> None:
        self._add(self._render(line))

    def write_answered(self, request_id: str, common: Common, ms: float) -> None:
        """The line of a request that was not refused, of parts that were written before. request_id: of harmless signs."""
        if self._takes_answered:
            before, after = _around(common)
            at = orjson.dumps(datetime.now(UTC), option=orjson.OPT_UTC_Z)
            self._add(b"%b%b%b%.1f%b%b}\n" % (_BEGIN, request_id.encode(), before, ms, after, at))

    def _add(self, line: bytes) -> None:
        self._unwritten += line
        self._count += 1
        if self._count == 1:
            asyncio.get_running_loop().call_later(_FLUSH_EVERY_S, self.flush)
        elif self._count >= _MOST_UNWRITTEN:
            self.flush()

    def flush(self) -> None:
        text = (
            _OURS_IN_BYTES.sub(rb"rovi_\1_...", self._unwritten)
            if b"rovi_" in self._unwritten
            else self._unwritten
        )
        if text and self._stream is not None:
            self._stream.write(text.decode())
            self._stream.flush()
        self._unwritten.clear()
        self._count = 0


REQUESTS = RequestLines()
_CONSOLE = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)


def configure_logs(level: str, stream: TextIO = sys.stdout, *, readable: bool = False) -> None:
    """One line an event, for uvicorn and asyncio too. readable: for a person who watches, instead of JSON."""
    shared: list[Any] = [
        add_request_id,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        hide_secrets,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _CONSOLE if readable else structlog.processors.JSONRenderer(),
            ],
        )
    )
    REQUESTS.open(stream, level, readable=readable)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers = []
        # The server's own line a request has the query in it, and with that states and codes; ours has not.
        logging.getLogger(name).propagate = name != "uvicorn.access"


def add_request_id(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if request_id := origin().request_id:
        event["request_id"] = request_id
    return event


def hide_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The last stop before a line is written."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = _OURS.sub(r"rovi_\1_…", value)
    return event

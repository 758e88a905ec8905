"""Logging: JSON lines with the request's id; never a token, code, secret, password or cookie."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog
from structlog.contextvars import merge_contextvars

# Whatever slips into a line: our own strings are recognisable by their prefix, and their checksum is not needed to hide them.
_OURS = re.compile(r"rovi_(at|rt|ac|cs)_[0-9A-Za-z]+")


def configure_logs(level: str, stream: TextIO = sys.stdout) -> None:
    """One line an event, for uvicorn and asyncio too."""
    shared: list[Any] = [
        merge_contextvars,
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
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers = []
        # The server's own line a request has the query in it, and with that states and codes; ours has not.
        logging.getLogger(name).propagate = name != "uvicorn.access"


def hide_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The last stop before a line is written."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = _OURS.sub(r"rovi_\1_…", value)
    return event

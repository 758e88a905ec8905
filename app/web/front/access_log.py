"""Every request leaves a line in the log and a measurement, made cheaply because they are frequent."""

import logging
import re
from datetime import UTC, datetime

from starlette.types import Scope
from uuid_utils import uuid7

from app.logs import REQUESTS
from app.metrics import MEASUREMENTS
from app.web.table import without_secret

_ACCEPTED_ID = re.compile(rb"[A-Za-z0-9_-]{8,64}")
_FAILED = 500


def request_id_of(scope: Scope) -> str:
    """Keep a caller's own id where it is harmless, so that two systems' logs can be laid side by side."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _ACCEPTED_ID.fullmatch(value):
            return str(value.decode())
    return uuid7().hex


def note_request(scope: Scope, status: int, seconds: float) -> None:
    """The query stays out: it may hold a code or a state. Why a request was refused stands here and nowhere else."""
    level = logging.WARNING if status >= _FAILED else logging.INFO
    if REQUESTS.takes(level):
        client = scope.get("client")
        line = {
            "event": "request",
            "request_id": scope["request_id"],
            "client": client[0] if client else None,
            "method": scope["method"],
            "path": without_secret(scope["path"]),
            "status": status,
            "ms": round(seconds * 1000, 1),
            "level": "info" if level == logging.INFO else "warning",
            "timestamp": datetime.now(UTC),
        }
        refused = scope.get("refused")
        REQUESTS.write(line if refused is None else line | refused)
    MEASUREMENTS.add(scope["method"], scope["route"].path if "route" in scope else "none", status, seconds)

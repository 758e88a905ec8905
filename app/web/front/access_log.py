"""Every request leaves a line in the log and a measurement, made cheaply because they are frequent."""

import logging
import re
from datetime import UTC, datetime

from starlette.types import Scope
from uuid_utils import uuid7

from app.logs import REQUESTS, Common, named
from app.metrics import MEASUREMENTS
from app.web.table import without_secret

_ACCEPTED_ID = re.compile(rb"[A-Za-z0-9_-]{8,64}")
_REFUSED, _FAILED = 400, 500


def request_id_of(scope: Scope) -> str:
    """Keep a caller's own id where it is harmless, so that two systems' logs can be laid side by side."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _ACCEPTED_ID.fullmatch(value):
            return str(value.decode())
    return uuid7().hex


def note_request(scope: Scope, status: int, seconds: float) -> None:
    """The query stays out: it may hold a code or a state. Why a request was refused stands here and nowhere else."""
    client = scope.get("client")
    method = scope["method"]
    common = client[0] if client else None, method, without_secret(scope["path"]), status
    if status < _REFUSED:
        REQUESTS.write_answered(scope["request_id"], common, seconds * 1000)
    else:
        _write_refused(scope, common, seconds)
    MEASUREMENTS.add(method, scope["route"].path if "route" in scope else "none", status, seconds)


def _write_refused(scope: Scope, common: Common, seconds: float) -> None:
    level = logging.WARNING if common[-1] >= _FAILED else logging.INFO
    if REQUESTS.takes(level):
        REQUESTS.write(
            {
                "event": "request",
                "request_id": scope["request_id"],
                **named(common),
                "ms": round(seconds * 1000, 1),
                "level": "info" if level == logging.INFO else "warning",
                "timestamp": datetime.now(UTC),
                **scope.get("refused", {}),
            }
        )

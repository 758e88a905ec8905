"""Outermost: a request id in and out, one log line and one measurement a request, a bare answer where a bug got through."""

import logging
import re
import time
from collections.abc import MutableMapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Receive, Scope, Send
from uuid_utils import uuid7

from app.logs import REQUEST_ID, REQUESTS
from app.metrics import observe_request
from app.web.errors import unexpected

_ACCEPTED_ID = re.compile(rb"[A-Za-z0-9_-]{8,64}")

_log = structlog.get_logger()


class AccessLog:
    """Plain ASGI: it neither buffers bodies nor takes a task of its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = scope["request_id"] = _request_id(scope)
        id_header = (b"x-request-id", request_id.encode())
        status = 0
        began = time.perf_counter()
        outer_id = REQUEST_ID.set(request_id)

        async def note(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], id_header]
            await send(message)

        try:
            await self._app(scope, receive, note)
        except ClientDisconnect:
            pass  # the client went away before its body was whole: nobody is left to answer
        except Exception:
            _log.exception("unexpected error", path=scope["path"])
            if status:  # the answer had begun; cutting the connection is all that is left
                raise
            await unexpected(Request(scope))(scope, receive, note)
        finally:
            seconds = time.perf_counter() - began
            _write_line(scope, status, seconds)
            observe_request(scope["method"], _template(scope), status, seconds)
            REQUEST_ID.reset(outer_id)


def _write_line(scope: Scope, status: int, seconds: float) -> None:
    """The query stays out: it may hold a code or a state. Why a request was refused stands here and nowhere else."""
    failed = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    line = {
        "event": "request",
        "request_id": scope["request_id"],
        "method": scope["method"],
        "path": scope["path"],
        "status": status,
        "ms": round(seconds * 1000, 1),
        **scope.get("refused", {}),
        "level": "warning" if failed else "info",
        "timestamp": datetime.now(UTC),
    }
    REQUESTS.write(logging.WARNING if failed else logging.INFO, line)


def _template(scope: Scope) -> str:
    """The route, never the address: that would be a series for every machine."""
    route = scope.get("route")
    return str(route.path if route is not None else scope.get("hot_path", "none"))


def _request_id(scope: Scope) -> str:
    """A caller's own id is kept where it is harmless, so that two systems' logs can be laid side by side."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _ACCEPTED_ID.fullmatch(value):
            return str(value.decode())
    return uuid7().hex

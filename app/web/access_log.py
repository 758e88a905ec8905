"""Outermost: a request id in and out, one log line a request, and a bare answer where a bug got through."""

import re
import time
from collections.abc import MutableMapping
from typing import Any

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Receive, Scope, Send
from structlog.contextvars import bound_contextvars
from uuid_utils import uuid7

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
        with bound_contextvars(request_id=request_id):
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        status = 0
        began = time.perf_counter()

        async def note(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", scope["request_id"].encode())]
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
            # The query stays out: it may hold a code or a state.
            milliseconds = round((time.perf_counter() - began) * 1000, 1)
            _log.info("request", method=scope["method"], path=scope["path"], status=status, ms=milliseconds)


def _request_id(scope: Scope) -> str:
    """A caller's own id is kept where it is harmless, so that two systems' logs can be laid side by side."""
    given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
    return given.decode() if _ACCEPTED_ID.fullmatch(given) else uuid7().hex

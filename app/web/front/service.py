"""The application as the server calls it: a request id, the headers of every answer, a log line, a measurement.

The hot rows of the table of addresses go straight to their handlers. The very same handlers are FastAPI endpoints too
(routes.py); what is saved is the framework's stack between the socket and them, which costs as much as their own work.
"""

import asyncio
from collections.abc import MutableMapping
from time import perf_counter
from typing import Any, cast

import structlog
from fastapi import FastAPI
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.door.answers import BOUNDED, OVERDUE, WHOLE
from app.first_step import in_task
from app.origin import SERVED
from app.storage.errors import StoreUnavailableError
from app.web.answer import Answer
from app.web.cookies import keep_own_cookies
from app.web.errors import answer as refuse
from app.web.errors import unexpected
from app.web.front.access_log import note_request, request_id_of
from app.web.front.hot import HotPaths, all_hot_paths
from app.web.front.refused_requests import note_refused_request
from app.web.table import is_bounded

# No browser may take an answer for another kind of content than it says it is.
_NOSNIFF = (b"x-content-type-options", b"nosniff")
_NOT_MODIFIED = 304

_log = structlog.get_logger()


class Service(FastAPI):
    """front: whether the hot paths are answered before the framework. It neither buffers bodies nor makes tasks."""

    def __init__(self, *, front: bool, **options: Any) -> None:
        super().__init__(**options)
        self.hot = all_hot_paths() if front else HotPaths()

    def build_middleware_stack(self) -> ASGIApp:
        """Without Starlette's outermost layer, which answers bugs in plain text: __call__ does, in the caller's form."""
        stack = super().build_middleware_stack()
        return stack.app if isinstance(stack, ServerErrorMiddleware) else stack

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        began = perf_counter()
        request_id = scope["request_id"] = request_id_of(scope)
        context = scope["context"] = self.state.context
        outer = SERVED.set((request_id, scope.get("client")))
        answering = Answering(send, (b"x-request-id", request_id.encode()))
        try:
            hot = self.hot.find(scope["path"], scope["method"])
            if hot is None:
                await in_task()  # the framework asks for the current one
                keep_own_cookies(scope)
                scope[BOUNDED] = is_bounded(scope["path"])
                await super().__call__(scope, receive, answering.send)
            else:
                scope["app"], scope["route"], scope[BOUNDED] = self, hot, hot.bounded
                answer = await hot.respond(context, scope, receive)
                await answering.give(answer, scope)
        except asyncio.CancelledError:
            if OVERDUE not in scope or answering.status:
                raise
            cast("asyncio.Task[Any]", asyncio.current_task()).uncancel()
            refused = await refuse(Request(scope), StoreUnavailableError("the time for the answer is up"))
            await refused(scope, receive, answering.send)
        except ClientDisconnect:
            pass  # the client went away before its body was whole: nobody is left to answer
        except Exception:
            _log.exception("unexpected error", path=scope["path"])
            if answering.status:  # the answer had begun; cutting the connection is all that is left
                raise
            await unexpected(Request(scope))(scope, receive, answering.send)
        finally:
            note_request(scope, answering.status, perf_counter() - began)
            if "refused" in scope:
                note_refused_request(context, scope, answering.status)
            SERVED.reset(outer)


class Answering:
    """The answer on its way: its status once it has begun, and among its headers what every answer has."""

    __slots__ = ("_id_header", "_send", "status")

    def __init__(self, send: Send, id_header: tuple[bytes, bytes]) -> None:
        self.status = 0
        self._send = send
        self._id_header = id_header

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """What the framework sends with."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message["headers"], _NOSNIFF, self._id_header]
        await self._send(message)

    async def give(self, answer: Answer, scope: Scope) -> None:
        """In one message, where the server takes that. An answer to HEAD has the length that GET's would have."""
        self.status = answer.status
        headers = [*answer.headers, _NOSNIFF, self._id_header]
        if answer.status != _NOT_MODIFIED:
            headers.append((b"content-length", b"%d" % len(answer.body)))
        body = b"" if scope["method"] == "HEAD" else answer.body
        if WHOLE in scope.get("extensions", ()):
            await self._send({"type": WHOLE, "status": answer.status, "headers": headers, "body": body})
            return
        await self._send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})

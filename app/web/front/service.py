"""The application as the server calls it: a request id, the headers of every answer, a log line, a measurement.

The hot rows of the table of addresses go straight to their handlers. The very same handlers are FastAPI endpoints too
(routes.py); what is saved is the framework's stack between the socket and them, which costs as much as their own work.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from time import perf_counter
from typing import Any, NamedTuple

import structlog
from fastapi import FastAPI
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.context import Context
from app.door.answers import WHOLE
from app.origin import SERVED
from app.web.cookies import keep_own_cookies
from app.web.errors import unexpected
from app.web.front.access_log import note_request, request_id_of
from app.web.front.refused_requests import note_refused_request
from app.web.oauth.introspect import answer_introspection
from app.web.oauth.token import answer_token
from app.web.paths import DOCUMENTATION, INTROSPECT, OPENAPI, TABLE, TOKEN
from app.web.reference.docs import answer_docs
from app.web.reference.document import answer_openapi
from app.web.wire import Answer, serve

Respond = Callable[[Context, Scope, Receive], Awaitable[Answer]]


class HotPath(NamedTuple):
    """A path that is its own route; by the name that the framework's routes have it."""

    path: str
    method: str
    respond: Respond


# Strangers may ask for the two documents as often as they like: they are long, and dear by the framework.
HOT_HANDLERS: dict[str, Respond] = {
    TOKEN: partial(serve, answer_token),
    INTROSPECT: partial(serve, answer_introspection),
    DOCUMENTATION: answer_docs,
    OPENAPI: answer_openapi,
}
HOT = {row.path: HotPath(row.path, row.methods[0], HOT_HANDLERS[row.path]) for row in TABLE if row.hot}

# No browser may take an answer for another kind of content than it says it is.
_NOSNIFF = (b"x-content-type-options", b"nosniff")

_log = structlog.get_logger()


class Service(FastAPI):
    """front: whether the hot paths are answered before the framework. It neither buffers bodies nor makes tasks."""

    def __init__(self, *, front: bool, **options: Any) -> None:
        super().__init__(**options)
        self._hot = HOT if front else {}

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
        outer = SERVED.set((request_id, scope.get("client")))
        answering = Answering(send, (b"x-request-id", request_id.encode()))
        try:
            hot = self._hot.get(scope["path"])
            if hot is None or hot.method != scope["method"]:
                keep_own_cookies(scope)
                await super().__call__(scope, receive, answering.send)
            else:
                scope["route"] = hot
                answer = await hot.respond(self.state.context, scope, receive)
                await answering.give(answer, whole=WHOLE in scope.get("extensions", ()))
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
                note_refused_request(self.state.context, scope, answering.status)
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

    async def give(self, answer: Answer, *, whole: bool) -> None:
        """whole: whether the server takes an answer in one message."""
        self.status = answer.status
        length = (b"content-length", b"%d" % len(answer.body))
        headers = [*answer.headers, length, _NOSNIFF, self._id_header]
        if whole:
            await self._send(
                {"type": WHOLE, "status": answer.status, "headers": headers, "body": answer.body}
            )
            return
        await self._send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await self._send({"type": "http.response.body", "body": answer.body})

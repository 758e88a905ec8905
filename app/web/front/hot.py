"""The hot rows of the table of addresses, and what answers each before the framework."""

import re
from collections.abc import Awaitable, Callable
from functools import lru_cache, partial
from typing import NamedTuple, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import Receive, Scope

from app.context import Context
from app.refused import RefusedError
from app.web.answer import Answer, from_response
from app.web.api.aemp import answer_v1, answer_v2, reader
from app.web.api.telemetry import answer_telemetry, writer
from app.web.cookies import keep_own_cookies
from app.web.errors import answer as answer_error
from app.web.errors import refuse_as_aemp
from app.web.oauth.introspect import answer_introspection
from app.web.oauth.token import answer_token
from app.web.pages.login import submit_login
from app.web.paths import (
    API,
    BELOW_FLEET_BEFORE_V1,
    BELOW_FLEET_V1,
    BELOW_FLEET_V2,
    DOCUMENTATION,
    FLEET_BEFORE_V1_ROUTE,
    FLEET_V1_ROUTE,
    FLEET_V2_ROUTE,
    INTROSPECT,
    LOGIN,
    OPENAPI,
    TELEMETRY,
    TOKEN,
)
from app.web.reference.docs import answer_docs
from app.web.reference.document import answer_openapi
from app.web.table import TABLE, Methods, is_bounded
from app.web.wire import serve

Respond = Callable[[Context, Scope, Receive], Awaitable[Answer]]
Asker = TypeVar("Asker")

_MOST_MATCHED = 256  # paths; one has 8 KiB at most


class HotPath(NamedTuple):
    """A path that is its own route; by the name that the framework's routes have it. bounded: as in `is_bounded`."""

    path: str
    methods: Methods
    respond: Respond
    bounded: bool = False


def guarded(
    guard: Callable[[Request], Awaitable[Asker]], handler: Callable[[Request, Asker], Awaitable[Answer]]
) -> Respond:
    """What a route of the API answers to the caller that its guard lets through."""

    async def respond(_context: Context, scope: Scope, receive: Receive) -> Answer:
        request = Request(scope, receive)
        try:
            return await handler(request, await guard(request))
        except RefusedError as refused:
            return refuse_as_aemp(request, refused)

    return respond


def posted(handler: Callable[[Request], Awaitable[Response]]) -> Respond:
    """What a page answers to its form."""

    async def respond(_context: Context, scope: Scope, receive: Receive) -> Answer:
        keep_own_cookies(scope)
        request = Request(scope, receive)
        try:
            return from_response(await handler(request))
        except RefusedError as refused:
            return from_response(await answer_error(request, refused))

    return respond


_READ_V1, _READ_V2 = guarded(reader, answer_v1), guarded(reader, answer_v2)

# Strangers may ask for the two documents as often as they like: they are long, and dear by the framework.
HOT_HANDLERS: dict[str, Respond] = {
    TOKEN: partial(serve, answer_token),
    INTROSPECT: partial(serve, answer_introspection),
    BELOW_FLEET_V2: _READ_V2,
    FLEET_V2_ROUTE: _READ_V2,
    FLEET_V1_ROUTE: _READ_V1,
    BELOW_FLEET_V1: _READ_V1,
    FLEET_BEFORE_V1_ROUTE: _READ_V1,
    BELOW_FLEET_BEFORE_V1: _READ_V1,
    TELEMETRY: guarded(writer, answer_telemetry),
    DOCUMENTATION: answer_docs,
    OPENAPI: answer_openapi,
    LOGIN: posted(submit_login),
}


class HotPaths:
    """Finds the hot row of a request as the router would: by the path alone, or by the row's pattern."""

    def __init__(self) -> None:
        self._by_path: dict[str, HotPath] = {}
        self._by_pattern: dict[str, tuple[re.Pattern[str], HotPath]] = {}
        self._matched = lru_cache(_MOST_MATCHED)(self._match)

    def put(self, hot: HotPath) -> None:
        """In the place of another of this path, if there is one."""
        self._matched.cache_clear()
        pattern, _, parameters = compile_path(hot.path)
        if parameters:
            self._by_pattern[hot.path] = pattern, hot
        else:
            self._by_path[hot.path] = hot

    def find(self, path: str, method: str) -> HotPath | None:
        """None where the framework answers."""
        hot = self._by_path.get(path)
        if hot is None and path.startswith(API):
            hot = self._matched(path)
        return hot if hot is not None and method in hot.methods else None

    def _match(self, path: str) -> HotPath | None:
        for pattern, hot in self._by_pattern.values():
            if pattern.match(path):
                return hot
        return None


def all_hot_paths() -> HotPaths:
    found = HotPaths()
    for row in TABLE:
        if row.hot:
            found.put(HotPath(row.path, row.methods, HOT_HANDLERS[row.path], is_bounded(row.path)))
    return found

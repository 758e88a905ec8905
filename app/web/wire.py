"""The machine endpoints take bytes and give bytes, whoever carries them between the socket and the handler."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope

from app.context import Context
from app.oauth.errors import invalid_request
from app.web.cross_origin import ANY_ORIGIN, READABLE
from app.web.errors import EXPECTED, refuse_as_json
from app.web.request import address_of, context_of, read_body

Headers = list[tuple[bytes, bytes]]

NO_STORE: Headers = [(b"cache-control", b"no-store"), (b"pragma", b"no-cache")]
JSON: Headers = [(b"content-type", b"application/json"), *NO_STORE]


class Call(NamedTuple):
    """What a token request and a question about a token are read from. address: of the caller, or its network."""

    content_type: str | None
    body: bytes
    authorization: str | None
    address: str
    accept: bytes | None = None

    def __repr__(self) -> str:
        return f"Call({self.content_type!r}, {len(self.body)} bytes, from {self.address})"


class Answer(NamedTuple):
    """Ready to be sent, but for its length."""

    status: int
    body: bytes
    headers: Headers = JSON


Handler = Callable[[Context, Call], Awaitable[Answer]]


async def serve(handler: Handler, context: Context, scope: Scope, receive: Receive) -> Answer:
    """The handler's answer, or that of the error it ended with; a bug goes on up."""
    try:
        answer = await handler(context, await _read(scope, receive))
    except EXPECTED as error:
        status, headers, body = refuse_as_json(scope, error)
        answer = Answer(
            status, body, [(name.lower().encode(), text.encode()) for name, text in headers.items()]
        )
    if scope["path"] in READABLE:
        return Answer(answer.status, answer.body, [*answer.headers, ANY_ORIGIN])
    return answer


async def respond(handler: Handler, request: Request) -> Response:
    """The same as an endpoint of the framework gives it."""
    answer = await serve(handler, context_of(request), request.scope, request.receive)
    response = Response(answer.body, answer.status)
    response.raw_headers.extend(answer.headers)
    return response


async def _read(scope: Scope, receive: Receive) -> Call:
    content_type = authorization = accept = None
    is_split = False
    for name, value in scope["headers"]:
        if name == b"content-type":
            if content_type is not None:  # of two a proxy may have judged one and we the other
                raise invalid_request("there is more than one Content-Type header")
            content_type = value.decode("latin-1")
        elif name == b"authorization":
            if authorization is not None:
                raise invalid_request("there is more than one Authorization header")
            authorization = value.decode("latin-1")
        elif name == b"accept":
            is_split = accept is not None
            accept = value
    if is_split:  # joined once: each added to those before, all would be copied as often as others follow
        accept = b", ".join([value for name, value in scope["headers"] if name == b"accept"])
    return Call(content_type, await read_body(receive), authorization, address_of(scope), accept)

"""The machine endpoints take bytes and give bytes, whoever carries them between the socket and the handler."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope

from app.context import Context
from app.oauth.client import application_id_of, parse_client_id
from app.oauth.errors import OAuthError, invalid_request
from app.oauth.request import TokenRequest
from app.refused import RefusedError
from app.web.answer import Answer, Headers, as_response, spelt
from app.web.cross_origin import ANY_ORIGIN, READABLE
from app.web.errors import refuse_as_json
from app.web.request import address_of, context_of, read_body


@dataclass(repr=False, slots=True)
class Call:
    """What a token request and a question about a token are read from. address: of the caller, or its network.

    client_id: the application that it says it comes from, proved or not, once its handler has read that.
    """

    content_type: str | None
    body: bytes
    authorization: str | None
    address: str
    accept: bytes | None = None
    client_id: str | None = None

    def __repr__(self) -> str:
        return f"Call({self.content_type!r}, {len(self.body)} bytes, from {self.address})"


Handler = Callable[[Context, Call], Awaitable[Answer]]


async def serve(handler: Handler, context: Context, scope: Scope, receive: Receive) -> Answer:
    """The handler's answer, or that of the error it ended with; a bug goes on up."""
    call = None
    try:
        call = await _read(scope, receive)
        answer = await handler(context, call)
    except RefusedError as refused:
        status, headers, body = refuse_as_json(scope, refused, issuer=context.policy.issuer)
        if call is not None and (client_id := _claimed_client_id(context, call)):
            scope["refused"]["client_id"] = client_id
        answer = Answer(status, body, spelt(headers))
    if scope["path"] in READABLE:
        return Answer(answer.status, answer.body, [*answer.headers, ANY_ORIGIN])
    return answer


async def respond(handler: Handler, request: Request) -> Response:
    """The same as an endpoint of the framework gives it."""
    return as_response(await serve(handler, context_of(request), request.scope, request.receive))


def _claimed_client_id(context: Context, call: Call) -> str | None:
    """For the log: the application that a refused request says it comes from, whether it proved so or not.

    None for what is no client_id: nobody may write into the log what is neither spelt like ours nor the name of an
    application that is remembered.
    """
    claimed = call.client_id or _read_again(call)
    if claimed is None or parse_client_id(claimed):
        return claimed
    application_id = application_id_of(claimed)
    known = context.gathered.applications.recall(application_id) if application_id else None
    return claimed if known is not None and known.client.is_called(claimed) else None


def _read_again(call: Call) -> str | None:
    """The application where the handler could not read the rest."""
    try:
        return TokenRequest.parse(call.content_type, call.body, call.authorization).credentials.client_id
    except OAuthError:
        return None


async def _read(scope: Scope, receive: Receive) -> Call:
    headers = scope["headers"]
    fields = dict(headers)
    content_type, authorization = fields.get(b"content-type"), fields.get(b"authorization")
    accept = fields.get(b"accept")
    if len(fields) < len(headers):
        _refuse_two_of(headers)
        if accept is not None:
            accept = b", ".join([value for name, value in headers if name == b"accept"])
    return Call(
        None if content_type is None else content_type.decode("latin-1"),
        await read_body(receive),
        None if authorization is None else authorization.decode("latin-1"),
        address_of(scope),
        accept,
    )


def _refuse_two_of(headers: Headers) -> None:
    """Two lines of a field that has one: a proxy may have judged one and we the other."""
    names = [name for name, _ in headers]
    for name, spelling in ((b"content-type", "Content-Type"), (b"authorization", "Authorization")):
        if names.count(name) > 1:
            raise invalid_request(f"there is more than one {spelling} header")

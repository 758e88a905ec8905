"""The one place where an exception becomes an answer: JSON, an AEMP document, or a page."""

from collections.abc import Callable
from http import HTTPStatus

import orjson
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from app.aemp.address.negotiation import Representation
from app.aemp.model.errors import AempError
from app.aemp.write.render_error import render_error
from app.door.answers import TURNED_AWAY
from app.oauth.challenge import printable
from app.refused import RefusedError
from app.sentence import Sentence
from app.web.answer import Answer, as_response, spelt
from app.web.api.documents import answer_refusal
from app.web.api.negotiated import representation_of
from app.web.api.rate_limit import rate_headers
from app.web.cross_origin import READINGS, reading_headers
from app.web.error_pages import error_uri
from app.web.pages.render import page
from app.web.paths import (
    ACCOUNT,
    AUTHORIZE,
    CONNECTIONS,
    CONSENT,
    HOME,
    LOGIN,
    PEOPLE,
    REFUSED_REQUEST,
    REQUESTS,
    RESOURCE_METADATA,
)
from app.web.request import NO_STORE, context_of, field_value
from app.web.table import ErrorForm, error_form, is_aemp_1_2

# In the body. The challenge of a request without a token names no error (RFC 6750 section 3.1).
NO_TOKEN = "unauthorized", "Send an access token: Authorization: Bearer ..."


def mount_errors(app: FastAPI) -> None:
    for kind in (RefusedError, HTTPException):
        app.add_exception_handler(kind, answer)


async def answer(request: Request, error: Exception) -> Response:
    """The answer to a refusal that was raised while this request was served."""
    refused = error if isinstance(error, RefusedError) else _unrouted(error)
    _note(request.scope, refused)
    return _renderer(request)(request, refused)


def refuse_as_aemp(request: Request, refused: RefusedError) -> Answer:
    """The same at an address of the API, as the front sends it."""
    _note(request.scope, refused)
    return _aemp_answer(request, refused)


def refuse_as_json(scope: Scope, refused: RefusedError, *, issuer: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the answer that a machine endpoint gives to a refusal (RFC 6749 section 5.2)."""
    _note(scope, refused)
    return refused.status, *_json_parts(scope, refused, issuer)


def _note(scope: Scope, refused: RefusedError) -> None:
    """Note the reason for the request's line in the log; the answer only says what. The door hears of who is to slow down."""
    scope["refused"] = {"error": refused.code, "detail": str(refused)}
    scope[TURNED_AWAY] = refused.code == "slow_down"


def unexpected(request: Request) -> Response:
    """A bug: it was logged, and the caller learns nothing of it."""
    bare = RefusedError(
        Sentence("Something went wrong on our side."),
        code="server_error",
        status=500,
        title=Sentence("Something went wrong"),
    )
    return _renderer(request)(request, bare)


def _unrouted(error: Exception) -> RefusedError:
    """A refusal by the router itself. Raises TypeError when it is given anything else."""
    if not isinstance(error, HTTPException):
        raise TypeError(f"no answer is defined for {type(error).__name__}")
    phrase = HTTPStatus(error.status_code).phrase
    code = phrase.lower().replace(" ", "_").replace("-", "_")
    return RefusedError(
        f"{phrase}.",
        code=code,
        status=error.status_code,
        detail=str(error),
        headers=tuple((error.headers or {}).items()),
    )


def _renderer(request: Request) -> Callable[[Request, RefusedError], Response]:
    return _RENDERERS[error_form(request.scope["path"])]


def _json(request: Request, refused: RefusedError) -> Response:
    # A bug may lie anywhere, so nothing is asked to tell of one.
    issuer = None if refused.status == HTTPStatus.INTERNAL_SERVER_ERROR else context_of(request).policy.issuer
    headers, body = _json_parts(request.scope, refused, issuer)
    told = spelt(headers)
    if request.scope["path"] in READINGS:
        told += [*rate_headers(request), *reading_headers(request.scope["path"])]
    return as_response(Answer(refused.status, body, told))


def _json_parts(scope: Scope, refused: RefusedError, issuer: str | None) -> tuple[dict[str, str], bytes]:
    # A wrong method or address is the caller's request being invalid, in OAuth's words.
    code = "invalid_request" if refused.code in ("not_found", "method_not_allowed") else refused.code
    told = {
        "error": code or NO_TOKEN[0],
        "error_description": printable(refused.what or NO_TOKEN[1]),
        "error_uri": error_uri(issuer, code) if issuer else None,
        "reference": scope["request_id"],
    }
    headers = {"Content-Type": "application/json", **NO_STORE, **dict(refused.headers)}
    return headers, orjson.dumps({name: text for name, text in told.items() if text})


def _aemp(request: Request, refused: RefusedError) -> Response:
    return as_response(_aemp_answer(request, refused))


def _aemp_answer(request: Request, refused: RefusedError) -> Answer:
    try:
        accept, aemp_1_2 = field_value(request, b"accept"), is_aemp_1_2(request.scope["path"])
        representation = representation_of(accept, aemp_1_2=aemp_1_2)
    except AempError:  # an error nobody can read is still better sent than hidden
        representation = Representation.XML
    code, text = refused.code or NO_TOKEN[0], refused.what or NO_TOKEN[1]
    reference = request.scope["request_id"]
    content_type, body = render_error(representation, refused.status, code, text, reference=reference)
    headers = {**NO_STORE, **dict(refused.headers), "Content-Type": content_type}
    if "WWW-Authenticate" in headers:
        headers["WWW-Authenticate"] += _leads(context_of(request).policy.issuer, refused.code)
    told = [*spelt(headers), *rate_headers(request), *reading_headers(request.scope["path"])]
    return answer_refusal(request, refused.status, body, told)


def _leads(issuer: str, code: str) -> str:
    """More attributes of a challenge: the page about its error, and where to learn who gives tokens (RFC 9728 section 5.1)."""
    page_about = error_uri(issuer, code)
    explained = f', error_uri="{page_about}"' if page_about else ""
    return f'{explained}, resource_metadata="{issuer}{RESOURCE_METADATA}"'


# Refusals by the router itself, told to people: title and explanation.
_UNROUTED = {
    "not_found": (
        Sentence("There is no such page"),
        Sentence("The address is mistyped, or what was there is gone."),
    ),
    "method_not_allowed": (
        Sentence("This address opens no page"),
        Sentence("It belongs to a form. Please go back to where you came from, and use the form there."),
    ),
}


# The way on from a page that tells of a refusal: a text and an address.
_START = (Sentence("Go to the start page"), HOME)
_WAYS_ON = {
    "flow_lost": (Sentence("Sign in"), LOGIN),
    "already_connected": (Sentence("See your connected applications"), CONNECTIONS),
    "role_lacking": (Sentence("See who the owners are"), PEOPLE),
    "unknown_request": (Sentence("See the requests that wait for you"), REQUESTS),
    "request_over": (Sentence("See the requests that wait for you"), REQUESTS),
    "no_account": (Sentence("See what you can do"), ACCOUNT),
}


def _page(request: Request, refused: RefusedError) -> Response:
    usual = (refused.title or Sentence("This request cannot be completed"), _told(refused.what))
    title, explanation = _UNROUTED.get(refused.code, usual)
    way_on, leads_to = _WAYS_ON.get(refused.code, _START)
    response = page(
        request,
        "error.html",
        status=refused.status,
        title=title,
        explanation=explanation,
        way_on=way_on,
        way_on_url=leads_to,
        request_id=request.scope["request_id"],
        reference_url=_reference_url(request),
    )
    response.headers.update(dict(refused.headers))
    return response


def _reference_url(request: Request) -> str | None:
    """Where the owners of an application find out what was refused; None where it is a person's own matter."""
    if request.scope["path"] not in (AUTHORIZE, CONSENT):
        return None
    return f"{REFUSED_REQUEST}?reference={request.scope['request_id']}"


def _told(what: str) -> Sentence:
    """What programs are told, no catalogue has; it is quoted."""
    return what if isinstance(what, Sentence) else Sentence("The answer to programs is: %(what)s", what=what)


_RENDERERS: dict[ErrorForm, Callable[[Request, RefusedError], Response]] = {
    "json": _json,
    "aemp": _aemp,
    "page": _page,
}

"""The one place where an exception becomes an answer, in the form its caller reads: JSON, an AEMP document, or a page."""

from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Literal

import orjson
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from app.aemp.address.negotiation import AEMP_1_2_OFFER, ISO_15143_OFFER, Representation, negotiate
from app.aemp.model.errors import AempError
from app.aemp.write.render_error import render_error
from app.flows.approval.browser_flow import FlowLostError
from app.oauth.errors import OAuthError, PageError, temporarily_unavailable
from app.storage.errors import StatementRefusedError, StoreUnavailableError
from app.web.api.rate_limit import rate_headers
from app.web.pages.render import page
from app.web.request import NO_STORE, context_of, field_value

RESOURCE_METADATA = "/.well-known/oauth-protected-resource/api"

Form = Literal["json", "aemp", "page"]


@dataclass(frozen=True, slots=True)
class Failure:
    """An error on its way out: what programs read, what people read, and the headers that belong to it."""

    status: int
    code: str
    text: str
    title: str = ""
    headers: dict[str, str] = field(default_factory=dict)


# What a flow may end with by design.
EXPECTED = (OAuthError, PageError, AempError, FlowLostError, StoreUnavailableError, StatementRefusedError)


def mount_errors(app: FastAPI) -> None:
    for kind in (*EXPECTED, HTTPException):
        app.add_exception_handler(kind, answer)


async def answer(request: Request, error: Exception) -> Response:
    """The answer to an error that was raised while this request was served."""
    failure = _failure(error)
    _note(request.scope, failure, error)
    return _RENDERERS[_form(request)](request, failure)


def refuse_as_json(scope: Scope, error: Exception) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the answer that a machine endpoint gives to an error (RFC 6749 section 5.2)."""
    failure = _failure(error)
    _note(scope, failure, error)
    return failure.status, *_json_parts(failure)


def _note(scope: Scope, failure: Failure, error: Exception) -> None:
    """For the request's line in the log, which says why, where the answer only says what."""
    scope["refused"] = {"error": failure.code, "detail": str(error)}


def unexpected(request: Request) -> Response:
    """A bug: it was logged, and the caller learns nothing of it."""
    failure = Failure(500, "server_error", "Something went wrong on our side.", "Something went wrong")
    return _RENDERERS[_form(request)](request, failure)


def _failure(error: Exception) -> Failure:
    match error:
        case OAuthError():
            return Failure(error.status, error.error, error.description, headers=dict(error.headers))
        case AempError():
            return Failure(error.status, error.code, error.message, headers=dict(error.headers))
        case PageError():
            return Failure(error.status, "page_error", error.explanation, error.title)
        case FlowLostError():
            return Failure(
                400,
                "flow_lost",
                "The page was open too long, or was begun in another browser or window. Nothing was changed. "
                "Please start again where you came from.",
                "This page has expired",
            )
        case StoreUnavailableError() | StatementRefusedError():
            away = temporarily_unavailable()
            headers = dict(away.headers)
            return Failure(away.status, away.error, away.description, "We are briefly unavailable", headers)
        case HTTPException():
            phrase = HTTPStatus(error.status_code).phrase
            code = phrase.lower().replace(" ", "_").replace("-", "_")
            return Failure(error.status_code, code, f"{phrase}.", headers=dict(error.headers or {}))
    raise TypeError(f"no answer is defined for {type(error).__name__}")


def _form(request: Request) -> Form:
    path = request.scope["path"]
    if path.startswith("/api/"):
        return "aemp"
    oauth = path.startswith("/app/oauth2/") and not path.endswith(("/authorize", "/consent"))
    machine = oauth or path.startswith(("/.well-known/", "/health/", "/version"))
    return "json" if machine else "page"


def _json(_request: Request, failure: Failure) -> Response:
    headers, body = _json_parts(failure)
    return Response(body, failure.status, headers)


def _json_parts(failure: Failure) -> tuple[dict[str, str], bytes]:
    # A wrong method or address is the caller's request being invalid, in OAuth's words.
    code = "invalid_request" if failure.code in ("not_found", "method_not_allowed") else failure.code
    document = {"error": code} | ({"error_description": failure.text} if failure.text else {})
    headers = {"Content-Type": "application/json", **NO_STORE, **failure.headers}
    return headers, orjson.dumps(document)


def _aemp(request: Request, failure: Failure) -> Response:
    offer = AEMP_1_2_OFFER if request.scope["path"].startswith("/api/v1/") else ISO_15143_OFFER
    try:
        representation = negotiate(field_value(request, "accept"), offer)
    except AempError:  # an error nobody can read is still better sent than hidden
        representation = Representation.XML
    code = failure.code or "unauthorized"
    text = failure.text or "Send an access token: Authorization: Bearer ..."
    content_type, body = render_error(representation, failure.status, code, text)
    headers = {
        **NO_STORE,
        **rate_headers(request),
        "Vary": "Accept",
        **failure.headers,
        "Content-Type": content_type,
    }
    if "WWW-Authenticate" in headers:  # RFC 9728 section 5.1: where to learn who gives tokens
        address = f"{context_of(request).policy.issuer}{RESOURCE_METADATA}"
        headers["WWW-Authenticate"] += f', resource_metadata="{address}"'
    return Response(body, failure.status, headers)


# What the router refuses by itself, told to people: title and explanation.
_UNROUTED = {
    "not_found": ("There is no such page", "The address is mistyped, or what was there is gone."),
    "method_not_allowed": (
        "This address opens no page",
        "It belongs to a form. Please go back to where you came from, and use the form there.",
    ),
}


def _page(request: Request, failure: Failure) -> Response:
    usual = (failure.title or "This request cannot be completed", failure.text)
    title, explanation = _UNROUTED.get(failure.code, usual)
    response = page(
        request,
        "error.html",
        status=failure.status,
        title=title,
        explanation=explanation,
        request_id=request.scope.get("request_id", ""),
    )
    response.headers.update(failure.headers)
    return response


_RENDERERS: dict[Form, Callable[[Request, Failure], Response]] = {"json": _json, "aemp": _aemp, "page": _page}

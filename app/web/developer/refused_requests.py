"""The refused requests of an application with their exact causes, and the one that a reference names."""

from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from app.flows.approval.browser_flow import SignInFlow
from app.flows.developer.refused_requests import find_refused, list_refused
from app.oauth.client import parse_client_id
from app.oauth.parameters import parse_query
from app.storage.token.refused_requests import KeptRefusal
from app.web.developer.frame import address_below, application_page, owner_here
from app.web.error_pages import error_uri
from app.web.pages.account import account_page
from app.web.pages.login import login_page
from app.web.pages.signed_in import person_here
from app.web.paths import DEVELOPER, REFUSED_REQUEST, REFUSED_REQUESTS
from app.web.request import context_of, raw_query, with_query

_ON_A_PAGE = 25
_LONGEST_REFERENCE = 64


async def refused_requests(request: Request) -> Response:
    owner = await owner_here(request, REFUSED_REQUESTS)
    if isinstance(owner, Response):
        return owner
    before = parse_client_id(parse_query(raw_query(request)).values.get("before", ""))
    found = await list_refused(
        context_of(request), owner.application.client.id, before=before, most=_ON_A_PAGE + 1
    )
    return application_page(
        request,
        owner,
        REFUSED_REQUESTS,
        "developer/refused_requests.html",
        refusals=[_shown(request, each) for each in found[:_ON_A_PAGE]],
        older_url=_older(owner.application.client.id, found),
        find_action=REFUSED_REQUEST,
    )


async def find(request: Request) -> Response:
    """What a reference names, of one's own applications or of none that is known."""
    person = await person_here(request)
    if person is None:
        return await login_page(request, SignInFlow(with_query(REFUSED_REQUEST, raw_query(request))))
    reference = parse_query(raw_query(request)).values.get("reference", "").strip()[:_LONGEST_REFERENCE]
    found = await find_refused(context_of(request), person, reference) if reference else ()
    return account_page(
        request,
        person,
        DEVELOPER,
        "developer/refused_request.html",
        back_to=REFUSED_REQUEST,
        reference=reference,
        refusals=[_shown(request, each) for each in found],
        find_action=REFUSED_REQUEST,
    )


def _older(application_id: UUID, found: tuple[KeptRefusal, ...]) -> str | None:
    """The address of the page of older ones; None where there are none."""
    if len(found) <= _ON_A_PAGE:
        return None
    return f"{address_below(REFUSED_REQUESTS, application_id)}?before={found[_ON_A_PAGE - 1].id}"


def _shown(request: Request, refusal: KeptRefusal) -> dict[str, Any]:
    return {
        "at": refusal.at,
        "path": refusal.path,
        "status": refusal.status,
        "error": refusal.error,
        "detail": refusal.detail,
        "reference": refusal.reference,
        "about": error_uri(context_of(request).policy.issuer, refusal.error),
    }

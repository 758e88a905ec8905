"""The operators' queue of reviews, and the page where a reviewer decides."""

from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from app.flows.account.prove import FieldError
from app.flows.developer.proposing import ReviewError
from app.flows.developer.ready import NotReadyError
from app.flows.developer.review import REVIEWING, ReviewerError, approve_review, refuse_review
from app.flows.developer.reviews import Reviewed, find_review, list_reviews
from app.oauth.parameters import parse_query
from app.oauth.redirect_uri import RedirectUriError
from app.oauth.registration import RegistrationError
from app.oauth.scope import KNOWN_SCOPES
from app.refused import RefusedError
from app.sentence import Sentence
from app.storage.people.people import Person
from app.web.pages.account import account_page
from app.web.pages.account_form import Fault, Posted, posted_form, sealed_form
from app.web.pages.described import compared
from app.web.pages.login import note_refusal
from app.web.pages.operator_here import operator_here
from app.web.pages.render import see_other
from app.web.paths import LOGIN, REVIEW, REVIEW_APPROVE, REVIEW_REFUSE, REVIEWS
from app.web.request import context_of, raw_query

_APPROVE, _REFUSE = "approve review", "refuse review"
_DONE = {
    "approved": Sentence("It was approved. Its owners are told by mail."),
    "refused": Sentence("It was refused. Its owners are told by mail."),
}
_DECISIONS = {
    "approved": Sentence("Approved"),
    "refused": Sentence("Refused"),
    "withdrawn": Sentence("Taken back by its owners"),
}
_CANNOT = Sentence("It cannot go live as it is proposed. Refuse it, and tell its owners what to change.")


async def reviews(request: Request) -> Response:
    person = await operator_here(request, REVIEWS)
    if isinstance(person, Response):
        return person
    waiting = await list_reviews(context_of(request))
    return account_page(
        request,
        person,
        REVIEWS,
        "reviews.html",
        notice=_DONE.get(parse_query(raw_query(request)).values.get("done", "")),
        reviews=[
            {
                "url": _address(REVIEW, each.review.id),
                "name": each.review.proposed.name,
                "company": each.review.proposed.company,
                "asked_at": each.review.asked_at,
                "goes_live": each.review.goes_live,
            }
            for each in waiting
        ],
    )


async def review(request: Request) -> Response:
    """Whoever may decide shows the second factor first, so that no decision is interrupted."""
    review_id = request.path_params["review"]
    here = _address(REVIEW, review_id)
    person = await operator_here(request, here)
    if isinstance(person, Response):
        return person
    found = await find_review(context_of(request), review_id)
    if found.waits and person.operator_role in REVIEWING:
        person = await operator_here(request, here, lately=True)
        if isinstance(person, Response):
            return person
    return _page(request, person, found)


async def submit_approval(request: Request) -> Response:
    return await _decide(request, _APPROVE)


async def submit_refusal(request: Request) -> Response:
    return await _decide(request, _REFUSE)


async def _decide(request: Request, action: str) -> Response:
    review_id = request.path_params["review"]
    person = await operator_here(request, _address(REVIEW, review_id), lately=True)
    if isinstance(person, Response):
        return person
    posted = await posted_form(request, action)
    if posted is None:
        return see_other(LOGIN)
    context, reason = context_of(request), posted.field("reason")
    found = await find_review(context, review_id)
    application_id, seen = found.review.application_id, _seen(posted, review_id)
    try:
        if action == _APPROVE:
            await approve_review(context, posted.actor, application_id, seen=seen)
        else:
            await refuse_review(context, posted.actor, application_id, seen=seen, reason=reason)
    except (
        ReviewError,
        ReviewerError,
        NotReadyError,
        FieldError,
        RegistrationError,
        RedirectUriError,
    ) as refused:
        fault = _fault(request, action, refused)
        return _page(request, person, await find_review(context, review_id), fault, reason)
    return see_other(f"{REVIEWS}?done={'approved' if action == _APPROVE else 'refused'}")


def _fault(request: Request, action: str, refused: RefusedError) -> Fault:
    note_refusal(request, refused.code, str(refused))
    field = refused.field if isinstance(refused, FieldError) else ""
    told = refused.what if isinstance(refused.what, Sentence) else _CANNOT
    return Fault(action, field, told, refused.status)


def _seen(posted: Posted, review_id: UUID) -> str:
    meant, _, seen = posted.subject.partition(" ")
    return seen if meant == str(review_id) else ""


def _page(
    request: Request, person: Person, found: Reviewed, fault: Fault | None = None, reason: str = ""
) -> Response:
    review, standing = found.review, found.standing
    subject = f"{review.id} {standing.seen}"
    return account_page(
        request,
        person,
        REVIEWS,
        "review.html",
        status=fault.status if fault else 200,
        back_to=_address(REVIEW, review.id),
        fault=fault,
        review=review,
        decision=_DECISIONS[review.decision] if review.decision else None,
        live_at=standing.application.live_at,
        created_at=standing.application.created_at,
        suspended=not standing.application.client.active,
        client_id=standing.application.client.client_id,
        owners=standing.owners,
        marks=found.marks if found.waits else (),
        rows=compared(standing.application.description, review.proposed, all_members=True),
        scopes=_scopes(found),
        decides=found.waits and person.operator_role in REVIEWING,
        approve=(_address(REVIEW_APPROVE, review.id), sealed_form(request, _APPROVE, subject)),
        refuse=(_address(REVIEW_REFUSE, review.id), sealed_form(request, _REFUSE, subject)),
        reason=reason,
        reviews_url=REVIEWS,
    )


def _scopes(found: Reviewed) -> list[dict[str, Any]]:
    """Each that is proposed, with what it opens and why its owners want it."""
    return [
        {
            "name": name,
            "lines": KNOWN_SCOPES.get(name, ()),
            "reason": found.standing.scope_reasons.get(name, ""),
        }
        for name in found.review.proposed.scope
    ]


def _address(path: str, review_id: UUID) -> str:
    return path.replace("{review:uuid}", str(review_id))

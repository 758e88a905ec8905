"""The people of an application: who owns it, who is invited, and the way in and out."""

from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from app.flows.account.add_customer import PersonError
from app.flows.account.rights import OwnerError
from app.flows.developer.own_people import (
    invite_owner,
    list_owners,
    remove_owner,
    withdraw_owner_invitation,
)
from app.oauth.parameters import parse_query
from app.sentence import Sentence
from app.storage.people.application_owners import ApplicationOwner
from app.web.developer.frame import OwnerHere, address_below, application_page, owner_here, posting_owner
from app.web.pages.account_form import Fault, Posted, refused_at, sealed_form
from app.web.pages.language import language_of
from app.web.pages.render import see_other
from app.web.paths import DEVELOPER, INVITE_OWNER, OWNERS, REMOVE_OWNER, WITHDRAW_OWNER
from app.web.request import context_of, raw_query

_INVITE, _WITHDRAW, _REMOVE = "invite owner", "withdraw owner", "remove owner"
_UNPROCESSABLE = 422
_DONE = {
    "invited": Sentence("The invitation is on its way."),
    "withdrawn": Sentence("The invitation was withdrawn."),
    "removed": Sentence("The person does not own the application any more."),
}


async def owners(request: Request) -> Response:
    owner = await owner_here(request, OWNERS)
    return owner if isinstance(owner, Response) else await _page(request, owner)


async def submit_invitation(request: Request) -> Response:
    found = await posting_owner(request, OWNERS, _INVITE)
    if isinstance(found, Response):
        return found
    owner, posted = found
    email, language = posted.field("email"), language_of(request, owner.person).code
    application_id = owner.application.client.id
    try:
        await invite_owner(
            context_of(request), owner.actor, owner.person, application_id, email, language=language
        )
    except PersonError as refused:
        fault = refused_at(request, _INVITE, "email", refused, _UNPROCESSABLE)
        return await _page(request, owner, fault, email)
    except OwnerError as refused:
        return await _page(request, owner, refused_at(request, _INVITE, "email", refused), email)
    return _done(owner, "invited")


async def submit_withdrawal(request: Request) -> Response:
    found = await posting_owner(request, OWNERS, _WITHDRAW)
    if isinstance(found, Response):
        return found
    owner, posted = found
    try:
        await withdraw_owner_invitation(
            context_of(request), owner.actor, owner.application.client.id, _about(posted)
        )
    except OwnerError as refused:
        return await _page(request, owner, refused_at(request, _WITHDRAW, "", refused))
    return _done(owner, "withdrawn")


async def submit_removal(request: Request) -> Response:
    found = await posting_owner(request, OWNERS, _REMOVE)
    if isinstance(found, Response):
        return found
    owner, posted = found
    person_id = _about(posted)
    try:
        await remove_owner(context_of(request), owner.actor, owner.application.client.id, person_id)
    except OwnerError as refused:
        return await _page(request, owner, refused_at(request, _REMOVE, "", refused))
    return see_other(DEVELOPER) if person_id == owner.person.id else _done(owner, "removed")


def _about(posted: Posted) -> UUID:
    """The id of a person or an invitation, which is sealed in the form behind the application's."""
    return UUID(posted.subject.partition(" ")[2])


def _done(owner: OwnerHere, what: str) -> Response:
    return see_other(f"{address_below(OWNERS, owner.application.client.id)}?done={what}")


async def _page(request: Request, owner: OwnerHere, fault: Fault | None = None, email: str = "") -> Response:
    application_id = owner.application.client.id
    found = await list_owners(context_of(request), application_id)
    return application_page(
        request,
        owner,
        OWNERS,
        "developer/owners.html",
        status=fault.status if fault else 200,
        fault=fault,
        email=email,
        notice=_DONE.get(parse_query(raw_query(request)).values.get("done", "")),
        owners=[_shown(request, owner, each) for each in found.owners],
        invitations=[
            {
                "email": each.email,
                "late": each.late,
                "hidden": sealed_form(request, _WITHDRAW, f"{application_id} {each.id}"),
            }
            for each in found.invitations
        ],
        invite=(
            address_below(INVITE_OWNER, application_id),
            sealed_form(request, _INVITE, str(application_id)),
        ),
        remove_action=address_below(REMOVE_OWNER, application_id),
        withdraw_action=address_below(WITHDRAW_OWNER, application_id),
    )


def _shown(request: Request, owner: OwnerHere, each: ApplicationOwner) -> dict[str, Any]:
    subject = f"{owner.application.client.id} {each.person_id}"
    return {
        "name": each.name,
        "email": each.email,
        "since": each.joined_at,
        "own": each.person_id == owner.person.id,
        "hidden": sealed_form(request, _REMOVE, subject),
    }

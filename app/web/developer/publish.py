"""From test mode to real customers: the checklist, the review, and the end of an application."""

from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from app.flows.account.prove import FieldError
from app.flows.account.rights import OwnerError
from app.flows.developer.change_own import delete_own_application
from app.flows.developer.hand_in import hand_in, withdraw
from app.flows.developer.proposing import ReviewError, as_live
from app.flows.developer.ready import NotReadyError, checklist
from app.flows.developer.standing import Standing, read_standing
from app.oauth.parameters import parse_query
from app.oauth.redirect_uri import RedirectUriError
from app.oauth.registration import RegistrationError
from app.sentence import Sentence
from app.storage.people.application_reviews import Review, select_last_decided
from app.web.developer.faults import fault_at
from app.web.developer.frame import OwnerHere, address_below, application_page, owner_here
from app.web.developer.settings import WITHDRAW_FORM, chosen_person, seen_for, subject_of
from app.web.pages.account_form import Fault, posted_form, refused_at, sealed_form
from app.web.pages.described import compared
from app.web.pages.render import see_other
from app.web.paths import (
    DELETE_APPLICATION,
    DEVELOPER,
    LOGIN,
    OWN_SETTINGS,
    PUBLISH,
    WITHDRAW_PROPOSAL,
)
from app.web.request import context_of, raw_query

_FORM, _DELETE = "hand in", "delete"
_DONE = {
    "handed-in": Sentence("It was handed in. You hear by mail what was decided."),
    "withdrawn": Sentence("The proposal was taken back."),
}


async def publish(request: Request) -> Response:
    owner = await owner_here(request, PUBLISH)
    return owner if isinstance(owner, Response) else await _page(request, owner)


async def submit_hand_in(request: Request) -> Response:
    owner = await owner_here(request, PUBLISH)
    posted = await posted_form(request, _FORM)
    if isinstance(owner, Response) or posted is None:
        return see_other(LOGIN)
    application_id, message = owner.application.client.id, posted.field("message")
    contact = chosen_person(posted.field("contact"))
    try:
        await hand_in(
            context_of(request),
            owner.actor,
            application_id,
            seen=seen_for(posted, application_id),
            message=message,
            contact_id=contact,
        )
    except (
        FieldError,
        NotReadyError,
        ReviewError,
        OwnerError,
        RegistrationError,
        RedirectUriError,
    ) as refused:
        fault = fault_at(request, _FORM, refused)
        return await _page(request, owner, fault, message=message, contact=contact)
    return _done(owner, "handed-in")


async def submit_withdrawal(request: Request) -> Response:
    owner = await owner_here(request, PUBLISH)
    posted = await posted_form(request, WITHDRAW_FORM)
    if isinstance(owner, Response) or posted is None:
        return see_other(LOGIN)
    try:
        await withdraw(context_of(request), owner.actor, owner.application.client.id)
    except (ReviewError, OwnerError) as refused:
        return await _page(request, owner, fault_at(request, WITHDRAW_FORM, refused))
    return _done(owner, "withdrawn")


async def submit_deletion(request: Request) -> Response:
    owner = await owner_here(request, PUBLISH)
    posted = await posted_form(request, _DELETE)
    if isinstance(owner, Response) or posted is None:
        return see_other(LOGIN)
    client_id, typed = owner.application.client.id, posted.field("name")
    if posted.subject != str(client_id):
        return see_other(address_below(PUBLISH, client_id))
    try:
        await delete_own_application(context_of(request), owner.actor, client_id, typed_name=typed)
    except FieldError as refused:
        return await _page(request, owner, refused_at(request, _DELETE, refused.field, refused), name=typed)
    return see_other(f"{DEVELOPER}?deleted")


def _done(owner: OwnerHere, done: str) -> Response:
    return see_other(f"{address_below(PUBLISH, owner.application.client.id)}?done={done}")


async def _page(  # what was typed in either form
    request: Request,
    owner: OwnerHere,
    fault: Fault | None = None,
    *,
    message: str = "",
    contact: UUID | None = None,
    name: str = "",
) -> Response:
    context, application_id = context_of(request), owner.application.client.id
    standing = await read_standing(context, application_id)
    application, points = standing.application, checklist(standing)
    done = parse_query(raw_query(request)).values.get("done", "") if fault is None else ""
    present = standing.contact.person_id if standing.contact else owner.person.id
    return application_page(
        request,
        owner,
        PUBLISH,
        "developer/publish.html",
        status=fault.status if fault else 200,
        fault=fault,
        notice=_DONE.get(done),
        live_at=application.live_at,
        suspended=not application.client.active,
        review=standing.review,
        refused=_refused(standing, await select_last_decided(context.database, application_id)),
        waiting=compared(application.description, standing.review.proposed, all_members=True)
        if standing.review
        else None,
        points=points,
        ready=all(point.met or not point.needed for point in points),
        dropped=[
            uri for uri in application.client.redirect_uris if uri not in as_live(standing).redirect_uris
        ],
        settings_url=address_below(OWN_SETTINGS, application_id),
        action=address_below(PUBLISH, application_id),
        hidden=sealed_form(request, _FORM, subject_of(standing)),
        withdraw_action=address_below(WITHDRAW_PROPOSAL, application_id),
        withdraw_hidden=sealed_form(request, WITHDRAW_FORM),
        delete_action=address_below(DELETE_APPLICATION, application_id),
        delete_hidden=sealed_form(request, _DELETE, str(application_id)),
        owners=[each for each in standing.owners if each.confirmed],
        typed={"message": message, "contact": contact or present, "name": name},
    )


def _refused(standing: Standing, last: Review | None) -> Review | None:
    """The last decision, while it was a no and nothing newer waits."""
    return last if last and last.decision == "refused" and standing.review is None else None

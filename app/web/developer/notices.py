"""Which mails about an application its owner gets: each owner chooses on a page of their own."""

from starlette.requests import Request
from starlette.responses import Response

from app.flows.account.rights import OwnerError
from app.flows.developer.own_notices import choose_notices
from app.oauth.parameters import parse_query
from app.sentence import Sentence
from app.storage.people.notices import ApplicationNotice, select_notices_off
from app.web.developer.frame import OwnerHere, address_below, application_page, owner_here, posting_owner
from app.web.pages.account_form import Fault, refused_at, sealed_form
from app.web.pages.notices import choices, ticked
from app.web.pages.render import see_other
from app.web.paths import OWN_NOTICES
from app.web.request import context_of, raw_query

_FORM = "choose notices"
_DONE = {"saved": Sentence("Your choice was saved.")}
_SAID: dict[ApplicationNotice, tuple[Sentence, Sentence]] = {
    "connected": (
        Sentence("A customer is connected"),
        Sentence("A company lets the application read its machines."),
    ),
    "changed": (
        Sentence("What the application may read is changed"),
        Sentence("A company chooses other machines, another history or another end."),
    ),
    "disconnected": (
        Sentence("A customer is disconnected"),
        Sentence("By the company, by the application, or by RoviTracker."),
    ),
    "ending": (
        Sentence("A connection ends in 30 days"),
        Sentence("One mail a day at most, about all your applications."),
    ),
    "secret": (
        Sentence("A secret or key is unused or old"),
        Sentence(
            "Nobody used it for 90 days, or it is older than a year. One mail in 30 days at most, about all your applications."
        ),
    ),
}


async def notices(request: Request) -> Response:
    owner = await owner_here(request, OWN_NOTICES)
    return owner if isinstance(owner, Response) else await _page(request, owner)


async def submit_notices(request: Request) -> Response:
    found = await posting_owner(request, OWN_NOTICES, _FORM)
    if isinstance(found, Response):
        return found
    owner, posted = found
    application_id = owner.application.client.id
    try:
        await choose_notices(context_of(request), owner.actor, application_id, ticked(posted, _SAID))
    except OwnerError as refused:
        return await _page(request, owner, refused_at(request, _FORM, "", refused))
    return see_other(f"{address_below(OWN_NOTICES, application_id)}?done=saved")


async def _page(request: Request, owner: OwnerHere, fault: Fault | None = None) -> Response:
    client = owner.application.client
    database = context_of(request).database
    off = await select_notices_off(database, "application", client.id, owner.person.id)
    return application_page(
        request,
        owner,
        OWN_NOTICES,
        "developer/notices.html",
        status=fault.status if fault else 200,
        fault=fault,
        notice=_DONE.get(parse_query(raw_query(request)).values.get("done", "")),
        action=address_below(OWN_NOTICES, client.id),
        hidden=sealed_form(request, _FORM, str(client.id)),
        email=owner.person.email,
        test=client.test,
        choices=choices(_SAID, off or ()),
    )

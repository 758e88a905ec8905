"""Which notices about its connections an owner of an account gets by mail: each owner chooses for themself."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app.flows.account.choose_notices import choose_account_notices
from app.flows.account.rights import RoleError
from app.sentence import Sentence
from app.storage.people.members import member_of
from app.storage.people.notices import AccountNotice, select_notices_off
from app.storage.people.people import Person
from app.web.pages.account_form import posted_form, sealed_form
from app.web.pages.notices import choices, ticked
from app.web.pages.render import see_other
from app.web.paths import CHOOSE_NOTICES, LOGIN, PROFILE
from app.web.request import context_of

_FORM = "choose account notices"
_SAID: dict[AccountNotice, tuple[Sentence, Sentence]] = {
    "changed": (
        Sentence("What an application may read is changed"),
        Sentence("Other machines, another history or another end."),
    ),
    "disconnected": (
        Sentence("An application is disconnected"),
        Sentence("By somebody of the account, or by RoviTracker. All at once are one mail."),
    ),
    "ending": (
        Sentence("A connection ends in 30 days"),
        Sentence("Once for each end. What ends on one day is one mail."),
    ),
}


async def submit_notices(request: Request) -> Response:
    posted = await posted_form(request, _FORM)
    if posted is None:
        return see_other(LOGIN)
    member = member_of(posted.person)
    if member is None:
        raise RoleError("look")
    context = context_of(request)
    await choose_account_notices(context, member.actor, member.customer_id, ticked(posted, _SAID))
    return see_other(f"{PROFILE}?done=notices")


async def notices_shown(request: Request, person: Person) -> dict[str, Any] | None:
    """The form of an owner; nothing to choose for other members, and None for somebody who belongs to no account."""
    member = member_of(person)
    if member is None:
        return None
    if member.role != "owner":
        return {"choices": []}
    off = await select_notices_off(context_of(request).database, "account", member.customer_id, member.id)
    return {
        "choices": choices(_SAID, off or ()),
        "action": CHOOSE_NOTICES,
        "hidden": sealed_form(request, _FORM),
    }

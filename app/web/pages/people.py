"""The people of an account: roles changed, members removed, the account left, renamed, given to another owner."""

from typing import cast
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from app.flows.account.add_customer import PersonError
from app.flows.account.change_customer import RenamedError, rename_customer
from app.flows.account.change_member import (
    MemberError,
    change_role,
    leave_account,
    remove_member,
    transfer_ownership,
)
from app.flows.account.prove import FieldError
from app.flows.approval.browser_flow import SignInFlow
from app.oauth.member_role import MemberRole
from app.sentence import Sentence
from app.throttling.guesses import TooManyGuessesError
from app.web.pages.account_form import Fault, Posted, fault_of, posted_form, refused_at
from app.web.pages.language import language_of
from app.web.pages.login import login_page, visitor_of
from app.web.pages.passkey_proof import proof_of
from app.web.pages.people_page import (
    LEAVE_FORM,
    NAME_FORM,
    REMOVE_FORM,
    ROLE_FORM,
    TRANSFER_FORM,
    UPON_ALL,
    people_page,
    role_of,
)
from app.web.pages.render import see_other
from app.web.pages.signed_in import member_here, require_member
from app.web.paths import ACCOUNT, LOGIN, PEOPLE
from app.web.request import context_of


async def people(request: Request) -> Response:
    member = await member_here(request)
    if member is None:
        return await login_page(request, SignInFlow(PEOPLE))
    return await people_page(request, member)


async def submit_role(request: Request) -> Response:
    posted = await posted_form(request, ROLE_FORM)
    if posted is None:
        return see_other(LOGIN)
    member, (person_id, before) = require_member(posted.person), _subject(posted)
    role = role_of(posted)
    if role is None:
        fault = Fault(f"role {person_id}", "role", Sentence("Choose one of the roles."), 422)
        return await people_page(request, member, fault)
    try:
        await change_role(
            context_of(request),
            member.actor,
            member.customer_id,
            person_id,
            role,
            before=before,
            language=language_of(request, member).code,
        )
    except MemberError as refused:
        return await _refused(request, refused)
    return see_other(f"{PEOPLE}?done=role")


async def submit_remove(request: Request) -> Response:
    posted = await posted_form(request, REMOVE_FORM)
    if posted is None:
        return see_other(LOGIN)
    member, (person_id, before) = require_member(posted.person), _subject(posted)
    try:
        await remove_member(
            context_of(request),
            member.actor,
            member.customer_id,
            person_id,
            before=before,
            language=language_of(request, member).code,
        )
    except MemberError as refused:
        return await _refused(request, refused)
    return see_other(f"{PEOPLE}?done=removed")


async def submit_leave(request: Request) -> Response:
    posted = await posted_form(request, LEAVE_FORM)
    if posted is None:
        return see_other(LOGIN)
    member = require_member(posted.person)
    try:
        await leave_account(context_of(request), member.actor, member)
    except MemberError as refused:
        return await _refused(request, refused)
    return see_other(f"{ACCOUNT}?left")


async def submit_transfer(request: Request) -> Response:
    posted = await posted_form(request, TRANSFER_FORM)
    if posted is None:
        return see_other(LOGIN)
    member, to = require_member(posted.person), _person_id(posted.field("to"))
    if to is None:
        fault = Fault(TRANSFER_FORM, "to", Sentence("Choose the person who becomes owner."), 422)
        return await people_page(request, member, fault)
    try:
        await transfer_ownership(
            context_of(request),
            member.actor,
            member,
            visitor_of(request),
            await proof_of(request, posted),
            to=to,
        )
    except (FieldError, TooManyGuessesError) as error:
        return await people_page(request, member, fault_of(request, TRANSFER_FORM, error), {"to": str(to)})
    except MemberError as refused:
        return await _refused(request, refused)
    return see_other(f"{PEOPLE}?done=transferred")


async def submit_name(request: Request) -> Response:
    posted = await posted_form(request, NAME_FORM)
    if posted is None:
        return see_other(LOGIN)
    member, name = require_member(posted.person), posted.field("name")
    context, actor, before = context_of(request), member.actor, posted.subject
    try:
        await rename_customer(context, actor, member.customer_id, name, before=before)
    except (PersonError, RenamedError) as refused:
        status = 422 if isinstance(refused, PersonError) else refused.status
        fault = refused_at(request, NAME_FORM, "name", refused, status)
        return await people_page(request, member, fault, {"name": name})
    return see_other(f"{PEOPLE}?done=name")


async def _refused(request: Request, refused: MemberError) -> Response:
    """The page as it stands now, since somebody else changed something meanwhile."""
    member = await member_here(request)
    if member is None:
        return see_other(LOGIN)
    return await people_page(request, member, refused_at(request, UPON_ALL, "", refused))


def _subject(posted: Posted) -> tuple[UUID, MemberRole]:
    """The person it is about, and the role that its page showed. Nobody but this service can seal them."""
    person_id, _, role = posted.subject.partition(" ")
    return UUID(person_id), cast("MemberRole", role)


def _person_id(typed: str) -> UUID | None:
    try:
        return UUID(typed)
    except ValueError:
        return None

"""Invitations on the page of an account's people: made, sent again, withdrawn."""

from collections.abc import Awaitable, Callable
from functools import partial
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from app.context import Context
from app.flows.account.add_customer import PersonError
from app.flows.account.invite import InvitationError, invite, resend_invitation, withdraw_invitation
from app.oauth.actor import Actor
from app.sentence import Sentence
from app.web.pages.account_form import Fault, posted_form, refused_at
from app.web.pages.language import language_of
from app.web.pages.people_page import (
    INVITE_FORM,
    RESEND_FORM,
    UPON_ALL,
    WITHDRAW_FORM,
    people_page,
    role_of,
)
from app.web.pages.render import see_other
from app.web.pages.signed_in import require_member
from app.web.paths import LOGIN, PEOPLE
from app.web.request import context_of

_Verb = Callable[[Context, Actor, UUID, UUID], Awaitable[None]]


async def submit_invite(request: Request) -> Response:
    posted = await posted_form(request, INVITE_FORM)
    if posted is None:
        return see_other(LOGIN)
    member, email, role = require_member(posted.person), posted.field("email"), role_of(posted)
    kept = {"email": email, "role": role or ""}
    if role is None:
        fault = Fault(INVITE_FORM, "role", Sentence("Choose one of the roles."), 422)
        return await people_page(request, member, fault, kept)
    try:
        await invite(
            context_of(request),
            member.actor,
            member.customer_id,
            email=email,
            role=role,
            language=language_of(request, member).code,
        )
    except (PersonError, InvitationError) as refused:
        status = 422 if isinstance(refused, PersonError) else refused.status
        fault = refused_at(request, INVITE_FORM, "email", refused, status)
        return await people_page(request, member, fault, kept)
    return see_other(f"{PEOPLE}?done=invited")


async def submit_resend(request: Request) -> Response:
    verb = partial(resend_invitation, language=language_of(request).code)
    return await _submit(request, RESEND_FORM, verb, "resent")


async def submit_withdraw(request: Request) -> Response:
    return await _submit(request, WITHDRAW_FORM, withdraw_invitation, "withdrawn")


async def _submit(request: Request, form: str, verb: _Verb, done: str) -> Response:
    posted = await posted_form(request, form)
    if posted is None:
        return see_other(LOGIN)
    member = require_member(posted.person)
    try:
        await verb(context_of(request), member.actor, member.customer_id, UUID(posted.subject))
    except InvitationError as refused:
        return await people_page(request, member, refused_at(request, UPON_ALL, "", refused))
    return see_other(f"{PEOPLE}?done={done}")

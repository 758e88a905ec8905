"""The page on the people of an account: its members, the invitations that wait, and a form for each change."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app.flows.account.change_member import list_members
from app.flows.account.invite import list_invitations
from app.oauth.member_role import ROLES, MemberRole, may
from app.oauth.parameters import parse_query
from app.sentence import Sentence
from app.storage.people.invitations import ListedInvitation
from app.storage.people.members import ListedMember, Member
from app.web.pages.account import account_page
from app.web.pages.account_form import Fault, Posted, sealed_form
from app.web.pages.passkey_proof import asked_proof
from app.web.paths import (
    CHANGE_ROLE,
    INVITE,
    LEAVE_ACCOUNT,
    PEOPLE,
    REMOVE_MEMBER,
    RENAME_ACCOUNT,
    RESEND_INVITATION,
    TRANSFER_OWNERSHIP,
    WITHDRAW_INVITATION,
)
from app.web.request import context_of, raw_query

INVITE_FORM, RESEND_FORM, WITHDRAW_FORM = "invite", "resend invitation", "withdraw invitation"
NAME_FORM, ROLE_FORM, REMOVE_FORM = "account name", "change role", "remove member"
LEAVE_FORM, TRANSFER_FORM = "leave account", "transfer ownership"
UPON_ALL = "page"  # of a fault that belongs to no form of the page as it stands now

_DONE = {
    "invited": Sentence("The invitation is on its way."),
    "resent": Sentence("The invitation is on its way once more. It works for seven days from now."),
    "withdrawn": Sentence("The invitation was withdrawn. Its link opens nothing any more."),
    "role": Sentence("The role was changed. The person is told by mail."),
    "removed": Sentence("The person was removed and signed out, and is told by mail."),
    "transferred": Sentence(
        "The account has a new owner. You are connector now. Both of you are told by mail."
    ),
    "name": Sentence("The account has its new name."),
}


async def people_page(
    request: Request, member: Member, fault: Fault | None = None, kept: dict[str, str] | None = None
) -> Response:
    """The page as the account stands, with what is wrong with a form where it was posted.

    kept: what was typed into that form.
    """
    context = context_of(request)
    listed = await list_members(context, member.customer_id)
    # As the list has it, which is read later than the person, so that the page never contradicts itself.
    own = next((each for each in listed if each.person_id == member.id), None)
    owners = [each for each in listed if each.role == "owner"]
    may_manage = own is not None and may(own.role, "manage")
    invitations = await list_invitations(context, member.customer_id) if may_manage else ()
    asked = await asked_proof(request, member)
    response = account_page(
        request,
        member,
        PEOPLE,
        "people.html",
        status=fault.status if fault else 200,
        fault=fault,
        kept=kept or {},
        notice=None if fault else _DONE.get(parse_query(raw_query(request)).values.get("done", "")),
        roles=ROLES,
        may_manage=may_manage,
        owners=owners,
        last_owner=owners == [own],
        members=[_member(request, each, member) for each in listed],
        invitations=[_invitation(request, each) for each in invitations],
        others=[each for each in listed if each.role != "owner"],
        scripted=may_manage and asked.passkey is not None,
        asked=asked,
        forms=_forms(request, member),
    )
    if fault and fault.retry_after_s:
        response.headers["Retry-After"] = str(fault.retry_after_s)
    return response


def role_of(posted: Posted) -> MemberRole | None:
    """The role that was chosen; None when it is none."""
    typed = posted.field("role")
    return next((role for role in ROLES if role == typed), None)


def _forms(request: Request, member: Member) -> dict[str, Any]:
    return {
        "name": (RENAME_ACCOUNT, sealed_form(request, NAME_FORM, member.customer_name)),
        "invite": (INVITE, sealed_form(request, INVITE_FORM)),
        "leave": (LEAVE_ACCOUNT, sealed_form(request, LEAVE_FORM)),
        "transfer": (TRANSFER_OWNERSHIP, sealed_form(request, TRANSFER_FORM)),
    }


def _member(request: Request, listed: ListedMember, viewer: Member) -> dict[str, Any]:
    subject = f"{listed.person_id} {listed.role}"
    return {
        "id": str(listed.person_id),
        "name": listed.name,
        "email": listed.email,
        "role": listed.role,
        "joined": listed.joined_at,
        "second_factor": listed.second_factor,
        "own": listed.person_id == viewer.id,
        "change": (CHANGE_ROLE, sealed_form(request, ROLE_FORM, subject)),
        "remove": (REMOVE_MEMBER, sealed_form(request, REMOVE_FORM, subject)),
    }


def _invitation(request: Request, listed: ListedInvitation) -> dict[str, Any]:
    return {
        "email": listed.email,
        "role": listed.role,
        "by": listed.invited_by,
        "sent": listed.created_at,
        "expires": listed.expires_at,
        "late": listed.late,
        "mail": listed.mail_state,
        "mailed": listed.mail_settled_at,
        "resend": (RESEND_INVITATION, sealed_form(request, RESEND_FORM, str(listed.id))),
        "withdraw": (WITHDRAW_INVITATION, sealed_form(request, WITHDRAW_FORM, str(listed.id))),
    }

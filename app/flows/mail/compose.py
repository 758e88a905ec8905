"""Write the words of a queued mail, from what its ids lead to at the moment of sending."""

from collections.abc import Awaitable, Callable
from email.message import EmailMessage
from typing import cast
from urllib.parse import urlsplit

from app.context import Context
from app.flows.mail.addressed import letter_to as _letter
from app.flows.mail.addressed import names_of as _names
from app.flows.mail.addressed import reader_of as _person
from app.flows.mail.compose_connections import (
    applications_disconnected,
    connection_changed,
    connection_ending,
    connection_reported,
)
from app.flows.mail.compose_notices import (
    customer_changed,
    customer_connected,
    customer_disconnected,
    customers_ending,
    secrets_due,
)
from app.flows.mail.compose_requests import about_own_request, access_asked
from app.flows.mail.links import mint_email_link, mint_invitation_secret, mint_secret, mint_sign_up_secret
from app.mail.letters import Letter, Template
from app.mail.message import build_message
from app.oauth.member_role import ROLE_NAMES
from app.storage.mail.outbox import ClaimedMail
from app.storage.people.application_reviews import select_review
from app.storage.people.audit import select_audit_address
from app.storage.people.customers import select_customer_name
from app.storage.people.email_changes import Side, select_email_change
from app.storage.people.invitations import select_invitation
from app.storage.people.people import select_person, select_person_by_id, select_sign_in
from app.storage.people.sign_ups import select_sign_up


async def compose(context: Context, mail: ClaimedMail) -> EmailMessage | None:
    """The message to send; None when what it would tell of is gone, or nobody signs in with its address."""
    letter = await _LETTERS[cast("Template", mail.template)](context, mail)
    if letter is None:
        return None
    return build_message(
        letter,
        sender=context.outgoing.sender,
        recipient=mail.recipient,
        message_id=f"{mail.id}@{urlsplit(context.policy.issuer).hostname}",
        written_at=mail.queued_at,
    )


async def _test(context: Context, mail: ClaimedMail) -> Letter:
    return _letter(context, mail, None)


async def _about_event(context: Context, mail: ClaimedMail) -> Letter | None:
    """What happened, when, and from where."""
    person = await _person(context, mail)
    event = await select_audit_address(context.database, mail.about["event"])
    if person is None or event is None:
        return None
    at, address = event
    return _letter(
        context,
        mail,
        person.person,
        at=at,
        address=address,
        **_names(person),
    )


async def _password_forgotten(context: Context, mail: ClaimedMail) -> Letter | None:
    person = await _person(context, mail)
    if person is None or not person.enabled:
        return None
    secret = await mint_secret(context, "new password", person.person.id)
    return _letter(
        context,
        mail,
        person.person,
        secret=secret,
        **_names(person),
    )


async def _about_person(context: Context, mail: ClaimedMail) -> Letter | None:
    person = await _person(context, mail)
    return _letter(context, mail, person.person, **_names(person)) if person else None


async def _email_change(context: Context, mail: ClaimedMail) -> Letter | None:
    """To one of the two addresses of a change, which may have ended meanwhile."""
    change = await select_email_change(context.database, mail.about["change"])
    if change is None or change.ended or change.late:
        return None
    if mail.template == "email_new" and await select_person(context.database, change.new_email):
        return None  # who signs in with it already has to hear nothing of it
    person = await select_person_by_id(context.database, change.person_id)
    links: dict[str, Side] = {"email_new": "new", "email_old": "old", "email_changed_from": "old"}
    side = links.get(mail.template)
    secret = {"secret": await mint_email_link(context, change.id, side)} if side else {}
    return _letter(
        context,
        mail,
        person,
        name=person.name,
        old_email=change.old_email,
        new_email=change.new_email,
        until=change.ends_at,
        **secret,
    )


async def _email_set(context: Context, mail: ClaimedMail) -> Letter:
    """To an address that may be nobody's by now."""
    person = await select_person_by_id(context.database, mail.about["person"])
    return _letter(context, mail, person, name=person.name)


async def _invitation(context: Context, mail: ClaimedMail) -> Letter | None:
    """Known and unknown addresses get the same mail. It is left out when the invitation no longer waits."""
    found = await select_invitation(context.database, mail.about["invitation"])
    if found is None or found.accepted_at or found.withdrawn_at or found.late or not found.open:
        return None
    return _letter(
        context,
        mail,
        None,
        secret=await mint_invitation_secret(context, found.id),
        account=found.customer_name,
        inviter=found.inviter,
        role=ROLE_NAMES[found.role],
        until=found.expires_at,
    )


async def _invitation_accepted(context: Context, mail: ClaimedMail) -> Letter | None:
    owner = await _person(context, mail)
    joined = await select_person_by_id(context.database, mail.about["member"])
    if owner is None or owner.person.customer_id != mail.about["customer"] or joined.role is None:
        return None
    return _letter(
        context,
        mail,
        owner.person,
        joined=joined.name,
        email=joined.email,
        role=ROLE_NAMES[joined.role],
        **_names(owner),
    )


async def _role_changed(context: Context, mail: ClaimedMail) -> Letter | None:
    """The role is the one at sending, so that of two changes nobody is told the older one last."""
    found = await _person(context, mail)
    if found is None or found.person.customer_id != mail.about["customer"] or found.person.role is None:
        return None
    return _letter(
        context,
        mail,
        found.person,
        role=ROLE_NAMES[found.person.role],
        **_names(found),
    )


async def _removed_from_account(context: Context, mail: ClaimedMail) -> Letter | None:
    found = await _person(context, mail)
    account = await select_customer_name(context.database, mail.about["customer"])
    if found is None or account is None:
        return None
    return _letter(
        context,
        mail,
        found.person,
        name=found.person.name,
        account=account,
    )


async def _sign_up(context: Context, mail: ClaimedMail) -> Letter | None:
    """Whoever signs in with the address already is told so instead, and strangers learn nothing of it.

    Known and unknown addresses get the same invitation.
    """
    found = await select_sign_up(context.database, mail.about["sign_up"])
    if found is None or found.used_at or found.withdrawn_at or found.late:
        return None
    if mail.template == "owner_invitation":
        secret = await mint_sign_up_secret(context, found.id)
        return _letter(
            context, mail, None, secret=secret, application=found.application, inviter=found.inviter
        )
    known = await select_sign_in(context.database, found.email)
    if known is not None:
        return _letter(context, mail, known.person, secret=None, **_names(known))
    return _letter(context, mail, None, secret=await mint_sign_up_secret(context, found.id))


async def _review_decided(context: Context, mail: ClaimedMail) -> Letter | None:
    """To whoever owned the application then."""
    owner = await _person(context, mail)
    review = await select_review(context.database, mail.about["review"])
    if owner is None or review is None:
        return None
    return _letter(
        context,
        mail,
        owner.person,
        application=review.proposed.name,
        application_id=str(review.application_id),
        went_live=review.goes_live,
        reason=review.reason or "",
        **_names(owner),
    )


_LETTERS: dict[Template, Callable[[Context, ClaimedMail], Awaitable[Letter | None]]] = {
    "test": _test,
    "new_browser": _about_event,
    "new_browser_passkey": _about_event,
    "password_forgotten": _password_forgotten,
    "password_changed": _about_person,
    "email_new": _email_change,
    "email_old": _email_change,
    "email_changed": _email_change,
    "email_changed_from": _email_change,
    "email_set": _email_set,
    "account_closed": _about_person,
    "passkey_added": _about_event,
    "passkey_removed": _about_event,
    "invitation": _invitation,
    "invitation_accepted": _invitation_accepted,
    "role_changed": _role_changed,
    "removed_from_account": _removed_from_account,
    "connection_changed": connection_changed,
    "applications_disconnected": applications_disconnected,
    "connection_ending": connection_ending,
    "connection_reported": connection_reported,
    "sign_up": _sign_up,
    "owner_invitation": _sign_up,
    "access_asked": access_asked,
    "token_waits": about_own_request,
    "request_ended": about_own_request,
    "review_approved": _review_decided,
    "review_refused": _review_decided,
    "customer_connected": customer_connected,
    "customer_changed": customer_changed,
    "customer_disconnected": customer_disconnected,
    "customers_ending": customers_ending,
    "secrets_due": secrets_due,
}

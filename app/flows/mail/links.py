"""Links in mails hold a secret: made when the mail is sent, kept as a digest, good for one use."""

import hashlib
import secrets
from datetime import timedelta
from typing import Literal
from uuid import UUID

from app.context import Context
from app.refused import ToldError
from app.sentence import Sentence
from app.storage.mail.links import (
    MailLink,
    insert_invitation_link,
    insert_mail_link,
    insert_sign_up_link,
    mark_mail_link_used,
    mark_mail_links_used,
    select_mail_link,
)
from app.storage.people.access_request_changes import insert_pick_up_link
from app.storage.people.email_changes import Side, insert_email_change_link
from app.storage.people.invitations import Invitation, select_invitation_of_link
from app.storage.people.sign_ups import SignUp, select_sign_up_of_link
from app.storage.postgres.database import Statements, Transaction

LinkPurpose = Literal["new password"]

LIVES: dict[LinkPurpose, timedelta] = {"new password": timedelta(hours=1)}
INVITATION_LIFE = timedelta(days=7)
SIGN_UP_LIFE = timedelta(days=1)
LONGEST_SECRET = 64  # characters; ours have 43


class LinkError(ToldError):
    """A link that opens nothing: it was never made, was used, or came too late."""

    code = "link_unknown"
    status = 404
    title = Sentence("This link does not work")


async def mint_secret(context: Context, purpose: LinkPurpose, person_id: UUID) -> str:
    """The secret of a new link, in characters that an address may hold. Nobody can make it again from what is stored."""
    secret = secrets.token_urlsafe(32)
    await insert_mail_link(context.database, digest_of(secret), purpose, person_id, LIVES[purpose])
    return secret


async def mint_email_link(context: Context, change_id: UUID, side: Side) -> str:
    """The secret of a new link for one of the two addresses of a change."""
    secret = secrets.token_urlsafe(32)
    await insert_email_change_link(context.database, digest_of(secret), change_id, side)
    return secret


async def check_link(context: Context, secret: str, purpose: LinkPurpose) -> UUID:
    """The person it was mailed to. Nothing changes, so that scanners of mail may follow it.

    Raises LinkError when it opens nothing.
    """
    link = None
    if len(secret) <= LONGEST_SECRET:
        link = await select_mail_link(context.database, digest_of(secret), purpose)
    if link is None:
        raise _unknown()
    _refuse_spent(link)
    return link.person_id


async def use_link(transaction: Transaction, secret: str, purpose: LinkPurpose) -> None:
    """Use a link that was checked. Raises LinkError when another was faster, or its time ended meanwhile."""
    if not await mark_mail_link_used(transaction, digest_of(secret), purpose):
        raise _used()


async def end_links(transaction: Transaction, person_id: UUID, purpose: LinkPurpose) -> None:
    """End every link of a person that still works, since what it was for has happened."""
    await mark_mail_links_used(transaction, person_id, purpose)


async def mint_invitation_secret(context: Context, invitation_id: UUID) -> str:
    """The secret of a new link to an invitation. Links of earlier mails about it go on working."""
    secret = secrets.token_urlsafe(32)
    await insert_invitation_link(context.database, digest_of(secret), invitation_id, INVITATION_LIFE)
    return secret


async def check_invitation_link(statements: Statements, secret: str) -> Invitation:
    """The invitation that was mailed. Nothing changes, so that scanners of mail may follow it.

    Raises LinkError when the link is none of ours, and when the invitation was accepted, withdrawn, or is too old.
    """
    invitation = None
    if len(secret) <= LONGEST_SECRET:
        invitation = await select_invitation_of_link(statements, digest_of(secret))
    if invitation is None:
        raise _unknown()
    _require_open(invitation)
    return invitation


def _require_open(invitation: Invitation) -> None:
    if invitation.accepted_at is not None:
        raise LinkError(
            Sentence(
                "It was accepted, and a link works once. Whoever accepted it signs in with the address it went to."
            ),
            code="invitation_accepted",
            status=410,
            title=Sentence("This invitation was accepted already"),
        )
    if invitation.withdrawn_at is not None:
        raise LinkError(
            Sentence("An owner of the account took it back. Ask for another if you think that is a mistake."),
            code="invitation_withdrawn",
            status=410,
            title=Sentence("This invitation was withdrawn"),
        )
    if invitation.late or not invitation.open:
        raise LinkError(
            Sentence(
                "An invitation works for seven days, while the account is open. Ask an owner of the account to send it again."
            ),
            code="link_late",
            status=410,
            title=Sentence("This invitation no longer works"),
        )


async def mint_pick_up_link(context: Context, request_id: UUID) -> str:
    """The secret of a new link to a token that waits. Links of earlier mails go on working until one was used."""
    secret = secrets.token_urlsafe(32)
    await insert_pick_up_link(context.database, digest_of(secret), request_id)
    return secret


async def mint_sign_up_secret(context: Context, sign_up_id: UUID) -> str:
    """The secret of a new link that finishes a sign-up, whose row says how long it works."""
    secret = secrets.token_urlsafe(32)
    await insert_sign_up_link(context.database, digest_of(secret), sign_up_id, INVITATION_LIFE)
    return secret


async def check_sign_up_link(statements: Statements, secret: str) -> SignUp:
    """The sign-up that was mailed. Nothing changes, so that scanners of mail may follow it.

    Raises LinkError when the link is none of ours, was used or withdrawn, or is too old.
    """
    sign_up = None
    if len(secret) <= LONGEST_SECRET:
        sign_up = await select_sign_up_of_link(statements, digest_of(secret))
    if sign_up is None:
        raise _unknown()
    if sign_up.used_at is not None:
        raise _used()
    if sign_up.withdrawn_at is not None:
        raise LinkError(
            Sentence(
                "An owner of the application took it back. Ask for another if you think that is a mistake."
            ),
            code="invitation_withdrawn",
            status=410,
            title=Sentence("This invitation was withdrawn"),
        )
    if sign_up.late:
        raise LinkError(
            Sentence("A link works for some days only. Sign up again or ask for another mail."),
            code="link_late",
            status=410,
            title=Sentence("This link came too late"),
        )
    return sign_up


def _refuse_spent(link: MailLink) -> None:
    if link.used_at is not None:
        raise _used()
    if link.late:
        raise LinkError(
            Sentence("A link works for an hour only, so that an old mail opens nothing."),
            code="link_late",
            status=410,
            title=Sentence("This link came too late"),
        )


def _unknown() -> LinkError:
    return LinkError(
        Sentence("It is not complete, or it is older than a month. Copy it from the mail as a whole.")
    )


def _used() -> LinkError:
    return LinkError(
        Sentence("A link works once. If it was not you who used it, ask for another and use that at once."),
        code="link_used",
        status=410,
        title=Sentence("This link was used already"),
    )


def digest_of(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()

"""Sign in and out: a password opens a server-side session, known only by the digest of its cookie."""

import hashlib
from dataclasses import dataclass
from hmac import compare_digest
from typing import Literal
from uuid import UUID

from app.context import Context
from app.flows.account.check_guess import (
    Visitor,
    check_code,
    cookie_digest,
    looking_up,
    new_cookie,
    reserve_guess,
    verify_guess,
)
from app.flows.bounds import LONGEST_EMAIL
from app.flows.mail.queue_mail import queue_mail
from app.mail.letters import Template
from app.oauth.actor import Actor
from app.oauth.relying_party import PasskeyFault
from app.process.passwords import LONGEST_PASSWORD, is_hashed_here
from app.refused import ToldError
from app.sentence import Sentence
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.known_browsers import upsert_known_browser
from app.storage.people.people import (
    Person,
    SignInRow,
    replace_password,
    select_sign_in,
    select_sign_in_of,
)
from app.storage.people.sessions import NewSession, delete_session, insert_session, select_session
from app.storage.postgres.database import Statements, Transaction
from app.throttling.guesses import Attempt, refund

_MOST_KNOWN_BROWSERS = 10  # of one person

Cause = (
    Literal["unknown address", "wrong password", "account disabled", "changed meanwhile", "wrong code"]
    | PasskeyFault
)


class SignInError(ToldError):
    """The e-mail address or the password is longer than any can be."""

    code = "invalid_sign_in"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Values of two cookies. known_browser: kept for long, it opens nothing."""

    session: str
    known_browser: str


@dataclass(frozen=True, slots=True)
class CodeAsked:
    """The password was right, and a code is still asked. password_digest: of the stored hash that was checked."""

    person_id: UUID
    password_digest: str


@dataclass(frozen=True, slots=True)
class NotSignedIn:
    """A refused sign-in. cause: for the log and the audit trail; the person is told one text for all."""

    cause: Cause


async def sign_in(
    context: Context, *, email: str, password: str, visitor: Visitor
) -> SignedIn | CodeAsked | NotSignedIn:
    """Check a password, within the guessing limits.

    Every sign-in makes a new session value, so that one planted before is worth nothing (R-55).
    Raises SignInError when a value is too long, TooManyGuessesError when a limit is used up, and
    StoreUnavailableError when no place is left to hash the password.
    """
    _check_lengths(email, password)
    email = normal_email(email)
    async with looking_up(context, visitor):
        found = await select_sign_in(context.database, email, visitor.known_digest)
        attempt, turn = await reserve_guess(context, email, found, visitor)
    right = await verify_guess(context, found, password, attempt, turn)
    if found is None or not right or not found.enabled:
        return await refuse_sign_in(context, found, visitor, _cause(found, right=right))
    if found.second_factor:
        await refund(context.database, attempt)
        return CodeAsked(found.person.id, _digest_of(found.password_hash))
    async with context.database.transaction() as transaction:
        signed_in = await open_session(context, transaction, found, visitor, attempt)
    if signed_in is None:
        return await refuse_sign_in(context, found, visitor, "changed meanwhile")
    if not is_hashed_here(found.password_hash):
        ours = await context.passwords.hash(password)
        await replace_password(context.database, found.person.id, found.password_hash, ours)
    return signed_in


async def finish_sign_in(
    context: Context, asked: CodeAsked, code: str, visitor: Visitor
) -> SignedIn | NotSignedIn:
    """Check the code that followed a right password. Raises TooManyGuessesError when a limit is used up."""
    found = await select_sign_in_of(context.database, asked.person_id, visitor.known_digest)
    if (
        found is None
        or not compare_digest(_digest_of(found.password_hash), asked.password_digest)
        or not found.enabled
    ):
        return await refuse_sign_in(context, found, visitor, "changed meanwhile")
    attempt, right = await check_code(context, found, code, visitor)
    if not right:
        return await refuse_sign_in(context, found, visitor, "wrong code")
    async with context.database.transaction() as transaction:
        signed_in = await open_session(context, transaction, found, visitor, attempt)
    return signed_in or await refuse_sign_in(context, found, visitor, "changed meanwhile")


async def begin_session(
    context: Context, statements: Statements, checked: SignInRow, visitor: Visitor, *, proved: bool
) -> str | None:
    """The cookie of a new session; None when what was checked is no longer what the person signs in with.

    proved: whether a second factor was shown.
    """
    cookie = new_cookie()
    life = min(context.policy.session_idle, context.policy.session_absolute)
    new = NewSession(
        id_digest=cookie_digest(cookie),
        person_id=checked.person.id,
        password_hash=checked.password_hash,
        second_factor=checked.second_factor,
        proved=proved,
        address=visitor.address,
        browser=visitor.browser,
    )
    return cookie if await insert_session(statements, new, life) else None


async def read_session(context: Context, cookie: str | None) -> Person | None:
    """The person who is signed in with this cookie."""
    if not cookie:
        return None
    return await select_session(
        context.database,
        cookie_digest(cookie),
        idle=context.policy.session_idle,
        absolute=context.policy.session_absolute,
    )


async def sign_out(context: Context, cookie: str) -> None:
    """End the session everywhere at once (R-56)."""
    await delete_session(context.database, cookie_digest(cookie))


def _cause(found: SignInRow | None, *, right: bool) -> Cause:
    if found is None:
        return "unknown address"
    return "account disabled" if right else "wrong password"


async def refuse_sign_in(
    context: Context, found: SignInRow | None, visitor: Visitor, cause: Cause
) -> NotSignedIn:
    """The event names no e-mail address: people type their password there by mistake."""
    event = AuditEvent(
        "person.sign_in_failed",
        Actor("customer"),
        customer_id=found.person.customer_id if found else None,
        detail={
            "address": visitor.address,
            "browser": visitor.browser,
            "cause": cause,
            "person": str(found.person.id) if found else None,
        },
    )
    await insert_audit_event(context.database, event)
    return NotSignedIn(cause)


async def open_session(
    context: Context,
    transaction: Transaction,
    found: SignInRow,
    visitor: Visitor,
    attempt: Attempt,
    *,
    passkey: str | None = None,
) -> SignedIn | None:
    """Begin the session of somebody who was checked, and note the browser. passkey: the mark of the one that was used.

    None when the password or the second factor that was read is no longer the person's.
    """
    policy, person = context.policy, found.person
    kept = visitor.known_browser if found.known_browser and visitor.known_browser else new_cookie()
    proved = found.second_factor or passkey is not None
    session = await begin_session(context, transaction, found, visitor, proved=proved)
    if session is None:
        return None
    await upsert_known_browser(
        transaction, cookie_digest(kept), person.id, life=policy.known_browser_life, most=_MOST_KNOWN_BROWSERS
    )
    # The first browser of all is no news to the person, who got the password just before.
    new_browser = found.knows_browsers and not found.known_browser
    event = AuditEvent(
        "person.signed_in",
        person.actor,
        customer_id=person.customer_id,
        detail={
            "person": str(person.id),
            "address": visitor.address,
            "browser": visitor.browser,
            "new_browser": new_browser,
            **({"passkey": passkey} if passkey else {}),
        },
    )
    event_id = await insert_audit_event(transaction, event)
    if new_browser:
        template: Template = "new_browser_passkey" if passkey else "new_browser"
        about = {"person": person.id, "event": event_id}
        await queue_mail(
            context, transaction, template, to=person.email, about=about, language=visitor.language
        )
    await refund(transaction, attempt)
    return SignedIn(session, kept)


def _check_lengths(email: str, password: str) -> None:
    if len(email) > LONGEST_EMAIL:
        raise SignInError(
            Sentence("An e-mail address has at most %(most)s characters.", most=str(LONGEST_EMAIL))
        )
    if len(password) > LONGEST_PASSWORD:
        raise SignInError(Sentence("A password has at most %(most)s characters.", most=LONGEST_PASSWORD))


def normal_email(email: str) -> str:
    """Addresses are compared without regard to case."""
    return email.strip().lower()


def _digest_of(password_hash: str) -> str:
    return hashlib.sha256(password_hash.encode()).hexdigest()

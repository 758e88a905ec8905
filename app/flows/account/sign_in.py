"""Sign in and out: a password opens a server-side session, known only by the digest of its cookie."""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Literal

from app.context import Context
from app.flows.bounds import LONGEST_EMAIL
from app.oauth.actor import Actor
from app.process.passwords import LONGEST_PASSWORD
from app.refused import RefusedError
from app.storage.errors import StoreUnavailableError
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.known_browsers import upsert_known_browser
from app.storage.people.people import (
    Member,
    SignInRow,
    delete_session,
    insert_session,
    select_session,
    select_sign_in,
)
from app.throttling.guesses import Attempt, refund, reserve
from app.throttling.networks import networks_around

_MOST_KNOWN_BROWSERS = 10  # of one person

Cause = Literal["unknown address", "wrong password", "account disabled", "password changed meanwhile"]


class SignInError(RefusedError):
    """The e-mail address or the password is longer than any can be."""

    code = "invalid_sign_in"


@dataclass(frozen=True, slots=True)
class Visitor:
    """The browser in front of the sign-in page.

    address: as the log has it. network: the part of it that one party holds. known_browser: a cookie's value.
    """

    address: str
    network: str
    known_browser: str | None = None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Values of two cookies. known_browser: kept for long, it opens nothing."""

    session: str
    known_browser: str


@dataclass(frozen=True, slots=True)
class NotSignedIn:
    """A refused sign-in. cause: for the log and the audit trail; the person is told one text for all."""

    cause: Cause


async def sign_in(context: Context, *, email: str, password: str, visitor: Visitor) -> SignedIn | NotSignedIn:
    """Check a password, within the guessing limits.

    Every sign-in makes a new session value, so that one planted before is worth nothing (R-55).
    Raises SignInError when a value is too long, TooManyGuessesError when a limit is used up, and
    StoreUnavailableError when no place is left to hash the password.
    """
    _check_lengths(email, password)
    email = normal_email(email)
    browser = _digest(visitor.known_browser) if visitor.known_browser else None
    found = await select_sign_in(context.database, email, browser)
    known = browser.hex() if browser and found and found.known_browser else None
    attempt = _attempt(context, email, found, visitor, known)
    await reserve(context.database, attempt)
    askers = (known,) if known else tuple(name for name, _ in networks_around(visitor.network))
    try:
        right = await context.passwords.verify(
            found.password_hash if found else None, password, askers=askers
        )
    except StoreUnavailableError:  # there was no place to hash it, so it was no guess
        await refund(context.database, attempt)
        raise
    if found is None or not right or not found.enabled:
        return await _refuse(context, found, visitor, _cause(found, right=right))
    kept = visitor.known_browser if known and visitor.known_browser else secrets.token_urlsafe(32)
    signed_in = SignedIn(secrets.token_urlsafe(32), kept)
    if not await _remember(context, found, signed_in, attempt, visitor):
        return await _refuse(context, found, visitor, "password changed meanwhile")
    return signed_in


async def read_session(context: Context, cookie: str | None) -> Member | None:
    """The person who is signed in with this cookie."""
    if not cookie:
        return None
    return await select_session(
        context.database,
        _digest(cookie),
        idle=context.policy.session_idle,
        absolute=context.policy.session_absolute,
    )


async def sign_out(context: Context, cookie: str) -> None:
    """End the session everywhere at once (R-56)."""
    await delete_session(context.database, _digest(cookie))


def _attempt(
    context: Context, email: str, found: SignInRow | None, visitor: Visitor, known: str | None
) -> Attempt:
    """An address nobody has is counted like one that somebody has, so that a limit gives nobody away (R-54)."""
    limits = context.policy.guess_limits
    if known:
        return limits.from_known_browser(known)
    account = str(found.member.id) if found else hashlib.sha256(email.encode()).hexdigest()
    return limits.from_stranger(account, visitor.network)


def _cause(found: SignInRow | None, *, right: bool) -> Cause:
    if found is None:
        return "unknown address"
    return "account disabled" if right else "wrong password"


async def _refuse(context: Context, found: SignInRow | None, visitor: Visitor, cause: Cause) -> NotSignedIn:
    """The event names no e-mail address: people type their password there by mistake."""
    event = AuditEvent(
        "customer.sign_in_failed",
        Actor("customer"),
        customer_id=found.member.customer_id if found else None,
        detail={
            "address": visitor.address,
            "cause": cause,
            "member": str(found.member.id) if found else None,
        },
    )
    await insert_audit_event(context.database, event)
    return NotSignedIn(cause)


async def _remember(
    context: Context, found: SignInRow, signed_in: SignedIn, attempt: Attempt, visitor: Visitor
) -> bool:
    """False when the password that was checked is no longer the person's."""
    policy, member = context.policy, found.member
    life = min(policy.session_idle, policy.session_absolute)
    session, browser = _digest(signed_in.session), _digest(signed_in.known_browser)
    event = AuditEvent(
        "customer.signed_in",
        Actor("customer", member.id),
        customer_id=member.customer_id,
        detail={"address": visitor.address},
    )
    async with context.database.transaction() as transaction:
        if not await insert_session(transaction, session, member.id, found.password_hash, life):
            return False
        await upsert_known_browser(
            transaction, browser, member.id, life=policy.known_browser_life, most=_MOST_KNOWN_BROWSERS
        )
        await insert_audit_event(transaction, event)
        await refund(transaction, attempt)
    return True


def _check_lengths(email: str, password: str) -> None:
    if len(email) > LONGEST_EMAIL:
        raise SignInError(f"An e-mail address has at most {LONGEST_EMAIL} characters.")
    if len(password) > LONGEST_PASSWORD:
        raise SignInError(f"A password has at most {LONGEST_PASSWORD:,} characters.")


def normal_email(email: str) -> str:
    """Addresses are compared without regard to case."""
    return email.strip().lower()


def _digest(cookie: str) -> bytes:
    return hashlib.sha256(cookie.encode()).digest()

"""Sign in and out: a password opens a server-side session, known only by the digest of its cookie."""

import hashlib
import secrets

from app.context import Context
from app.flows.bounds import LONGEST_EMAIL
from app.oauth.actor import Actor
from app.process.passwords import LONGEST_PASSWORD
from app.refused import RefusedError
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.people import Member, delete_session, insert_session, select_session, select_sign_in


class SignInError(RefusedError):
    """What was typed is too long to be anybody's: which of the two, and how long it may be."""

    code = "invalid_sign_in"


async def sign_in(context: Context, *, email: str, password: str) -> str | None:
    """A new session's cookie value; None for an unknown address, a wrong password and a disabled account alike (R-54).

    A new value at every sign-in, so that one planted before is worth nothing (R-55).
    Raises SignInError when the address or the password is too long.
    """
    _check_lengths(email, password)
    found = await select_sign_in(context.database, normal_email(email))
    member, password_hash, enabled = found or (None, None, False)
    right = await context.passwords.verify(password_hash, password)
    if not (right and member and password_hash and enabled):
        return None
    cookie = secrets.token_urlsafe(32)
    life = min(context.policy.session_idle, context.policy.session_absolute)
    async with context.database.transaction() as transaction:
        if not await insert_session(transaction, _digest(cookie), member.id, password_hash, life):
            return None
        await insert_audit_event(
            transaction,
            AuditEvent("customer.signed_in", Actor("customer", member.id), customer_id=member.customer_id),
        )
    return cookie


async def read_session(context: Context, cookie: str | None) -> Member | None:
    """Who is signed in with this cookie."""
    if not cookie:
        return None
    return await select_session(
        context.database,
        _digest(cookie),
        idle=context.policy.session_idle,
        absolute=context.policy.session_absolute,
    )


async def sign_out(context: Context, cookie: str) -> None:
    """Dead everywhere from here on (R-56)."""
    await delete_session(context.database, _digest(cookie))


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

"""Check what a person typed: a password or a code, each within the guessing limits of its own."""

import hashlib
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from app.context import Context
from app.flows.account.use_code import use_code
from app.process.passwords import Turn
from app.storage.errors import StoreUnavailableError
from app.storage.people.people import SignInRow
from app.throttling.guesses import MOST_WRONG_AHEAD, Attempt, count_guess, refund, reserve, select_used
from app.throttling.networks import networks_around


@dataclass(frozen=True, slots=True)
class Visitor:
    """The browser in front of a page.

    address: as the log has it. network: the part of it that one party holds. known_browser: a cookie's value.
    browser: its kind, in plain words. language: of the page.
    """

    address: str
    network: str
    known_browser: str | None = None
    browser: str = ""
    language: str | None = None

    @property
    def known_digest(self) -> bytes | None:
        return cookie_digest(self.known_browser) if self.known_browser else None


@asynccontextmanager
async def looking_up(context: Context, visitor: Visitor) -> AsyncIterator[None]:
    """Wait for the turn to look somebody up, or refuse the guess where its outcome is known already.

    A browser with a cookie may be its person's, so it always goes on. Without one, an address somebody has and an
    address nobody has are refused here alike (R-54).
    Raises TooManyGuessesError when a network around the visitor was over its limit a moment ago, and
    StoreUnavailableError when no place is left for whoever tried as much as it had then.
    """
    if visitor.known_browser is not None:
        yield
        return
    attempt = context.policy.guess_limits.of_network(visitor.network)
    turn = _turn(context, None, visitor, context.network_levels.check(attempt))
    async with context.passwords.looking_up(turn):
        yield


async def reserve_guess(
    context: Context, email: str, found: SignInRow | None, visitor: Visitor
) -> tuple[Attempt, Turn]:
    """Count a guess before it is checked. Whoever goes on with a right password refunds the attempt.

    Raises TooManyGuessesError when a limit is used up, and StoreUnavailableError when no place is left to hash it.
    """
    known, limits = _known(found, visitor), context.policy.guess_limits
    # An address nobody has is counted like one that somebody has, so that a limit gives nobody away.
    account = str(found.person.id) if found else hashlib.sha256(email.encode()).hexdigest()
    attempt = limits.from_known_browser(known) if known else limits.from_stranger(account, visitor.network)
    # A flood that would find no place ends before it is counted: that would cost more than the answer.
    used = await select_used(context.database, attempt, context.network_levels)
    context.passwords.check_room(_turn(context, known, visitor, used))
    return attempt, _turn(context, known, visitor, await count_guess(context.database, attempt))


async def verify_guess(
    context: Context, found: SignInRow | None, password: str, attempt: Attempt, turn: Turn
) -> bool:
    """Whether it is the person's password. Raises StoreUnavailableError when no place is left to hash it."""
    try:
        return await context.passwords.verify(found.password_hash if found else None, password, turn)
    except StoreUnavailableError:  # there was no place to hash it, so it was no guess
        await refund(context.database, attempt)
        raise


async def check_code(
    context: Context, found: SignInRow, typed: str, visitor: Visitor
) -> tuple[Attempt, bool]:
    """Use a code of the second factor up. Whoever goes on with a right one refunds the attempt.

    Raises TooManyGuessesError when a limit is used up.
    """
    known, person = _known(found, visitor), str(found.person.id)
    limits = context.policy.guess_limits
    attempt = limits.of_code_in(known) if known else limits.of_code_from(person, visitor.network)
    await reserve(context.database, attempt, context.network_levels)
    return attempt, await use_code(context, found.person, typed)


def new_cookie() -> str:
    return secrets.token_urlsafe(32)


def cookie_digest(cookie: str) -> bytes:
    return hashlib.sha256(cookie.encode()).digest()


def _turn(context: Context, known: str | None, visitor: Visitor, used: Mapping[str, float]) -> Turn:
    """Known browsers go ahead, until they guess themselves: their cookie may have been stolen."""
    tried = context.policy.guess_limits.tried_by_visitor(used)
    if known:
        return Turn((known,), ahead=tried < MOST_WRONG_AHEAD, tried=tried)
    return Turn(tuple(name for name, _ in networks_around(visitor.network)), tried=tried)


def _known(found: SignInRow | None, visitor: Visitor) -> str | None:
    """The name of the browser, where this person signed in with it before."""
    return visitor.known_digest.hex() if visitor.known_digest and found and found.known_browser else None

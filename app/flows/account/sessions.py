"""The browser sessions of a person: listed, and ended one by one or all others at once."""

from dataclasses import dataclass
from hmac import compare_digest

from app.context import Context
from app.flows.account.check_guess import cookie_digest
from app.oauth.actor import Actor
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.people import Person
from app.storage.people.sessions import (
    BrowserSession,
    delete_other_sessions,
    delete_session_of,
    select_sessions_of,
)

MOST_LISTED = 50


@dataclass(frozen=True, slots=True)
class ListedSession:
    """A session. here: whether it is this browser's."""

    session: BrowserSession
    here: bool


async def list_sessions(context: Context, person: Person, cookie: str) -> tuple[ListedSession, ...]:
    """The newest, this browser's first."""
    here = cookie_digest(cookie)
    found = await select_sessions_of(context.database, person.id, MOST_LISTED)
    listed = [ListedSession(each, compare_digest(each.id_digest, here)) for each in found]
    return tuple(sorted(listed, key=lambda each: not each.here))


async def end_session(context: Context, actor: Actor, person: Person, id_digest: bytes) -> bool:
    """End one of the person's sessions. False when it has ended already."""
    async with context.database.transaction() as transaction:
        if not await delete_session_of(transaction, person.id, id_digest):
            return False
        await insert_audit_event(transaction, _event(actor, person, 1))
    return True


async def end_other_sessions(context: Context, actor: Actor, person: Person, cookie: str) -> int:
    """End all but this browser's; return how many ended."""
    async with context.database.transaction() as transaction:
        ended = await delete_other_sessions(transaction, person.id, cookie_digest(cookie))
        if ended:
            await insert_audit_event(transaction, _event(actor, person, ended))
    return ended


def _event(actor: Actor, person: Person, ended: int) -> AuditEvent:
    return AuditEvent(
        "person.sessions_ended",
        actor,
        customer_id=person.customer_id,
        detail={"person": str(person.id), "ended": ended},
    )

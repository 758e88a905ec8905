"""The terms of a connection: which machines it shows, from when on and until when; chosen, and changed later."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from app.context import Context
from app.flows.account.prove import FieldError
from app.flows.account.rights import require_right
from app.flows.mail.tell_both_sides import tell_of_change
from app.oauth.actor import Actor
from app.refused import ToldError
from app.sentence import Sentence
from app.storage.fleet.shares import insert_share, mark_share_replaced, select_owned, select_share_keys
from app.storage.fleet.view import FleetView, fleet_of
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.postgres.database import Transaction
from app.storage.token.connections import (
    StandingConnection,
    StoredTerms,
    select_connection,
    select_connection_locked,
    update_terms,
)

NO_CONNECTION = Sentence("This application is not connected any more. Nothing was changed.")


class ConnectionChangedError(ToldError):
    """A connection is not as the page showed it, and nothing was changed."""

    code = "changed_meanwhile"
    status = 409
    title = Sentence("This connection was changed meanwhile")


@dataclass(frozen=True, slots=True)
class Terms:
    """machines: keys of the chosen ones; None for all, those that join later too.

    history_from: nothing that was reported before is shown; None for all that there is. ends_at: None for never.
    """

    machines: frozenset[int] | None = None
    history_from: datetime | None = None
    ends_at: datetime | None = None


async def find_terms(context: Context, customer_id: UUID, application_id: UUID) -> tuple[Terms, int] | None:
    """The terms of a connection that stands, and its version; None when there is none."""
    async with fleet_of(context.database, FleetView(customer_id)) as transaction:
        found = await select_connection(transaction, customer_id, application_id)
        if found is None or not found.connected:
            return None
        return await _shown(transaction, found.terms), found.version


async def read_terms(context: Context, customer_id: UUID, application_id: UUID) -> tuple[Terms, int]:
    """The same. Raises ConnectionChangedError 404 when there is none."""
    found = await find_terms(context, customer_id, application_id)
    if found is None:
        raise _no_connection()
    return found


async def change_terms(
    context: Context,
    actor: Actor,
    customer_id: UUID,
    application_id: UUID,
    terms: Terms,
    *,
    version: int,
    language: str | None = None,
) -> None:
    """Narrow or widen a connection, and tell the owners of both sides by mail.

    Each process shows it within a second, and no token is issued anew.
    version: of the connection that the actor saw. language: of the page, for owners who chose none.
    Raises RoleError when the actor may not, ConnectionChangedError when the connection is another by now (409) or gone
    (404), and FieldError when it would share nothing or has an end in the past.
    """
    async with fleet_of(context.database, FleetView(customer_id)) as transaction:
        await require_right(transaction, actor, customer_id, "connect")
        standing = _standing(await select_connection_locked(transaction, customer_id, application_id))
        if standing.version != version:
            raise ConnectionChangedError(
                Sentence("Somebody else changed it. This is how it stands now; nothing was changed by you.")
            )
        await require_terms(transaction, customer_id, terms)
        pair = _Pair(customer_id, application_id)
        event = await _set(transaction, actor, pair, standing, terms, at=standing.now)
        if event is not None:
            await tell_of_change(context, transaction, *pair, event, language=language)
    context.changes.note((customer_id, application_id))


async def approve_terms(
    transaction: Transaction,
    actor: Actor,
    customer_id: UUID,
    application_id: UUID,
    terms: Terms,
    *,
    approved_at: datetime,
) -> UUID | None:
    """Set what was chosen with an approval, unless somebody chose later. The connection is there.

    The id of the audit event; None when nothing was changed.
    transaction: it sees the customer's whole fleet. `require_terms` judged the terms.
    """
    found = await select_connection_locked(transaction, customer_id, application_id)
    if found is None or not found.connected or (found.terms_at is not None and found.terms_at >= approved_at):
        return None
    return await _set(transaction, actor, _Pair(customer_id, application_id), found, terms, at=approved_at)


class _Pair(NamedTuple):
    customer_id: UUID
    application_id: UUID


async def require_terms(transaction: Transaction, customer_id: UUID, terms: Terms) -> None:
    """Judge what was chosen, before anything is written. transaction: it sees the customer's whole fleet.

    Raises FieldError when it would share nothing or has an end in the past.
    """
    now, owned = await select_owned(transaction, customer_id, sorted(terms.machines or ()))
    if terms.ends_at is not None and terms.ends_at <= now:
        raise FieldError("ends_at", Sentence("Choose an end that is still to come."))
    if terms.machines is not None and not owned:
        raise FieldError("machines", Sentence("Choose at least one machine."))


async def _set(
    transaction: Transaction,
    actor: Actor,
    pair: _Pair,
    standing: StandingConnection,
    terms: Terms,
    *,
    at: datetime,
) -> UUID | None:
    """The id of the audit event; None when they are the same."""
    shown = await _shown(transaction, standing.terms)
    if terms == shown:
        return None
    share = standing.terms.share
    if terms.machines != shown.machines:
        share = await _share(transaction, pair.customer_id, terms.machines)
        if standing.terms.share is not None:
            await mark_share_replaced(transaction, standing.terms.share)
    stored = StoredTerms(share, terms.history_from, terms.ends_at)
    await update_terms(transaction, *pair, stored, at=at)
    event = AuditEvent(
        "application.terms_changed",
        actor,
        application_id=pair.application_id,
        customer_id=pair.customer_id,
        detail={
            "machines": "all" if terms.machines is None else len(terms.machines),
            "history_from": terms.history_from.isoformat() if terms.history_from else None,
            "ends_at": terms.ends_at.isoformat() if terms.ends_at else None,
        },
    )
    return await insert_audit_event(transaction, event)


async def _share(transaction: Transaction, customer_id: UUID, machines: frozenset[int] | None) -> int | None:
    if machines is None:
        return None
    return await insert_share(transaction, customer_id, sorted(machines))


async def _shown(transaction: Transaction, stored: StoredTerms) -> Terms:
    keys = frozenset(await select_share_keys(transaction, stored.share)) if stored.share is not None else None
    return Terms(keys, stored.history_from, stored.ends_at)


def _standing(found: StandingConnection | None) -> StandingConnection:
    if found is None or not found.connected:
        raise _no_connection()
    return found


def _no_connection() -> ConnectionChangedError:
    return ConnectionChangedError(NO_CONNECTION, code="no_connection", status=404)

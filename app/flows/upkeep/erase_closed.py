"""Erase the accounts that were closed 30 days ago: machines, what they reported, people and names."""

from uuid import UUID

from app.context import Context
from app.flows.account.close import KEPT
from app.flows.fleet.forget_machine import forget_machine
from app.oauth.actor import SERVICE
from app.process.passwords import NOBODY
from app.storage.fleet.erasure import select_machines_ever
from app.storage.fleet.fleet_import import ingest
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.erasure import (
    call_erase_person,
    delete_members_of,
    mark_customer_erased,
    select_customers_to_erase,
    select_people_only_of,
)


async def erase_closed_accounts(context: Context) -> int:
    """Erase those whose time is over; what another run has done is not found again. Return how many went."""
    closed = await select_customers_to_erase(context.database, KEPT)
    return sum([await _erase(context, customer_id) for customer_id in closed])


async def _erase(context: Context, customer_id: UUID) -> bool:
    """A machine at a time, so that no lock is held for long and a kill loses nothing. The name goes last."""
    async with ingest(context.database) as transaction:
        machines = await select_machines_ever(transaction, customer_id)
    for key, present in machines:
        await forget_machine(context, customer_id, key, present=present)
    async with context.database.transaction() as transaction:
        if not await mark_customer_erased(transaction, customer_id, KEPT):
            return False
        for person_id in await select_people_only_of(transaction, customer_id):
            await call_erase_person(transaction, person_id, NOBODY)
        await delete_members_of(transaction, customer_id)
        await insert_audit_event(transaction, AuditEvent("customer.erased", SERVICE, customer_id=customer_id))
    return True

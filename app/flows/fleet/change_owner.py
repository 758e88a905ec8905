"""A machine leaves its fleet, for another one or for none; its readings stay with the fleet of their time."""

from datetime import datetime
from uuid import UUID

from app.aemp.model.identity import identity_of
from app.aemp.model.values import EquipmentHeader
from app.context import Context
from app.flows.fleet.find_machine import MachineError, find_machine, no_machine
from app.oauth.actor import Actor
from app.storage.fleet.fleet_changes import (
    Named,
    delete_identifiers,
    delete_latest,
    insert_ownership,
    mark_ownership_ended,
    mark_released,
    select_machines_named,
    update_identifiers,
    update_latest_to_nothing,
    update_map,
    update_owner,
)
from app.storage.fleet.fleet_import import ingest, lock_fleet
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.members import Member
from app.storage.postgres.database import Transaction


async def release_machine(context: Context, actor: Actor, owner: Member, identifier: str) -> EquipmentHeader:
    """Take a machine from its owner: no page, look-up or series shows it any more.

    Raises MachineError when the identifier means no machine, or several.
    """
    async with ingest(context.database) as transaction:
        # 1. Its owner: a second caller finds the period ended. This waits for those who write readings by it.
        machine, _ = await _take(transaction, owner, identifier)
        await lock_fleet(transaction, owner.customer_id)
        await _let_go(transaction, actor, owner, machine)
    return machine.header


async def transfer_machine(
    context: Context, actor: Actor, owner: Member, to: Member, identifier: str
) -> EquipmentHeader:
    """Give a machine to another customer, who sees nothing that it reported before.

    It takes the place of one in their fleet that waited for it, since it has the same PIN.
    Raises MachineError when the identifier means no machine, or several, or the machine cannot go there.
    """
    if owner.customer_id == to.customer_id:
        raise MachineError(f"{to.email} signs in for the same account as {owner.email}")
    async with ingest(context.database) as transaction:
        # 1. Its owner, without a gap between the two
        machine, ended_at = await _take(transaction, owner, identifier)
        await insert_ownership(transaction, to.customer_id, machine.key, since=ended_at)
        # 2. Its place: fleets are locked in one order, so that two that exchange machines never wait for each other
        for customer_id in sorted((owner.customer_id, to.customer_id)):
            await lock_fleet(transaction, customer_id)
        await _make_room(transaction, actor, to, machine)
        left = await update_owner(transaction, machine.key, to=to.customer_id)
        await update_map(transaction, owner.customer_id, left=left)
        # 3. What is known of it
        await update_identifiers(transaction, machine.key, to=to.customer_id)
        await update_latest_to_nothing(transaction, machine.key, to=to.customer_id)
        for event, customer_id in (
            ("machine.given", owner.customer_id),
            ("machine.received", to.customer_id),
        ):
            await insert_audit_event(transaction, _event(event, actor, customer_id, machine))
    return machine.header


async def _take(transaction: Transaction, owner: Member, identifier: str) -> tuple[Named, datetime]:
    """The one machine that an identifier means, and the moment at which its owner's period ended."""
    machine = await find_machine(transaction, owner, identifier)
    ended_at = await mark_ownership_ended(transaction, owner.customer_id, machine.key)
    if ended_at is None:
        raise no_machine(owner, identifier)
    return machine, ended_at


async def _let_go(transaction: Transaction, actor: Actor, owner: Member, machine: Named) -> None:
    """Take a machine, whose period has ended, from the fleet. The caller holds the fleet's lock."""
    left = await mark_released(transaction, machine.key)
    await update_map(transaction, owner.customer_id, left=left)
    await delete_identifiers(transaction, machine.key)
    await delete_latest(transaction, machine.key)
    await insert_audit_event(transaction, _event("machine.released", actor, owner.customer_id, machine))


async def _make_room(transaction: Transaction, actor: Actor, to: Member, machine: Named) -> None:
    """An import could not tell two machines of one identity apart, so one that only waited for this one leaves."""
    if (identity := identity_of(machine.header)) is None:
        return  # it has no name, so no import would find it
    named = await select_machines_named(transaction, to.customer_id, identity[-1])
    known = {each.key: each for each in named if identity_of(each.header) == identity}
    for each in known.values():
        if identity[0] != "pin" or each.key < machine.key:
            raise MachineError(
                f"{to.customer_name} has a machine {identity[-1]} already: remove that one first"
            )
        await mark_ownership_ended(transaction, to.customer_id, each.key)
        await _let_go(transaction, actor, to, each)


def _event(event: str, actor: Actor, customer_id: UUID, machine: Named) -> AuditEvent:
    return AuditEvent(event, actor, customer_id=customer_id, detail={"equipment_key": machine.key})

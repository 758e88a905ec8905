"""The test customer of an owner of applications: an account of their own with a few simulated machines."""

from datetime import timedelta
from uuid import UUID

from app.context import Context
from app.flows.fleet.add_simulated import Simulation, add_simulated
from app.flows.fleet.count_machines import count_machines
from app.oauth.actor import Actor
from app.oauth.client import Client
from app.oauth.token_string import new_id
from app.refused import ToldError
from app.sentence import Sentence
from app.storage.people.application_owners import (
    insert_test_customer,
    select_as_tester,
    select_test_customer,
)
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.members import Member, member_of
from app.storage.people.people import Person

NAME = "Test customer"
MACHINES = 8
_DAYS = timedelta(days=30)
_HISTORY = timedelta(days=2)
INTERVAL = timedelta(minutes=15)


class InTestModeError(ToldError):
    """A real customer was to be connected with an application that is in test mode."""

    code = "application_in_test_mode"
    status = 403
    title = Sentence("This application is in test mode")


async def give_test_customer(context: Context, actor: Actor, person: Person) -> UUID:
    """The person's test customer with its machines, made now where there is none."""
    customer_id = await select_test_customer(context.database, person.id)
    if customer_id is None:
        customer_id = await _make(context, actor, person)
    if not (await count_machines(context, customer_id)).machines:  # also where the process ended in between
        await add_simulated(
            context,
            customer_id,
            Simulation(MACHINES, _DAYS, _HISTORY, INTERVAL, seed=customer_id.int, now=context.now()),
        )
    return customer_id


async def _make(context: Context, actor: Actor, person: Person) -> UUID:
    async with context.database.transaction() as transaction:
        customer_id = new_id()
        if await insert_test_customer(transaction, customer_id, NAME, person.id):
            await insert_audit_event(
                transaction, AuditEvent("customer.test_customer_added", actor, customer_id=customer_id)
            )
    made = await select_test_customer(context.database, person.id)
    return made or customer_id


async def find_approver(context: Context, person: Person, client: Client) -> Member | None:
    """Find the member that the person decides as: of their own account, or of their test customer.

    None when they have neither. The owner of an application in test mode decides for the test customer, and so does
    one who belongs to no customer account.
    Raises InTestModeError when the application is in test mode and not the person's.
    """
    if client.test or (person.develops and person.customer_id is None):
        tester = await select_as_tester(context.database, person, client.id)
        if tester is not None:
            return tester
    if client.test:
        raise InTestModeError(
            Sentence(
                "Only its own makers can connect it, with their test customers, until RoviTracker has reviewed it. "
                "Nothing was shared. If you make this application, sign in as one of its owners."
            )
        )
    return member_of(person)

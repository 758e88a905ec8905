"""The test customer of an owner of applications: an account of their own with a few simulated machines."""

from datetime import datetime, timedelta
from uuid import UUID

from app.context import Context
from app.flows.fleet.add_simulated import Simulation, add_simulated
from app.flows.fleet.count_machines import count_machines
from app.oauth.actor import Actor
from app.oauth.client import Client
from app.oauth.token_string import new_id
from app.refused import ToldError
from app.sentence import Sentence
from app.storage.fleet.fleet import select_newest_at
from app.storage.people.application_owners import (
    MadeTestCustomer,
    claim_test_customer,
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
_PAUSES_AFTER = timedelta(days=1)  # without a read
INTERVAL = timedelta(minutes=15)


class InTestModeError(ToldError):
    """A real customer was to be connected with an application that is in test mode."""

    code = "application_in_test_mode"
    status = 403
    title = Sentence("This application is in test mode")


async def give_test_customer(context: Context, actor: Actor, person: Person) -> UUID:
    """The person's test customer with its machines, made now where there is none.

    Raises InTestModeError when it was disabled.
    """
    await _make(context, actor, person)
    made = await select_test_customer(context.database, person.id)
    if made is None:
        raise InTestModeError(
            Sentence("Your test customer was disabled. Please write to RoviTracker."),
            code="test_customer_disabled",
        )
    if not (
        await count_machines(context, made.customer_id)
    ).machines:  # also where the process ended in between
        await add_simulated(context, made.customer_id, _simulation(made, context.now(), _HISTORY))
    return made.customer_id


async def report_once(context: Context) -> bool:
    """Let the machines of one test customer report, whose turn it is; False when it is nobody's.

    A customer that nobody reads pauses, and tells the last two days at most when somebody reads it again.
    """
    due = await claim_test_customer(context.database, every=INTERVAL, unread=_PAUSES_AFTER)
    if due is None:
        return False
    now = context.now()
    newest = await select_newest_at(context.database, due.customer_id)
    since = max(newest or now - _HISTORY, now - _HISTORY)
    await add_simulated(context, due.customer_id, _simulation(due, now, now - since))
    return True


def _simulation(of: MadeTestCustomer, now: datetime, history: timedelta) -> Simulation:
    """The same machines at every call: they began to work a month before the customer was made."""
    days = _DAYS + (now - of.made_at)
    return Simulation(MACHINES, days, history, INTERVAL, seed=of.customer_id.int, now=now)


async def _make(context: Context, actor: Actor, person: Person) -> None:
    customer_id = new_id()
    async with context.database.transaction() as transaction:
        if await insert_test_customer(transaction, customer_id, NAME, person.id):
            event = AuditEvent("customer.test_customer_added", actor, customer_id=customer_id)
            await insert_audit_event(transaction, event)


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

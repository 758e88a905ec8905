"""End the requests whose time is over: unanswered, refused by the customer, or never picked up."""

from app.context import Context
from app.flows.manual.ask import request_event
from app.flows.manual.tell import tell_application_owners
from app.oauth.actor import SERVICE
from app.storage.people.access_request_changes import ExpiredRequest, mark_requests_expired
from app.storage.people.access_requests import select_account_of_address
from app.storage.people.audit import insert_audit_event
from app.storage.postgres.database import Transaction

_BATCH = 100


async def expire_requests(context: Context) -> int:
    """The application's owners are told by mail, in the same words whether nobody answered or somebody said no.

    It returns how many ended.
    """
    ended = 0
    while True:
        async with context.database.transaction() as transaction:
            past = await mark_requests_expired(transaction, _BATCH)
            for each in past:
                await tell_application_owners(
                    context, transaction, "request_ended", each.application_id, each.id
                )
                if not each.denied:
                    await _note(transaction, each)
        ended += len(past)
        if len(past) < _BATCH:
            return ended


async def _note(transaction: Transaction, ended: ExpiredRequest) -> None:
    """In the trail of the account that it was released to, too."""
    customer_id = await select_account_of_address(transaction, ended.customer_email) if ended.judged else None
    event = request_event("request.expired", SERVICE, ended.application_id, ended.id, customer_id=customer_id)
    await insert_audit_event(transaction, event)

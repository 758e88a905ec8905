"""Tell the owners of a customer account by mail what happened to its applications, or soon will."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from app.context import Context
from app.flows.mail.numbered import MOST_NAMED, numbered
from app.flows.mail.queue_mail import queue_mail
from app.mail.letters import Template
from app.storage.people.notices import AccountNotice, select_told_members
from app.storage.postgres.database import Transaction


async def tell_owners(
    context: Context,
    transaction: Transaction,
    customer_id: UUID,
    application_id: UUID,
    event_id: UUID,
    *,
    notice: AccountNotice | None,
    language: str | None,
) -> None:
    """An application was connected, changed or disconnected.

    event_id: of the audit event that it tells of. notice: as which it may be turned off; None for a connection that
    begins, which is always told. language: of the page, for owners who chose none.
    """
    about = {"application": application_id, "event": event_id}
    await _queue(
        context, transaction, "connection_changed", customer_id, about, notice=notice, language=language
    )


async def tell_owners_of_all(
    context: Context,
    transaction: Transaction,
    customer_id: UUID,
    application_ids: Sequence[UUID],
    event_id: UUID,
    *,
    language: str | None,
) -> None:
    """All applications were disconnected at once: one mail names them. event_id: of one of them."""
    about = {"event": event_id, **numbered("application", application_ids[:MOST_NAMED])}
    await _queue(
        context,
        transaction,
        "applications_disconnected",
        customer_id,
        about,
        notice="disconnected",
        language=language,
    )


async def tell_owners_of_ends(
    context: Context, transaction: Transaction, customer_id: UUID, application_ids: Sequence[UUID]
) -> None:
    """Connections end in 30 days: one mail names them all."""
    about = numbered("application", application_ids[:MOST_NAMED])
    await _queue(
        context, transaction, "connection_ending", customer_id, about, notice="ending", language=None
    )


async def _queue(
    context: Context,
    transaction: Transaction,
    template: Template,
    customer_id: UUID,
    about: Mapping[str, UUID],
    *,
    notice: AccountNotice | None,
    language: str | None,
) -> None:
    for person_id, email in await select_told_members(transaction, customer_id, notice):
        of_member = {"person": person_id, "customer": customer_id, **about}
        await queue_mail(context, transaction, template, to=email, about=of_member, language=language)

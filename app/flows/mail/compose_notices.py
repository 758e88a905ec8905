"""The words of notices to the owners of applications, as far as each wants them when the mail is sent.

A customer is told of by the name of its account, which an application may read anyway, and by nothing else.
"""

from collections.abc import Collection
from dataclasses import replace
from itertools import groupby
from typing import Any
from uuid import UUID

from app.context import Context
from app.flows.mail.addressed import letter_to, names_of, reader_of
from app.flows.mail.numbered import MOST_NAMED, read_numbered
from app.mail.letters import Letter, address_of_choice
from app.storage.mail.outbox import ClaimedMail
from app.storage.people.applications import select_applications
from app.storage.people.audit import select_audit_cause
from app.storage.people.customers import select_customer_name
from app.storage.people.notices import ApplicationNotice, select_still_told
from app.storage.people.people import SignInRow
from app.storage.token.due_notices import select_due_secrets, select_own_ends


async def customer_connected(context: Context, mail: ClaimedMail) -> Letter | None:
    return await _about_customer(context, mail, "connected", [mail.about["application"]])


async def customer_changed(context: Context, mail: ClaimedMail) -> Letter | None:
    return await _about_customer(context, mail, "changed", [mail.about["application"]])


async def customer_disconnected(context: Context, mail: ClaimedMail) -> Letter | None:
    return await _about_customer(context, mail, "disconnected", read_numbered(mail.about, "application"))


async def _about_customer(
    context: Context, mail: ClaimedMail, notice: ApplicationNotice, ids: Collection[UUID]
) -> Letter | None:
    owner = await reader_of(context, mail)
    cause = await select_audit_cause(context.database, mail.about["event"])
    customer = await select_customer_name(context.database, mail.about["customer"])
    if owner is None or cause is None or customer is None:
        return None
    told = await select_still_told(context.database, owner.person.id, list(ids), notice)
    found = await select_applications(context.database, list(told))
    applications = [_shown(each, found[each].client.name) for each in ids if each in found]
    # Who it was stays within the account: its members are nothing to the application.
    by = cause.actor_kind if cause.actor_kind in ("customer", "application") else "RoviTracker"
    return _notice(context, mail, owner, applications, customer=customer, at=cause.at, by=by)


async def customers_ending(context: Context, mail: ClaimedMail) -> Letter | None:
    """The ends are those at sending."""
    owner = await reader_of(context, mail)
    if owner is None:
        return None
    customers = read_numbered(mail.about, "customer")
    pairs = list(zip(customers, read_numbered(mail.about, "application"), strict=True))
    ends = await select_own_ends(context.database, owner.person.id, pairs)
    applications = [
        {**_shown(*application), "ends": [{"customer": each.customer, "at": each.ends_at} for each in own]}
        for application, own in groupby(ends, lambda each: (each.application_id, each.application))
    ]
    return _notice(context, mail, owner, applications, most=MOST_NAMED, more=len(pairs) == MOST_NAMED)


async def secrets_due(context: Context, mail: ClaimedMail) -> Letter | None:
    """It names the secrets and keys that are unused or old at sending."""
    owner = await reader_of(context, mail)
    if owner is None:
        return None
    due = await select_due_secrets(context.database, owner.person.id, MOST_NAMED)
    applications = [
        {**_shown(*application), "credentials": list(own)}
        for application, own in groupby(due, lambda each: (each.application_id, each.application))
    ]
    return _notice(context, mail, owner, applications)


def _shown(application_id: UUID, name: str) -> dict[str, Any]:
    return {"application": name, "application_id": str(application_id)}


def _notice(
    context: Context,
    mail: ClaimedMail,
    owner: SignInRow,
    applications: list[dict[str, Any]],
    **values: Any,
) -> Letter | None:
    """None without applications: the person gave them away meanwhile, or wants no such notice any more."""
    if not applications:
        return None
    letter = letter_to(context, mail, owner.person, applications=applications, **values, **names_of(owner))
    first: str = applications[0]["application_id"]
    choice = address_of_choice("_notice.txt", issuer=context.policy.issuer, application_id=first)
    return replace(letter, choice=choice)

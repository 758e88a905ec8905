"""The words of mails about connected applications: to the owners of an account, and to the operators."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from app.context import Context
from app.flows.mail.addressed import letter_to, names_of, reader_of
from app.flows.mail.numbered import read_numbered
from app.mail.letters import Letter, address_of_choice
from app.storage.mail.outbox import ClaimedMail
from app.storage.people.applications import Application, select_applications
from app.storage.people.audit import select_audit_cause
from app.storage.people.customers import select_customer_name
from app.storage.people.notices import AccountNotice, select_notices_off
from app.storage.people.people import SignInRow, select_person_by_id
from app.storage.token.connection_ends import select_ends_of

# As which notice an event is mailed. A connection that begins is no notice: the owners always hear of it.
_NOTICES: dict[str, AccountNotice] = {
    "application.terms_changed": "changed",
    "application.disconnected": "disconnected",
}


async def connection_changed(context: Context, mail: ClaimedMail) -> Letter | None:
    """The page that it leads to tells how things stand."""
    cause = await select_audit_cause(context.database, mail.about["event"])
    notice = _NOTICES.get(cause.event) if cause else None
    owner = await _owner(context, mail, notice)
    application = await _application(context, mail)
    if owner is None or cause is None or application is None:
        return None
    return _notice(
        context,
        mail,
        owner,
        notice,
        event=cause.event,
        at=cause.at,
        by=cause.person or "",
        **_told(application),
    )


async def applications_disconnected(context: Context, mail: ClaimedMail) -> Letter | None:
    """All at once, each by its name."""
    owner = await _owner(context, mail, "disconnected")
    cause = await select_audit_cause(context.database, mail.about["event"])
    ids = read_numbered(mail.about, "application")
    found = await select_applications(context.database, ids)
    if owner is None or cause is None or not found:
        return None
    return _notice(
        context,
        mail,
        owner,
        "disconnected",
        at=cause.at,
        by=cause.person or "",
        applications=[_told(found[each]) for each in ids if each in found],
    )


async def connection_ending(context: Context, mail: ClaimedMail) -> Letter | None:
    """The ends are those at sending. Nobody is told of one that was taken away meanwhile."""
    owner = await _owner(context, mail, "ending")
    ids = read_numbered(mail.about, "application")
    ends = await select_ends_of(context.database, mail.about["customer"], ids)
    if owner is None or not ends:
        return None
    found = await select_applications(context.database, list(ends))
    return _notice(
        context,
        mail,
        owner,
        "ending",
        connections=[{"ends_at": at, **_told(found[each])} for each, at in ends.items()],
    )


async def connection_reported(context: Context, mail: ClaimedMail) -> Letter | None:
    """To the operators, who get the ids that their commands take."""
    cause = await select_audit_cause(context.database, mail.about["event"])
    application = await _application(context, mail)
    account = await select_customer_name(context.database, mail.about["customer"])
    if cause is None or application is None or account is None:
        return None
    reporter = await _reporter(context, mail.about.get("person"))
    return letter_to(
        context,
        mail,
        None,
        at=cause.at,
        reason=cause.reason or "",
        client_id=application.client.client_id,
        customer_id=str(mail.about["customer"]),
        account=account,
        **_told(application),
        **reporter,
    )


async def _reporter(context: Context, person_id: UUID | None) -> dict[str, str]:
    person = await select_person_by_id(context.database, person_id) if person_id else None
    return {"name": person.name if person else "", "email": person.email if person else ""}


async def _owner(context: Context, mail: ClaimedMail, notice: AccountNotice | None) -> SignInRow | None:
    """Whoever owned the account when it was queued, does still, and has not turned this notice off since."""
    owner = await reader_of(context, mail)
    if owner is None or (owner.person.customer_id, owner.person.role) != (mail.about["customer"], "owner"):
        return None
    off = await select_notices_off(context.database, "account", mail.about["customer"], owner.person.id)
    return None if off is None or notice in off else owner


def _notice(
    context: Context, mail: ClaimedMail, owner: SignInRow, notice: AccountNotice | None, **values: Any
) -> Letter:
    """A mail that may be turned off says where. notice: None for one that always comes."""
    optional = notice is not None
    letter = letter_to(context, mail, owner.person, optional=optional, **values, **names_of(owner))
    if not optional:
        return letter
    return replace(letter, choice=address_of_choice("_account_notice.txt", issuer=context.policy.issuer))


async def _application(context: Context, mail: ClaimedMail) -> Application | None:
    found = await select_applications(context.database, [mail.about["application"]])
    return found.get(mail.about["application"])


def _told(application: Application) -> dict[str, Any]:
    client = application.client
    return {"application": client.name, "company": client.company, "application_id": str(client.id)}

"""Letters of the manual route: to the customer who is asked, and to the owners of the application that asked."""

from app.context import Context
from app.flows.mail.addressed import letter_to, names_of, reader_of
from app.flows.mail.links import mint_pick_up_link
from app.flows.mail.mailed_token import make_mailed_token, waits_for_mail
from app.mail.letters import Letter
from app.oauth.member_role import may
from app.storage.mail.outbox import ClaimedMail
from app.storage.people.access_requests import AccessRequest, select_access_request
from app.storage.people.application_owners import ApplicationOwner, select_application_owners
from app.storage.people.applications import select_applications


async def access_asked(context: Context, mail: ClaimedMail) -> Letter | None:
    """To whoever may answer for the account, while the request waits. The asker's words stand on the page alone."""
    found = await reader_of(context, mail)
    asked = await select_access_request(context.database, mail.about["request"])
    if found is None or asked is None or asked.state != "released" or asked.late:
        return None
    if found.person.customer_id != mail.about["customer"] or not may(found.person.role, "connect"):
        return None
    [application] = (await select_applications(context.database, [asked.application_id])).values()
    return letter_to(
        context,
        mail,
        found.person,
        request_id=str(asked.id),
        until=asked.ends_at,
        application=application.client.name,
        company=application.client.company,
        **names_of(found),
    )


async def _for_mail(
    context: Context, mail: ClaimedMail, asked: AccessRequest, owners: tuple[ApplicationOwner, ...]
) -> str | None:
    """The token itself, for one owner alone: whoever asked, or the first, or who wants the mail again."""
    first = next((each for each in owners if each.person_id == asked.asked_by), owners[0])
    if "again" not in mail.about and mail.about["person"] != first.person_id:
        return None
    return await make_mailed_token(context, asked.id)


async def about_own_request(context: Context, mail: ClaimedMail) -> Letter | None:
    """To somebody who owns the application still: its token waits, or the request is over."""
    found = await reader_of(context, mail)
    asked = await select_access_request(context.database, mail.about["request"])
    if found is None or asked is None:
        return None
    owners = await select_application_owners(context.database, asked.application_id)
    mails = waits_for_mail(context, asked)
    waits = mails or (asked.state == "approved" and not asked.late)
    if found.person.id not in {each.person_id for each in owners} or waits != (
        mail.template == "token_waits"
    ):
        return None
    token = await _for_mail(context, mail, asked, owners) if mails else None
    if mails and token is None:
        return None
    [application] = (await select_applications(context.database, [asked.application_id])).values()
    return letter_to(
        context,
        mail,
        found.person,
        secret=await mint_pick_up_link(context, asked.id) if waits and not mails else None,
        token=token,
        until=asked.ends_at,
        email=asked.customer_email,
        application=application.client.name,
        application_id=str(application.client.id),
        how=_how_it_ended(asked),
        **names_of(found),
    )


def _how_it_ended(asked: AccessRequest) -> str:
    if asked.state == "refused":
        return "refused"
    return "agreed" if asked.state == "expired" and asked.decided_at else "silent"

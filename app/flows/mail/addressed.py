"""Who a queued mail is for, and in which language and time zone its words are."""

from datetime import UTC
from typing import Any, cast

from app.context import Context
from app.language.languages import choose_language
from app.language.zones import zone_named
from app.mail.letters import Letter, Template, write_letter
from app.storage.mail.outbox import ClaimedMail
from app.storage.people.people import Person, SignInRow, select_sign_in


async def reader_of(context: Context, mail: ClaimedMail) -> SignInRow | None:
    """None when the address has become somebody else's meanwhile, who must not read of the one before."""
    person = await select_sign_in(context.database, mail.recipient)
    meant = mail.about.get("person")
    return person if person and meant in (None, person.person.id) else None


def names_of(person: SignInRow) -> dict[str, str]:
    return {"name": person.person.name, "account": person.person.customer_name or "RoviTracker"}


def letter_to(context: Context, mail: ClaimedMail, person: Person | None, **values: Any) -> Letter:
    """In the person's own language, else that of the page that caused the mail, and in the person's time zone."""
    return write_letter(
        cast("Template", mail.template),
        choose_language(person.language if person else None, mail.language),
        zone_named(person.time_zone) if person else UTC,
        issuer=context.policy.issuer,
        **values,
    )

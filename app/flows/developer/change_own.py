"""Change an application by its owners: at once in test mode, and after a review where customers would see it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

from app.context import Context
from app.flows.account.change_application import change_status
from app.flows.account.prove import FieldError
from app.flows.account.read_logo import read_logo
from app.flows.bounds import LONGEST_MESSAGE, LONGEST_SCOPE_REASON
from app.flows.developer.described import change_noted, check_description, check_words
from app.flows.developer.proposing import lock_as_owner, propose, require_seen, store_contact
from app.flows.developer.ready import require_ready
from app.flows.developer.standing import Standing, read_standing
from app.oauth.actor import Actor
from app.oauth.description import Description, live_addresses
from app.sentence import Sentence
from app.storage.people.application_reviews import decide_review
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.descriptions import update_description, update_scope_reasons
from app.storage.people.logos import Logo, insert_logo
from app.storage.postgres.database import Transaction

ChangeOutcome = Literal["saved", "proposed"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What its owners want, all of it. logo: the bytes of another picture; None keeps the present one.

    scope: with the reason for each. message: to the reviewer, where something waits for one.
    """

    name: str
    company: str
    redirect_uris: tuple[str, ...]
    terms_uri: str
    privacy_uri: str
    scope: Mapping[str, str]
    contact_id: UUID | None = None
    logo: bytes | None = None
    message: str = ""


async def change_own_application(
    context: Context, actor: Actor, application_id: UUID, wanted: Wanted, *, seen: str
) -> ChangeOutcome:
    """seen: what stood there when the form was shown.

    Raises OwnerError for strangers, ReviewError when somebody changed it meanwhile, and RegistrationError,
    RedirectUriError, LogoError, FieldError or NotReadyError when a value is not accepted.
    """
    words = check_words("message", wanted.message, most=LONGEST_MESSAGE, needed=False)
    reasons = {
        name: check_words("scope", reason, most=LONGEST_SCOPE_REASON, needed=False)
        for name, reason in sorted(wanted.scope.items())
    }
    logo = await read_logo(wanted.logo) if wanted.logo is not None else None
    async with context.database.transaction() as transaction:
        standing = await lock_as_owner(transaction, actor, application_id)
        require_seen(standing, seen)
        live = not standing.application.client.test
        asked = check_description(context, standing.application, _asked(standing, wanted, logo), live=live)
        if logo is not None:
            await insert_logo(transaction, logo)
        await _store_rest(transaction, application_id, reasons, wanted.contact_id)
        change = _propose_change if live else _change_in_test
        outcome, detail = await change(transaction, actor, standing, asked, words)
        await insert_audit_event(
            transaction,
            AuditEvent("application.updated", actor, application_id=application_id, detail=detail),
        )
    context.changes.note(application_id)
    return outcome


async def delete_own_application(
    context: Context, actor: Actor, application_id: UUID, *, typed_name: str
) -> None:
    """Delete it for ever, and cut it off from every customer. Raises FieldError when the name is not typed as it is."""
    application = (await read_standing(context, application_id)).application
    if typed_name.strip() != application.client.name:
        raise FieldError("name", Sentence("Type the name as it is written above."))
    await change_status(context, actor, application.client.client_id, "delete")


_Changed = tuple[ChangeOutcome, dict[str, str | int | None]]


async def _change_in_test(
    transaction: Transaction, actor: Actor, standing: Standing, asked: Description, words: str
) -> _Changed:
    """No real customer sees it. A proposal that waits becomes the new values, so that nobody approves the old ones."""
    application, review = standing.application, standing.review
    await update_description(transaction, application.client.id, asked, live=False)
    if review is not None:
        addresses = live_addresses(asked.redirect_uris, public=application.client.public)
        await propose(
            transaction,
            actor,
            standing,
            replace(asked, redirect_uris=addresses),
            message=words or review.message,
        )
    return "saved", change_noted(application.description, asked)


async def _propose_change(
    transaction: Transaction, actor: Actor, standing: Standing, asked: Description, words: str
) -> _Changed:
    """What customers recognise it by waits. Fewer scopes hold at once: nobody is shown less than is asked of them."""
    application, before = standing.application, standing.application.description
    kept = tuple(word for word in before.scope if word in asked.scope) or before.scope
    narrowed = replace(before, scope=kept)
    if narrowed != before:
        await update_description(transaction, application.client.id, narrowed, live=False)
    if asked != narrowed:
        require_ready(asked, public=application.client.public)
        await propose(transaction, actor, standing, asked, message=words)
        noted = change_noted(before, asked)
        return "proposed", {**noted, "waits_for_review": ", ".join(narrowed.differs_in(asked))}
    if standing.review is not None:
        await decide_review(transaction, application.client.id, "withdrawn", decided_by=actor.person_id)
    return "saved", change_noted(before, narrowed)


def _asked(standing: Standing, wanted: Wanted, logo: Logo | None) -> Description:
    logo_digest = logo.digest if logo is not None else standing.wanted.logo_digest
    return Description(
        wanted.name,
        wanted.company,
        logo_digest,
        wanted.redirect_uris,
        tuple(wanted.scope),
        wanted.terms_uri,
        wanted.privacy_uri,
    )


async def _store_rest(
    transaction: Transaction, application_id: UUID, reasons: Mapping[str, str], contact_id: UUID | None
) -> None:
    """What no customer sees."""
    await update_scope_reasons(
        transaction, application_id, {name: reason for name, reason in reasons.items() if reason}
    )
    if contact_id is not None:
        await store_contact(transaction, application_id, contact_id)

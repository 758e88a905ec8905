"""How a person signed in, and what changed about it: a page of the audit trail at a time."""

from dataclasses import dataclass
from uuid import UUID

from app.context import Context
from app.storage.people.people import Person
from app.storage.people.sign_in_history import LAST, Happened, select_sign_in_history

# Refused sign-ins are counted between these.
IN_HISTORY = (
    "person.signed_in",
    "person.proof_failed",
    "person.password_changed",
    "person.password_set",
    "person.second_factor_on",
    "person.second_factor_off",
    "person.second_factor_reset",
    "person.recovery_code_used",
    "person.recovery_codes_renewed",
    "person.passkey_added",
    "person.passkey_removed",
    "person.email_changed",
    "person.email_change_stopped",
    "person.email_change_taken_back",
    "person.email_set",
    "person.sessions_ended",
)
MOST_TOLD = 25


@dataclass(frozen=True, slots=True)
class SignInHistory:
    """older: before which event the next page goes on; None on the last page."""

    happened: tuple[Happened, ...]
    older: UUID | None


async def read_sign_in_history(context: Context, person: Person, before: UUID | None) -> SignInHistory:
    """The newest 25 events before one, and the sign-ins that were refused between them. before: None for the newest of all."""
    found = await select_sign_in_history(
        context.database, person.id, IN_HISTORY, before=before or LAST, most=MOST_TOLD + 1
    )
    shown = found[:MOST_TOLD]
    more = len(found) > MOST_TOLD and (found[MOST_TOLD].event or found[MOST_TOLD].refused)
    return SignInHistory(shown, shown[-1].id if more else None)

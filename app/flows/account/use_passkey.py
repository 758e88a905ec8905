"""Use the checked answer of a passkey, once; and drop a person's passkeys when others may have them."""

import hashlib
from dataclasses import dataclass
from uuid import UUID

from app.context import Context
from app.flows.mail.queue_mail import queue_mail
from app.oauth.relying_party import PasskeyFault
from app.storage.people.passkeys import (
    Passkey,
    delete_passkeys_of,
    insert_passkey_challenge,
    mark_passkey_used,
    select_passkey,
)
from app.storage.people.people import Person, lock_person
from app.storage.postgres.database import Transaction


@dataclass(frozen=True, slots=True)
class CheckedPasskey:
    """A passkey whose signature was right. sign_count, backed_up: as it says now. challenge: what it signed."""

    passkey: Passkey
    sign_count: int
    backed_up: bool
    challenge: bytes


async def use_passkey(
    transaction: Transaction, checked: CheckedPasskey, person_id: UUID
) -> PasskeyFault | None:
    """Use the answer up, and note the use; what speaks against it otherwise.

    The person is locked first, as by everybody who holds a person and a passkey, so that nobody waits in a circle. The
    passkey stays locked until the transaction ends: its removal then finds the session that it opened.
    """
    if checked.passkey.person_id != person_id:
        return "passkey of somebody else"
    await lock_person(transaction, person_id)
    if not await insert_passkey_challenge(transaction, hashlib.sha256(checked.challenge).digest()):
        return "answered before"
    passkey = checked.passkey
    if await mark_passkey_used(
        transaction, passkey, sign_count=checked.sign_count, backed_up=checked.backed_up
    ):
        return None
    there = await select_passkey(transaction, passkey.credential_id, passkey.rp_id)
    return "count went back" if there else "unknown passkey"


async def drop_passkeys(transaction: Transaction, person: Person) -> int:
    """Remove every passkey of the person, and return how many; the caller ends the sessions after it."""
    await lock_person(transaction, person.id)
    return await delete_passkeys_of(transaction, person.id)


async def tell_of_dropped(
    context: Context, transaction: Transaction, person: Person, passkeys: int, event: UUID
) -> None:
    """Tell the person by mail, unless there were none. event: that says when and from where."""
    if passkeys:
        about = {"person": person.id, "event": event}
        await queue_mail(context, transaction, "passkey_removed", to=person.email, about=about)


def mark_of(credential_id: bytes) -> str:
    """Names a passkey in the audit trail; its id is long, and a person's own."""
    return hashlib.sha256(credential_id).hexdigest()[:16]

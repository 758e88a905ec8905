"""Use a code of the second factor: of the authenticator app or a recovery code, each once."""

from uuid import UUID

from app.context import Context
from app.oauth.second_factor import LONGEST_CODE, matching_step, recovery_digest
from app.refused import SetUpError
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.people import Person
from app.storage.people.second_factors import (
    SealedTotp,
    count_recovery_codes,
    delete_recovery_code,
    mark_step_used,
    select_totp,
)


async def use_code(context: Context, person: Person, typed: str) -> bool:
    """Whether it was a code of this person's that nobody had used. From then on it is used."""
    if len(typed) > LONGEST_CODE:
        return False
    digest = recovery_digest(person.id, typed)
    return await (_use_step(context, person, typed) if digest is None else _use_up(context, person, digest))


def seal_totp(context: Context, person_id: UUID, secret: str) -> SealedTotp:
    """The person's id is sealed with it, since rows of a database can be exchanged."""
    payload = f"{person_id} {secret}".encode()
    sealed = context.keys.seal("authenticator", payload, now_s=int(context.now().timestamp()))
    return SealedTotp(person_id, sealed, context.keys.code_key_name)


def open_totp(context: Context, totp: SealedTotp) -> str | None:
    """The secret, if one of our keys opens it and it is this person's."""
    opened = context.keys.unseal_stored("authenticator", totp.sealed)
    person_id, _, secret = (opened or b"").decode().partition(" ")
    return secret if person_id == str(totp.person_id) else None


async def _use_step(context: Context, person: Person, typed: str) -> bool:
    totp = await select_totp(context.database, person.id)
    if totp is None:
        return False
    secret = open_totp(context, totp)
    if secret is None:
        raise SetUpError(
            f"no secret key opens the authenticator of person {person.id}: put the key that sealed it back, "
            "or turn the second factor of this person off"
        )
    step = matching_step(secret, typed, now_s=int(context.now().timestamp()))
    return step is not None and await mark_step_used(context.database, totp, step)


async def _use_up(context: Context, person: Person, digest: bytes) -> bool:
    async with context.database.transaction() as transaction:
        if not await delete_recovery_code(transaction, person.id, digest):
            return False
        left = await count_recovery_codes(transaction, person.id)
        event = AuditEvent(
            "person.recovery_code_used",
            person.actor,
            customer_id=person.customer_id,
            detail={"person": str(person.id), "left": left},
        )
        await insert_audit_event(transaction, event)
    return True

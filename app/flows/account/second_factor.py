"""Turn the second factor of a person on and off, and give out recovery codes."""

from dataclasses import dataclass
from uuid import UUID

from app.context import Context
from app.flows.account.add_customer import CustomerError
from app.flows.account.change_customer import find_person
from app.flows.account.check_guess import Visitor, cookie_digest
from app.flows.account.prove import WRONG_CODE, FieldError, IdentityProof, prove
from app.flows.account.prove_again import read_proof
from app.flows.account.use_code import open_totp, seal_totp
from app.flows.account.use_passkey import drop_passkeys, tell_of_dropped
from app.oauth.actor import Actor
from app.oauth.second_factor import matching_step, new_recovery_codes, recovery_digest
from app.sentence import Sentence
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.people import Person
from app.storage.people.second_factors import (
    count_recovery_codes,
    delete_recovery_codes_of,
    delete_totp,
    insert_recovery_codes,
    insert_totp,
    select_totp,
    select_totp_sealed_before,
    update_totp_sealed,
)
from app.storage.people.sessions import delete_other_sessions, delete_sessions_of, mark_session_proved
from app.storage.postgres.database import Statements


@dataclass(frozen=True, slots=True)
class ResetFactors:
    """A person whose factors were reset. sessions: that ended. passkeys: that were removed."""

    person: Person
    sessions: int
    passkeys: int


_PRESENT = Sentence("You have an authenticator app already. Turn it off first.")
_BATCH = 500
_BEFORE_ALL = UUID(int=0)


async def read_recovery_codes_left(context: Context, person: Person) -> int | None:
    """How many recovery codes are left; None for a person without a second factor."""
    if await select_totp(context.database, person.id) is None:
        return None
    return await count_recovery_codes(context.database, person.id)


async def turn_on(  # each is its own field
    context: Context,
    person: Person,
    visitor: Visitor,
    proof: IdentityProof,
    *,
    session: str,
    secret: str,
    new_code: str,
) -> tuple[str, ...]:
    """Keep the secret of an app that was shown to work, and end the other sessions; return the recovery codes.

    new_code: of the app to be. session: the cookie of the one that stays.
    Raises FieldError when a value is wrong, and TooManyGuessesError when a limit is used up.
    """
    if await select_totp(context.database, person.id) is not None:
        raise FieldError("new_code", _PRESENT)
    step = matching_step(secret, new_code, now_s=int(context.now().timestamp()))
    if step is None:
        raise FieldError("new_code", WRONG_CODE)
    factors = await read_proof(context, session)
    await prove(context, person, visitor, proof, shown=factors is not None and factors.proved)
    async with context.database.transaction() as transaction:
        if not await insert_totp(transaction, seal_totp(context, person.id, secret), step):
            raise FieldError("new_code", _PRESENT)
        codes = await _renew(transaction, person)
        await delete_other_sessions(transaction, person.id, cookie_digest(session))
        await mark_session_proved(transaction, cookie_digest(session))
        await insert_audit_event(transaction, _event("person.second_factor_on", person))
    return codes


async def turn_off(context: Context, person: Person, visitor: Visitor, proof: IdentityProof) -> None:
    """Raises FieldError when a value is wrong, and TooManyGuessesError when a limit is used up."""
    await prove(context, person, visitor, proof)
    async with context.database.transaction() as transaction:
        if await delete_totp(transaction, person.id):
            await delete_recovery_codes_of(transaction, person.id)
            await insert_audit_event(transaction, _event("person.second_factor_off", person))


async def renew_recovery_codes(
    context: Context, person: Person, visitor: Visitor, proof: IdentityProof
) -> tuple[str, ...]:
    """Ten new ones; those before are worth nothing.

    Raises FieldError when a value is wrong or there is no second factor, and TooManyGuessesError when a limit is used up.
    """
    checked = await prove(context, person, visitor, proof)
    if not checked.second_factor:
        raise FieldError("code", Sentence("You have no authenticator app. Set one up first."))
    async with context.database.transaction() as transaction:
        codes = await _renew(transaction, person)
        await insert_audit_event(transaction, _event("person.recovery_codes_renewed", person))
    return codes


async def reset_second_factor(
    context: Context, actor: Actor, email: str, *, keep_passkeys: bool = False
) -> ResetFactors:
    """Turn it off for somebody who lost it, remove their passkeys, and end their sessions.

    keep_passkeys: only the app was lost, and no device with a passkey.
    Raises CustomerError when nobody signs in with the address, or the person has nothing of all that.
    """
    person = await find_person(context, email)
    async with context.database.transaction() as transaction:
        passkeys = 0 if keep_passkeys else await drop_passkeys(transaction, person)
        had_app = await delete_totp(transaction, person.id)
        if not had_app and not passkeys:
            raise CustomerError(f"{person.email} has no second factor")
        await delete_recovery_codes_of(transaction, person.id)
        ended = await delete_sessions_of(transaction, person.id)
        event = _event("person.second_factor_reset", person, actor)
        event.detail["passkeys_removed"] = passkeys
        written = await insert_audit_event(transaction, event)
        await tell_of_dropped(context, transaction, person, passkeys, written)
    return ResetFactors(person, ended, passkeys)


async def keep_totp_sealed(context: Context) -> None:
    """Seal the secrets of all apps with the newest secret key, so that the one before can be taken away."""
    after = _BEFORE_ALL
    while batch := await select_totp_sealed_before(
        context.database, context.keys.code_key_name, after, _BATCH
    ):
        for before in batch:
            secret = open_totp(context, before)
            if secret is not None:
                await update_totp_sealed(
                    context.database, before, seal_totp(context, before.person_id, secret)
                )
        after = batch[-1].person_id


async def _renew(statements: Statements, person: Person) -> tuple[str, ...]:
    codes = new_recovery_codes()
    await delete_recovery_codes_of(statements, person.id)
    digests = [digest for code in codes if (digest := recovery_digest(person.id, code))]
    await insert_recovery_codes(statements, person.id, digests)
    return codes


def _event(event: str, person: Person, actor: Actor | None = None) -> AuditEvent:
    return AuditEvent(
        event,
        actor or person.actor,
        customer_id=person.customer_id,
        detail={"person": str(person.id)},
    )

"""Ask a browser for a passkey, and check what it answers, within the limits on attempts."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.context import Context
from app.flows.account.check_guess import Visitor
from app.flows.account.prove import WRONG_PASSKEY, FieldError, note_failed_proof
from app.flows.account.use_passkey import CheckedPasskey
from app.oauth.passkey import (
    AnswerError,
    check_assertion,
    creation_options,
    new_challenge,
    read_answer,
    request_options,
)
from app.oauth.relying_party import RelyingParty
from app.refused import ToldError
from app.sentence import Sentence
from app.storage.people.passkeys import Passkey, select_passkey, select_passkeys_of
from app.storage.people.people import Person, SignInRow, select_sign_in_of
from app.throttling.guesses import Attempt, refund, reserve


class NoPasskeysError(ToldError):
    """No browser makes a passkey for the service's address."""

    code = "no_passkeys"
    status = 404
    title = Sentence("There are no passkeys here")


@dataclass(frozen=True, slots=True)
class AskedPasskey:
    """What a browser is asked for. options: of WebAuthn, as JSON."""

    challenge: bytes
    options: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Claim:
    """An answer, and what the store knows of it, before anything is checked."""

    party: RelyingParty
    unverified: str
    passkey: Passkey | None
    found: SignInRow | None


def ask_for_any(context: Context) -> AskedPasskey | None:
    """Ask for whichever passkey the browser has for us; None where there can be none."""
    party = context.policy.relying_party
    if party is None:
        return None
    challenge = new_challenge()
    return AskedPasskey(challenge, request_options(party, challenge))


def ask_for_one_of(context: Context, passkeys: Iterable[Passkey]) -> AskedPasskey | None:
    """Ask for one of a person's passkeys; None when none of them works here."""
    party = context.policy.relying_party
    allowed = [each.credential_id for each in passkeys if party and each.rp_id == party.id]
    if party is None or not allowed:
        return None
    challenge = new_challenge()
    return AskedPasskey(challenge, request_options(party, challenge, allowed=allowed))


async def ask_for_new(context: Context, person: Person) -> AskedPasskey:
    """Ask for a new passkey of this person. Raises NoPasskeysError where there can be none."""
    party = party_of(context)
    present = await select_passkeys_of(context.database, person.id)
    challenge = new_challenge()
    options = creation_options(
        party,
        challenge,
        person=person.id.bytes,
        email=person.email,
        name=person.name,
        present=[each.credential_id for each in present if each.rp_id == party.id],
    )
    return AskedPasskey(challenge, options)


def party_of(context: Context) -> RelyingParty:
    """Raises NoPasskeysError where there can be none."""
    party = context.policy.relying_party
    if party is None:
        raise NoPasskeysError(Sentence("The address of this service is none that a passkey can be made for."))
    return party


async def read_claim(context: Context, answer: str, visitor: Visitor) -> Claim:
    """Look up whose passkey it would be. Raises NoPasskeysError where there can be none."""
    party = party_of(context)
    try:
        credential_id = read_answer(answer).credential_id
    except AnswerError:
        return Claim(party, answer, None, None)
    passkey = await select_passkey(context.database, credential_id, party.id)
    found = (
        await select_sign_in_of(context.database, passkey.person_id, visitor.known_digest)
        if passkey
        else None
    )
    return Claim(party, answer, passkey, found)


async def reserve_attempt(context: Context, claim: Claim, visitor: Visitor) -> Attempt:
    """Count the attempt before it is checked. Raises TooManyGuessesError when a limit is used up."""
    limits, known = context.policy.guess_limits, visitor.known_digest
    attempt = (
        limits.of_passkey_in(known.hex())
        if known and claim.found and claim.found.known_browser
        else limits.of_passkey_from(visitor.network)
    )
    await reserve(context.database, attempt, context.network_levels)
    return attempt


def check_claim(claim: Claim, challenge: bytes | None, *, person: UUID | None = None) -> CheckedPasskey:
    """Check the answer against what the store knows.

    challenge: None when it is too old, or not ours. person: who was asked; an authenticator need not name them then.
    Raises AnswerError when the answer does not prove the claim.
    """
    if challenge is None:
        raise AnswerError("challenge too old")
    answer = read_answer(claim.unverified)
    if claim.passkey is None:
        raise AnswerError("unknown passkey")
    named = answer.person or (person.bytes if person else b"")
    if named != claim.passkey.person_id.bytes:
        raise AnswerError("passkey of somebody else")
    checked = check_assertion(claim.party, challenge, answer, claim.passkey.public_key)
    return CheckedPasskey(claim.passkey, checked.sign_count, checked.backed_up, challenge)


async def check_proof(
    context: Context, person: Person, visitor: Visitor, *, challenge: bytes | None, answer: str
) -> CheckedPasskey:
    """Check a passkey that stands in for password and code. `prove` uses it.

    Raises FieldError when it proves nothing, and TooManyGuessesError when a limit is used up.
    """
    claim = await read_claim(context, answer, visitor)
    attempt = await reserve_attempt(context, claim, visitor)
    try:
        checked = check_claim(claim, challenge, person=person.id)
    except AnswerError as error:
        await note_failed_proof(context, person, error.fault)
        raise FieldError("passkey", WRONG_PASSKEY) from error
    await refund(context.database, attempt)
    return checked


def works_here(context: Context, passkey: Passkey) -> bool:
    """Whether it is bound to the host that the service has now."""
    party = context.policy.relying_party
    return party is not None and passkey.rp_id == party.id

"""The second factor is asked for again: an operator needs one always, and one shown lately for what is sensitive."""

from datetime import timedelta

from app.context import Context
from app.flows.account.check_guess import Visitor, cookie_digest
from app.flows.account.prove import WRONG_CODE, FieldError, IdentityProof, prove_by_code, use_proof
from app.storage.people.people import Person, select_sign_in_of
from app.storage.people.sessions import SecondFactors, mark_session_proved, select_proof

LATELY = timedelta(minutes=10)


async def read_proof(context: Context, session: str) -> SecondFactors | None:
    """None when the session has ended. session: the cookie."""
    return await select_proof(context.database, cookie_digest(session), LATELY)


async def prove_again(
    context: Context,
    person: Person,
    visitor: Visitor,
    *,
    session: str,
    proof: IdentityProof,
) -> None:
    """Check a code or a passkey, and note in the session that it was shown.

    Raises FieldError when it is wrong, and TooManyGuessesError when a limit is used up.
    """
    if proof.passkey is not None:
        await use_proof(context, person, proof.passkey)
    else:
        found = await select_sign_in_of(context.database, person.id, visitor.known_digest)
        if found is None:
            raise FieldError("code", WRONG_CODE)
        await prove_by_code(context, found, visitor, proof.code)
    await mark_session_proved(context.database, cookie_digest(session))

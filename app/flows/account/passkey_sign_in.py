"""Sign in with a passkey: the authenticator verified the person, so it stands for both factors."""

from app.context import Context
from app.flows.account.check_guess import Visitor
from app.flows.account.passkey_answer import Claim, check_claim, read_claim, reserve_attempt
from app.flows.account.sign_in import NotSignedIn, SignedIn, open_session, refuse_sign_in
from app.flows.account.use_passkey import CheckedPasskey, mark_of, use_passkey
from app.oauth.passkey import AnswerError
from app.throttling.guesses import Attempt


async def sign_in_with_passkey(
    context: Context, *, challenge: bytes | None, answer: str, visitor: Visitor
) -> SignedIn | NotSignedIn:
    """Check an answer, use it up, and begin a session (R-55).

    challenge: that this browser was asked with; None when it is too old, or another browser's.
    Raises TooManyGuessesError when a limit is used up, and NoPasskeysError where there can be no passkeys.
    """
    claim = await read_claim(context, answer, visitor)
    attempt = await reserve_attempt(context, claim, visitor)
    try:
        checked = check_claim(claim, challenge)
    except AnswerError as error:
        return await refuse_sign_in(context, claim.found, visitor, error.fault)
    return await _begin(context, claim, checked, visitor, attempt)


async def _begin(
    context: Context, claim: Claim, checked: CheckedPasskey, visitor: Visitor, attempt: Attempt
) -> SignedIn | NotSignedIn:
    found = claim.found
    if found is None or not found.enabled:
        return await refuse_sign_in(context, found, visitor, "account disabled")
    async with context.database.transaction() as transaction:
        fault = await use_passkey(transaction, checked, found.person.id)
        signed_in = (
            None
            if fault
            else await open_session(
                context,
                transaction,
                found,
                visitor,
                attempt,
                passkey=mark_of(checked.passkey.credential_id),
            )
        )
    return signed_in or await refuse_sign_in(context, found, visitor, fault or "changed meanwhile")

"""Before a sensitive change, the person at the browser proves again who they are."""

from dataclasses import dataclass

from app.context import Context
from app.flows.account.check_guess import Visitor, check_code, reserve_guess, verify_guess
from app.flows.account.use_passkey import CheckedPasskey, use_passkey
from app.process.passwords import LONGEST_PASSWORD
from app.refused import ToldError
from app.sentence import Sentence
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.passkeys import select_passkeys_of
from app.storage.people.people import Person, SignInRow, select_sign_in_of
from app.throttling.guesses import refund

WRONG_PASSWORD = Sentence("This is not your present password.")
WRONG_CODE = Sentence(
    "This code is wrong, too old, or was used already. Type the code that the app shows now."
)
PASSKEY_NEEDED = Sentence(
    "An operator shows a passkey here. Sign in with it, or use it in the place of the password."
)
WRONG_PASSKEY = Sentence("Your passkey was not accepted. Try again, or type your password.")


@dataclass(frozen=True, slots=True)
class IdentityProof:
    """What a person shows: the password and perhaps a code, or a passkey.

    code: of the app, where they have one. passkey: one that answered for this form, whose answer is not used up yet.
    """

    password: str = ""
    code: str = ""
    passkey: CheckedPasskey | None = None


class FieldError(ToldError):
    """A value of a form is not accepted. field: its name there."""

    code = "invalid_field"
    status = 422

    def __init__(self, field: str, what: Sentence, *, detail: str = "") -> None:
        super().__init__(what, detail=detail)
        self.field = field


async def prove(
    context: Context,
    person: Person,
    visitor: Visitor,
    proof: IdentityProof,
    *,
    shown: bool = False,
) -> SignInRow:
    """Check the present password, and a code where the person has a second factor; return what was checked.

    The answer of a passkey is used up here. shown: whether the session has seen a second factor. An operator who has
    passkeys alone needs either, since a password alone must not replace them.
    Raises FieldError when one is wrong, and TooManyGuessesError when a limit is used up.
    """
    found = await select_sign_in_of(context.database, person.id, visitor.known_digest)
    if found is not None and proof.passkey is not None:
        await use_proof(context, person, proof.passkey)
        return found
    if found is None or len(proof.password) > LONGEST_PASSWORD:
        raise FieldError("password", WRONG_PASSWORD)
    attempt, turn = await reserve_guess(context, person.email, found, visitor)
    right = await verify_guess(context, found, proof.password, attempt, turn)
    if not right:
        await note_failed_proof(context, person, "wrong password")
        raise FieldError("password", WRONG_PASSWORD)
    await refund(context.database, attempt)
    if found.second_factor:
        await prove_by_code(context, found, visitor, proof.code)
    elif found.person.operator_role and not shown and await select_passkeys_of(context.database, person.id):
        await note_failed_proof(context, person, "password alone")
        raise FieldError("password", PASSKEY_NEEDED)
    return found


async def prove_by_code(context: Context, found: SignInRow, visitor: Visitor, code: str) -> None:
    """Use a code up. Raises FieldError when it is wrong, and TooManyGuessesError when a limit is used up."""
    attempt, right = await check_code(context, found, code, visitor)
    if not right:
        await note_failed_proof(context, found.person, "wrong code")
        raise FieldError("code", WRONG_CODE)
    await refund(context.database, attempt)


async def use_proof(context: Context, person: Person, passkey: CheckedPasskey) -> None:
    """Use the answer of a passkey up. Raises FieldError when it is none."""
    async with context.database.transaction() as transaction:
        fault = await use_passkey(transaction, passkey, person.id)
    if fault:
        await note_failed_proof(context, person, fault)
        raise FieldError("passkey", WRONG_PASSKEY)


async def note_failed_proof(context: Context, person: Person, cause: str) -> None:
    event = AuditEvent(
        "person.proof_failed",
        person.actor,
        customer_id=person.customer_id,
        detail={"person": str(person.id), "cause": cause},
    )
    await insert_audit_event(context.database, event)

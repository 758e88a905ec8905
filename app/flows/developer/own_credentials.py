"""How an application proves itself, as its owners change it: each proves first who they are."""

from datetime import timedelta

from app.context import Context
from app.flows.account.change_application import change_application, rotate_secret
from app.flows.account.check_guess import Visitor
from app.flows.account.prove import IdentityProof, prove
from app.oauth.actor import Actor
from app.oauth.client import Client
from app.storage.people.application_changes import ApplicationChanges
from app.storage.people.people import Person


async def rotate_own_secret(
    context: Context,
    actor: Actor,
    person: Person,
    visitor: Visitor,
    proof: IdentityProof,
    *,
    client: Client,
    overlap: timedelta,
) -> str:
    """The new secret, which is shown only now.

    Raises FieldError when a proof is wrong, TooManyGuessesError when a limit is used up, and what `rotate_secret` raises.
    """
    await prove(context, person, visitor, proof)
    return await rotate_secret(context, actor, client.client_id, overlap)


async def replace_own_keys(
    context: Context,
    actor: Actor,
    person: Person,
    visitor: Visitor,
    proof: IdentityProof,
    *,
    client: Client,
    jwks: bytes,
) -> Client:
    """Let the application prove itself by these keys, and by no secret any more.

    Raises FieldError when a proof is wrong, TooManyGuessesError when a limit is used up, and what `change_application`
    raises.
    """
    await prove(context, person, visitor, proof)
    return await change_application(context, actor, client.client_id, ApplicationChanges(), jwks=jwks)

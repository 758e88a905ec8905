"""A verb asks whether its actor may do it, in the transaction that does it."""

from uuid import UUID

from app.oauth.actor import Actor
from app.oauth.member_role import Right, may
from app.refused import ToldError
from app.sentence import Sentence
from app.storage.people.application_owners import select_is_tester_locked, select_owns_locked
from app.storage.people.members import select_role_locked
from app.storage.postgres.database import Transaction

_SAID: dict[Right, Sentence] = {
    "look": Sentence("You do not belong to this account."),
    "connect": Sentence(
        "Your role does not include connecting and disconnecting applications. Ask an owner of the account."
    ),
    "manage": Sentence(
        "Your role does not include changing the people or the name of the account. Ask an owner of the account."
    ),
}


class RoleError(ToldError):
    """The actor's role in the account does not include this."""

    code = "role_lacking"
    status = 403
    title = Sentence("Your role does not include this")

    def __init__(self, right: Right) -> None:
        super().__init__(_SAID[right])
        self.right = right


class OwnerError(ToldError):
    """The person cannot own this, or not yet."""

    code = "not_owner"
    status = 403


async def require_right(transaction: Transaction, actor: Actor, customer_id: UUID, right: Right) -> None:
    """Judge by the role as it stands now, and keep it so until the transaction ends.

    Operators and command lines act from outside the account, so its roles say nothing about them.
    Raises RoleError when a member's role does not include it.
    """
    if not await has_right(transaction, actor, customer_id, right):
        raise RoleError(right)


async def has_right(transaction: Transaction, actor: Actor, customer_id: UUID, right: Right) -> bool:
    """Whether the actor may, by the role as it stands until the transaction ends."""
    if actor.kind != "customer":
        return True
    if actor.id is None:
        return False
    role = await select_role_locked(transaction, actor.id, customer_id)
    if role is None and await select_is_tester_locked(transaction, actor.id, customer_id):
        role = "owner"
    return may(role, right)


async def require_ownership(transaction: Transaction, actor: Actor, application_id: UUID) -> None:
    """Judge by who owns it now, and keep it so until the transaction ends.

    Whoever acts as no owner acts from outside. Raises OwnerError for an owner who is none any more.
    """
    if actor.kind != "application owner":
        return
    if actor.id is None or not await select_owns_locked(transaction, application_id, actor.id):
        raise OwnerError(Sentence("You do not own this application any more."))

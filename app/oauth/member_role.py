"""The roles of an account's people, and what each may do."""

from typing import Literal, get_args

from app.sentence import Sentence

MemberRole = Literal["owner", "connector", "viewer"]
# look: see the account. connect: approve applications and cut them off. manage: people, the account's name, ownership.
Right = Literal["look", "connect", "manage"]

# From the one that may do everything to the one that only looks.
ROLES: tuple[MemberRole, ...] = get_args(MemberRole)
# As pages and mails call them.
ROLE_NAMES: dict[MemberRole, Sentence] = {
    "owner": Sentence("owner"),
    "connector": Sentence("connector"),
    "viewer": Sentence("viewer"),
}

_RIGHTS: dict[MemberRole, frozenset[Right]] = {
    "owner": frozenset({"look", "connect", "manage"}),
    "connector": frozenset({"look", "connect"}),
    "viewer": frozenset({"look"}),
}


def may(role: MemberRole | None, right: Right) -> bool:
    """Whether somebody of this role has the right. role: None for somebody who is not of the account."""
    return role is not None and right in _RIGHTS[role]


def roles_with(right: Right) -> tuple[MemberRole, ...]:
    """The roles that have a right."""
    return tuple(role for role in ROLES if may(role, right))

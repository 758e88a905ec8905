"""Members: the people of a customer account, each with a role."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.oauth.actor import Actor
from app.oauth.member_role import MemberRole
from app.storage.people.people import Person
from app.storage.postgres.database import Statements, Transaction


@dataclass(frozen=True, slots=True)
class Member(Person):
    """A person as somebody of a customer account."""

    customer_id: UUID
    customer_name: str
    role: MemberRole

    @property
    def actor(self) -> Actor:
        """What they do in their own account they do as its member, whether or not they are of RoviTracker too."""
        return Actor("customer", self.id)


def member_of(person: Person) -> Member | None:
    """None for a person who belongs to no account."""
    if person.customer_id is None or person.customer_name is None or person.role is None:
        return None
    return Member(
        person.id,
        person.email,
        person.name,
        person.customer_id,
        person.customer_name,
        person.role,
        person.operator_role,
        person.language,
        person.time_zone,
        person.develops,
    )


INSERT_MEMBER = """
INSERT INTO customer_member (person_id, customer_id, role) VALUES ($1, $2, $3) ON CONFLICT (person_id) DO NOTHING
"""


async def insert_member(statements: Statements, person_id: UUID, customer_id: UUID, role: MemberRole) -> bool:
    """False when the person belongs to an account already."""
    return bool(await statements.count(INSERT_MEMBER, person_id, customer_id, role))


@dataclass(frozen=True, slots=True)
class ListedMember:
    """A member as the account's people see them. second_factor: whether they have an authenticator app or a passkey."""

    person_id: UUID
    email: str
    name: str
    role: MemberRole
    joined_at: datetime
    second_factor: bool


SELECT_MEMBERS = """
SELECT m.person_id, p.email, p.name, m.role, m.joined_at,
       p.totp_sealed IS NOT NULL OR EXISTS (SELECT FROM passkey k WHERE k.person_id = p.id) AS second_factor
FROM customer_member m JOIN person p ON p.id = m.person_id
WHERE m.customer_id = $1 ORDER BY m.joined_at, m.person_id
"""


async def select_members(statements: Statements, customer_id: UUID) -> tuple[ListedMember, ...]:
    """Everybody of the account, whoever joined first in front."""
    return tuple(ListedMember(**row) for row in await statements.rows(SELECT_MEMBERS, customer_id))


# The lock makes a new role wait until the transaction ends, and makes the transaction wait for one under way. So what is
# written is written under the role as it stands at that moment.
SELECT_ROLE_LOCKED = "SELECT role FROM customer_member WHERE person_id = $1 AND customer_id = $2 FOR SHARE"


async def select_role_locked(
    transaction: Transaction, person_id: UUID, customer_id: UUID
) -> MemberRole | None:
    """The role of a person in an account, which stays until the transaction ends; None for a stranger."""
    row = await transaction.row(SELECT_ROLE_LOCKED, person_id, customer_id)
    role: MemberRole | None = row["role"] if row else None
    return role


# An account always keeps an owner. Every change of its people is made under the lock of the account, so that the owners
# that this statement counts are those who stay.
_KEEPS_AN_OWNER = """(m.role <> 'owner' OR EXISTS (
    SELECT FROM customer_member o
    WHERE o.customer_id = m.customer_id AND o.role = 'owner' AND o.person_id <> m.person_id))"""
UPDATE_ROLE = f"""
UPDATE customer_member m SET role = $4
WHERE m.person_id = $1 AND m.customer_id = $2 AND m.role = $3 AND ($4 = 'owner' OR {_KEEPS_AN_OWNER})
"""


async def update_role(
    transaction: Transaction, person_id: UUID, customer_id: UUID, before: MemberRole, after: MemberRole
) -> bool:
    """False when the member has another role by now, is gone, or is the last owner."""
    return bool(await transaction.count(UPDATE_ROLE, person_id, customer_id, before, after))


DELETE_MEMBER = f"""
DELETE FROM customer_member m
WHERE m.person_id = $1 AND m.customer_id = $2 AND m.role = $3 AND {_KEEPS_AN_OWNER}
"""


async def delete_member(
    transaction: Transaction, person_id: UUID, customer_id: UUID, before: MemberRole
) -> bool:
    """False when the member has another role by now, is gone, or is the last owner."""
    return bool(await transaction.count(DELETE_MEMBER, person_id, customer_id, before))


# Both rows change, or the caller undoes it.
UPDATE_OWNERSHIP = """
UPDATE customer_member SET role = CASE WHEN person_id = $2 THEN 'connector' ELSE 'owner' END
WHERE customer_id = $1 AND (person_id = $2 AND role = 'owner' OR person_id = $3 AND role <> 'owner')
"""


async def update_ownership(transaction: Transaction, customer_id: UUID, *, giver: UUID, taker: UUID) -> bool:
    """Make one member owner and another, who was it, connector. False when they are not owner and member."""
    return await transaction.count(UPDATE_OWNERSHIP, customer_id, giver, taker) == len((giver, taker))

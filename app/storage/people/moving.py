"""Customers and applications of a former system, and how its ids name them."""

from dataclasses import dataclass
from uuid import UUID

from app.oauth.client import Client
from app.storage.people.applications import INSERT_APPLICATION, columns_of
from app.storage.people.members import Member
from app.storage.postgres.database import Statements

LOCK_IMPORTS = "SELECT pg_advisory_xact_lock(hashtext('rovitracker imports'))"


async def lock_imports(statements: Statements) -> None:
    """Let no other import add anything until the transaction ends."""
    await statements.row(LOCK_IMPORTS)


# All rows or none: whoever has the address or the former id already is left as they are. Only imports write former ids, one
# after the other. Anybody may come to sign in with the address in the same moment, so the insert of the person decides.
INSERT_FORMER_CUSTOMER = """
WITH signs_in AS (
    INSERT INTO person (id, email, name, password_hash)
    SELECT $4, $5, $6, $7 WHERE NOT EXISTS (SELECT FROM customer WHERE former_id = $3)
    ON CONFLICT (email) DO NOTHING
    RETURNING id
), added AS (
    INSERT INTO customer (id, name, former_id) SELECT $1, $2, $3 FROM signs_in RETURNING id
)
INSERT INTO customer_member (person_id, customer_id, role) SELECT signs_in.id, added.id, 'owner' FROM added, signs_in
"""


async def insert_former_customer(
    statements: Statements, member: Member, *, former_id: str | None, password_hash: str
) -> bool:
    """False when a customer has the former id already, or somebody signs in with the address."""
    customer = (member.customer_id, member.customer_name, former_id)
    person = (member.id, member.email, member.name, password_hash)
    return bool(await statements.count(INSERT_FORMER_CUSTOMER, *customer, *person))


SELECT_FORMER_CUSTOMER = """
SELECT p.id IS NOT NULL AS taken, m.customer_id AS by_email, own.former_id, c.id AS by_former_id
FROM (VALUES ($1::text, $2::text)) AS asked(email, former_id)
LEFT JOIN person p ON p.email = asked.email LEFT JOIN customer_member m ON m.person_id = p.id
LEFT JOIN customer own ON own.id = m.customer_id
LEFT JOIN customer c ON c.former_id = asked.former_id
"""


@dataclass(frozen=True, slots=True)
class FormerCustomer:
    """Who is called by an address or a former id. taken: whether somebody signs in with the address.

    by_email, by_former_id: the accounts. former_id: of the first of them.
    """

    taken: bool
    by_email: UUID | None
    former_id: str | None
    by_former_id: UUID | None


async def select_former_customer(
    statements: Statements, *, email: str | None, former_id: str | None
) -> FormerCustomer:
    [row] = await statements.rows(SELECT_FORMER_CUSTOMER, email, former_id)
    return FormerCustomer(**row)


INSERT_FORMER_APPLICATION = f"{INSERT_APPLICATION}ON CONFLICT (id) DO NOTHING"


async def insert_former_application(statements: Statements, client: Client) -> bool:
    """False when an application has its id already."""
    return bool(await statements.count(INSERT_FORMER_APPLICATION, *columns_of(client, None)))

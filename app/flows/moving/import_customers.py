"""Import customers of a former system, each with the first person who signs in to it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from app.context import Context
from app.flows.account.add_customer import check_email, check_person
from app.flows.bounds import LONGEST_FORMER_ID
from app.flows.moving.fields import Fields, LineError
from app.flows.moving.move_in import NOBODY, Move, Moved, Numbered, Verdict, Watcher
from app.oauth.actor import Actor
from app.oauth.slow_hash import read_slow_hash
from app.oauth.token_string import new_id
from app.process.passwords import NOBODY as NO_PASSWORD
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.members import Member
from app.storage.people.moving import insert_former_customer, select_former_customer
from app.storage.postgres.database import Transaction


async def import_customers(
    context: Context,
    actor: Actor,
    lines: Iterable[bytes],
    watcher: Watcher = NOBODY,
    *,
    dry_run: bool = False,
) -> Moved:
    return await Move(context, _Customers(actor), watcher, dry_run).run(lines)


@dataclass(frozen=True, slots=True)
class _Customer:
    """password_hash: one that no password has, where the line brings none."""

    former_id: str | None
    member: Member
    password_hash: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Customers:
    actor: Actor
    fields: ClassVar[frozenset[str]] = frozenset(("former_id", "name", "email", "person", "password_hash"))

    def read(self, fields: Fields) -> _Customer:
        """Raises RefusedError when the line is not kept."""
        former_id, password_hash = fields.text("former_id"), fields.text("password_hash")
        if former_id is not None and len(former_id) > LONGEST_FORMER_ID:
            raise LineError(f"former_id: at most {LONGEST_FORMER_ID} characters")
        if password_hash is not None:
            read_slow_hash(password_hash)
        name, email = check_person(fields.required("name")), check_email(fields.required("email"))
        person = check_person(fields.text("person") or name)
        member = Member(new_id(), email, person, new_id(), name, "owner")
        return _Customer(former_id, member, password_hash or NO_PASSWORD)

    async def store(self, transaction: Transaction, items: Sequence[Numbered[_Customer]]) -> list[Verdict]:
        return [await self._store_one(transaction, each.item) for each in items]

    async def _store_one(self, transaction: Transaction, asked: _Customer) -> Verdict:
        if not await insert_former_customer(
            transaction, asked.member, former_id=asked.former_id, password_hash=asked.password_hash
        ):
            return await _judge_standing(transaction, asked)
        await insert_audit_event(
            transaction,
            AuditEvent("customer.imported", self.actor, customer_id=asked.member.customer_id),
        )
        return "imported"


async def _judge_standing(transaction: Transaction, asked: _Customer) -> Verdict:
    """Why it was not inserted: the same customer stands already, or another has its id or address."""
    standing = await select_former_customer(transaction, email=asked.member.email, former_id=asked.former_id)
    if standing.by_email is not None and standing.former_id == asked.former_id:
        return "known"
    if standing.by_email is not None:
        return LineError(
            f"somebody signs in with {asked.member.email} already: customer_email can name that customer"
        )
    if standing.taken:
        return LineError(f"somebody signs in with {asked.member.email} already, and belongs to no customer")
    return LineError(
        f"customer {standing.by_former_id} was imported as {asked.former_id}, with another e-mail address"
    )

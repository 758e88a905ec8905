"""A request of the manual route with its parties: an owner of a live application, an operator, and a customer."""

from dataclasses import dataclass
from typing import Self
from uuid import UUID, uuid4

from app.context import Context
from app.flows.account.register_application import RegisteredApplication, register_application
from app.flows.approval.terms import Terms
from app.flows.mail.links import mint_pick_up_link
from app.flows.manual.answer import approve_request
from app.flows.manual.ask import ask_customer
from app.flows.manual.judge import release_request
from app.oauth.actor import COMMAND_LINE, Actor
from app.oauth.token_string import new_id
from app.storage.people.access_requests import AccessRequest, select_access_request
from app.storage.people.application_owners import insert_application_owner
from app.storage.people.operators import insert_operator
from app.storage.people.people import OperatorRole, Person, insert_person
from tests.support.people import World, hash_of_password

WHY = "Your site manager wants the hours in our rental desk."


async def add_owner(context: Context, *, name: str = "Olga Owner") -> Person:
    """Somebody who owns applications and belongs to no account, with everybody's password."""
    person = Person(new_id(), f"olga.{uuid4().hex[:12]}@sitewise.example", name)
    await insert_person(context.database, person, await hash_of_password(context))
    return person


async def add_reviewer(context: Context, role: OperatorRole = "reviewer") -> Actor:
    return Actor("operator", (await add_operator_person(context, role)).id)


async def add_operator_person(context: Context, role: OperatorRole) -> Person:
    """An operator without a second factor, with everybody's password."""
    person = Person(new_id(), f"rita.{uuid4().hex[:12]}@rovitracker.example", "Rita Reviewer")
    await insert_person(context.database, person, await hash_of_password(context))
    await insert_operator(context.database, person.id, role)
    return person


_AGE = "UPDATE access_request SET ends_at = ends_at - $2 * interval '1 day' WHERE id = $1"
_EVENTS = "SELECT event FROM audit_event WHERE application_id = $1 AND event LIKE 'request.%' ORDER BY id"
_QUEUED = "SELECT FROM mail WHERE template = $1 AND recipient = $2"


@dataclass(frozen=True, slots=True)
class Asking:
    """Everybody who has a part in a request. world: whose member is asked."""

    context: Context
    world: World
    owner: Person
    registered: RegisteredApplication
    reviewer: Actor

    @classmethod
    async def make(cls, context: Context) -> Self:
        world, owner = await World.make(context), await add_owner(context)
        registered = await register_application(
            context, COMMAND_LINE, name="Rentdesk", company="Rentdesk GmbH"
        )
        await insert_application_owner(context.database, registered.client.id, owner.id)
        return cls(context, world, owner, registered, await add_reviewer(context))

    @property
    def application_id(self) -> UUID:
        return self.registered.client.id

    @property
    def actor(self) -> Actor:
        return Actor("application owner", self.owner.id)

    @property
    def address(self) -> str:
        """The address of the owner's page."""
        return f"/app/developer/{self.application_id}/connections"

    async def ask(self, email: str | None = None) -> UUID:
        to = email or self.world.member.email
        return await ask_customer(self.context, self.actor, self.application_id, email=to, reason=WHY)

    async def release(self, email: str | None = None) -> UUID:
        request_id = await self.ask(email)
        await release_request(self.context, self.reviewer, request_id, reason="Known company")
        return request_id

    async def approve(self, terms: Terms | None = None) -> UUID:
        request_id, member = await self.release(), self.world.member
        await approve_request(self.context, member.actor, member, request_id, terms or Terms())
        return request_id

    async def link(self, request_id: UUID) -> str:
        """The secret of the link that the mail to the owners holds."""
        return await mint_pick_up_link(self.context, request_id)

    async def stands(self, request_id: UUID) -> AccessRequest:
        found = await select_access_request(self.context.database, request_id)
        assert found is not None
        return found

    async def pass_time(self, request_id: UUID, days: int = 15) -> None:
        """As if everything about the request had happened that much earlier."""
        await self.context.database.count(_AGE, request_id, days)

    async def made(self) -> int:
        """How many tokens were made for the application."""
        statement = "SELECT FROM classic_token WHERE application_id = $1"
        return len(await self.context.database.rows(statement, self.application_id))

    async def events(self) -> list[str]:
        """The names of the application's events that are about requests, the oldest first."""
        rows = await self.context.database.rows(_EVENTS, self.application_id)
        return [row["event"] for row in rows]

    async def mails(self, template: str, email: str | None = None) -> int:
        """How many were queued, sent ones too."""
        to = self.owner.email if email is None else email
        return len(await self.context.database.rows(_QUEUED, template, to))

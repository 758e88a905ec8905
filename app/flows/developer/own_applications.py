"""The applications of a person, which begin in test mode, and which their owners alone see."""

from dataclasses import dataclass
from uuid import UUID

from app.context import Context
from app.flows.account.change_application import ApplicationError
from app.flows.account.register_application import RegisteredApplication, register_application
from app.flows.account.rights import OwnerError
from app.flows.developer.test_customer import give_test_customer
from app.oauth.actor import Actor
from app.oauth.client import ClientKind
from app.sentence import Sentence
from app.storage.people.application_owners import select_owned_ids
from app.storage.people.applications import Application, select_applications
from app.storage.people.people import Person, select_confirmed_email

MOST_OWNED = 100  # applications of a person


@dataclass(frozen=True, slots=True)
class NewApplication:
    """What its owner types of an application. logo: the bytes of a picture."""

    name: str
    company: str
    redirect_uris: tuple[str, ...]
    logo: bytes | None
    kind: ClientKind
    public: bool


async def register_own_application(
    context: Context, actor: Actor, person: Person, new: NewApplication
) -> RegisteredApplication:
    """Register an application in test mode, and give the person a test customer to try it with.

    Raises OwnerError when the person's address is not confirmed or they own too many, and what `register_application`
    raises.
    """
    if await select_confirmed_email(context.database, person.id) is None:
        raise OwnerError(
            Sentence("Confirm your e-mail address first: set a new password by the link that we mail to it."),
            code="email_not_confirmed",
        )
    if len(await select_owned_ids(context.database, person.id)) >= MOST_OWNED:
        raise OwnerError(
            Sentence("You own %(most)s applications, which is the most. Delete one first.", most=MOST_OWNED),
            code="too_many_applications",
        )
    registered = await register_application(
        context,
        actor,
        name=new.name,
        company=new.company,
        redirect_uris=new.redirect_uris,
        logo=new.logo,
        kind=new.kind,
        public=new.public,
        owner_id=person.id,
    )
    await give_test_customer(context, actor, person)
    return registered


async def list_own_applications(context: Context, person: Person) -> tuple[Application, ...]:
    """The oldest first, without those that were deleted."""
    ids = await select_owned_ids(context.database, person.id)
    found = await select_applications(context.database, ids)
    return tuple(found[each] for each in ids if each in found)


async def find_own_application(context: Context, person: Person, application_id: UUID) -> Application:
    """Raises ApplicationError 404 for one that is not the person's, whether or not there is such a one."""
    for application in await list_own_applications(context, person):
        if application.client.id == application_id:
            return application
    raise ApplicationError(
        Sentence("You own no application with this address."), code="unknown_application", status=404
    )

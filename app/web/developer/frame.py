"""Who is at a page of an application's owners, and the frame of those pages."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from app.flows.approval.browser_flow import FlowLostError, SignInFlow
from app.flows.developer.own_applications import find_own_application
from app.oauth.actor import Actor
from app.sentence import Sentence
from app.storage.people.application_reviews import select_waiting
from app.storage.people.applications import Application
from app.storage.people.people import Person
from app.web.pages.account import account_page
from app.web.pages.account_form import Posted, posted_form
from app.web.pages.login import login_page
from app.web.pages.render import see_other, shown
from app.web.pages.signed_in import person_here
from app.web.paths import (
    CREDENTIALS,
    DEVELOPER,
    LOGIN,
    OWN_APPLICATION,
    OWN_CONNECTIONS,
    OWN_NOTICES,
    OWN_SETTINGS,
    OWNERS,
    PUBLISH,
    REFUSED_REQUESTS,
    USAGE,
)
from app.web.request import context_of

_TABS = (
    (Sentence("Quick start"), OWN_APPLICATION),
    (Sentence("Connections"), OWN_CONNECTIONS),
    (Sentence("Credentials"), CREDENTIALS),
    (Sentence("Refused requests"), REFUSED_REQUESTS),
    (Sentence("Usage"), USAGE),
    (Sentence("People"), OWNERS),
    (Sentence("Notices"), OWN_NOTICES),
    (Sentence("Settings"), OWN_SETTINGS),
    (Sentence("Going live"), PUBLISH),
)
STATES = {
    "test": Sentence("Test mode"),
    "waiting": Sentence("Test mode, waiting for review"),
    "live": Sentence("Live"),
    "changing": Sentence("Live, changes wait for review"),
    "suspended": Sentence("Suspended"),
}


@dataclass(frozen=True, slots=True)
class OwnerHere:
    """Who is at the page, and the application of theirs that it is about. waiting: whether something is in review."""

    person: Person
    application: Application
    waiting: bool = False

    @property
    def state(self) -> str:
        return state_of(self.application, waiting=self.waiting)

    @property
    def actor(self) -> Actor:
        return owner_actor(self.person)


def owner_actor(person: Person) -> Actor:
    """What somebody does with their applications they do as their owner, whatever else they are."""
    return Actor("application owner", person.id)


async def owner_here(request: Request, path: str) -> OwnerHere | Response:
    """The owner of the application that the address names, or the page where they sign in and come back.

    path: the row of the address. Raises ApplicationError 404 when it is nobody's or somebody else's.
    """
    person = await person_here(request)
    application_id: UUID = request.path_params["application"]
    if person is None:
        return await login_page(request, SignInFlow(address_below(path, application_id)))
    context = context_of(request)
    application = await find_own_application(context, person, application_id)
    waiting = await select_waiting(context.database, [application_id])
    return OwnerHere(person, application, waiting=bool(waiting))


async def posting_owner(request: Request, path: str, action: str) -> tuple[OwnerHere, Posted] | Response:
    """The same for a form: who posted it, and what. action: what the form was made for.

    Raises FlowLostError when it was made for another application.
    """
    owner, posted = await owner_here(request, path), await posted_form(request, action)
    if isinstance(owner, Response) or posted is None:
        return see_other(LOGIN)
    if posted.subject.partition(" ")[0] != str(owner.application.client.id):
        raise FlowLostError("the form was made for another application")
    return owner, posted


def application_page(
    request: Request, owner: OwnerHere, path: str, template: str, *, status: int = 200, **values: Any
) -> Response:
    """A page about one application. path: the row of the tab it stands under."""
    client = owner.application.client
    return account_page(
        request,
        owner.person,
        DEVELOPER,
        template,
        status=status,
        back_to=address_below(path, client.id),
        application={**shown(owner.application), "client_id": client.client_id},
        state=owner.state,
        state_name=STATES[owner.state],
        tabs=[(name, address_below(row, client.id)) for name, row in _TABS],
        tab=address_below(path, client.id),
        **values,
    )


def state_of(application: Application, *, waiting: bool) -> str:
    """A key of STATES. waiting: whether something is in review."""
    if not application.client.active:
        return "suspended"
    if application.client.test:
        return "waiting" if waiting else "test"
    return "changing" if waiting else "live"


def address_below(path: str, application_id: UUID) -> str:
    """The address of a page about one application."""
    return path.replace("{application:uuid}", str(application_id))

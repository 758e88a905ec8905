"""A form of a person's own pages: who posts it, and what is shown when a field is not accepted."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from starlette.requests import Request

from app.flows.account.prove import FieldError
from app.flows.account.sign_in import read_session
from app.flows.approval.browser_flow import FormFlow, open_form, seal_flow
from app.oauth.actor import Actor
from app.refused import ToldError
from app.sentence import Sentence
from app.storage.people.people import Person
from app.throttling.guesses import TooManyGuessesError
from app.web.pages.browser import cookie_of, read_form
from app.web.pages.login import note_refusal
from app.web.request import context_of

_LIMITED = Sentence("There were too many attempts. Please try again in a few minutes.")


@dataclass(frozen=True, slots=True)
class Posted:
    """A form that was posted from a page of ours by whoever is signed in. subject: what it was about."""

    person: Person
    session: str
    subject: str
    fields: Mapping[str, str]

    @property
    def actor(self) -> Actor:
        return self.person.actor

    def field(self, name: str) -> str:
        return self.fields.get(name, "")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a form, and where. retry_after_s: until a limit is back."""

    form: str
    field: str
    text: Sentence
    status: int
    retry_after_s: int | None = None


async def posted_form(
    request: Request, action: str, read: Callable[[Request], Awaitable[Mapping[str, str]]] = read_form
) -> Posted | None:
    """None when nobody is signed in. Raises FlowLostError when the form was made for something else, or elsewhere.

    read: reads the fields.
    """
    context = context_of(request)
    fields = await read(request)
    session = cookie_of(request, "session")
    person = await read_session(context, session)
    if person is None or session is None:
        return None
    flow = open_form(context, fields.get("form"), browser=session, action=action)
    return Posted(person, session, flow.subject, fields)


def sealed_form(request: Request, action: str, subject: str = "") -> list[tuple[str, str]]:
    """The hidden fields of a form on a signed-in page."""
    session = cookie_of(request, "session") or ""
    return [("form", seal_flow(context_of(request), FormFlow(action, subject), browser=session))]


def refused_at(
    request: Request, form: str, field: str, refused: ToldError, status: int | None = None
) -> Fault:
    """What the page tells at a field, and the log notes. status: another one than the refusal's own."""
    note_refusal(request, refused.code, str(refused))
    return Fault(form, field, refused.what, status or refused.status)


def fault_of(request: Request, form: str, error: FieldError | TooManyGuessesError) -> Fault:
    """What the page tells, and the log notes."""
    note_refusal(request, error.code, str(error))
    if isinstance(error, FieldError):
        return Fault(form, error.field, error.what, error.status)
    return Fault(form, "password", _LIMITED, error.status, error.retry_after_s)

"""Who is signed in with the browser in front of a page."""

from starlette.requests import Request

from app.flows.account.sign_in import read_session
from app.flows.developer.test_customer import find_approver
from app.oauth.client import Client
from app.oauth.errors import PageError
from app.sentence import Sentence
from app.storage.people.members import Member, member_of
from app.storage.people.people import Person
from app.web.pages.browser import cookie_of
from app.web.request import context_of


async def person_here(request: Request) -> Person | None:
    return await read_session(context_of(request), cookie_of(request, "session"))


async def member_here(request: Request) -> Member | None:
    """None when nobody is signed in. Raises PageError when the person belongs to no customer account."""
    person = await person_here(request)
    return require_member(person) if person else None


async def approver_here(request: Request, client: Client) -> Member | None:
    """The member that the person decides as at this application; None when nobody is signed in.

    Raises PageError when the person belongs to no customer account, and InTestModeError for somebody else's application
    in test mode.
    """
    person = await person_here(request)
    if person is None:
        return None
    return await find_approver(context_of(request), person, client) or require_member(person)


def require_member(person: Person) -> Member:
    """Raises PageError when the person belongs to no customer account."""
    member = member_of(person)
    if member is None:
        raise PageError(
            Sentence("You belong to no customer account"),
            Sentence(
                "You are signed in as %(email)s, but this page belongs to a customer account. "
                "Ask an owner of the account to invite you, or sign in with another address.",
                email=person.email,
            ),
            403,
            code="no_account",
        )
    return member

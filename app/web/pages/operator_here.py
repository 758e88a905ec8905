"""Who is at an operators' page: always with a second factor, shown lately for what is sensitive."""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from app.flows.account.prove_again import read_proof
from app.flows.approval.browser_flow import SignInFlow
from app.oauth.errors import PageError
from app.sentence import Sentence
from app.storage.people.people import Person
from app.web.pages.browser import cookie_of
from app.web.pages.login import login_page
from app.web.pages.render import see_other
from app.web.pages.signed_in import person_here
from app.web.paths import AUTHENTICATOR, PROVE, STAFF
from app.web.request import context_of


async def operator_here(request: Request, path: str, *, lately: bool = False) -> Person | Response:
    """The operator, or the answer that leads there: sign in, set a second factor up, or show it.

    path: of the page that it is for. lately: whether it must have been shown within ten minutes.
    Raises PageError when the person is no operator.
    """
    person = await person_here(request)
    session = cookie_of(request, "session")
    proof = await read_proof(context_of(request), session) if session else None
    if person is None or proof is None:
        return await login_page(request, SignInFlow(path))
    if person.operator_role is None:
        raise PageError(
            Sentence("This page is for operators"),
            Sentence(
                "You are signed in as %(email)s. An admin of RoviTracker can make you an operator.",
                email=person.email,
            ),
            403,
        )
    if not (proof.has_app or proof.has_passkey):
        return see_other(AUTHENTICATOR)
    if not (proof.fresh if lately else proof.proved):
        return see_other(PROVE if path == STAFF else f"{PROVE}?{urlencode({'then': path})}")
    return person

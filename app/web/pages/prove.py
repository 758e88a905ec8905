"""The page that asks an operator for the second factor again."""

import re

from starlette.requests import Request
from starlette.responses import Response

from app.flows.account.prove import FieldError
from app.flows.account.prove_again import prove_again
from app.flows.approval.browser_flow import SignInFlow
from app.oauth.parameters import parse_query
from app.storage.people.people import Person
from app.throttling.guesses import TooManyGuessesError
from app.web.pages.account import account_page
from app.web.pages.account_form import Fault, fault_of, posted_form, sealed_form
from app.web.pages.login import login_page, visitor_of
from app.web.pages.passkey_proof import asked_proof, proof_of
from app.web.pages.render import see_other
from app.web.pages.signed_in import person_here
from app.web.paths import LOGIN, PROVE, REQUEST_QUEUE, REVIEWS, STAFF
from app.web.request import context_of, raw_query

_PROVE = "prove again"
# Pages that lead here, and are led back to.
_LEAD_BACK = re.compile(rf"{REQUEST_QUEUE}|{REVIEWS}[a-z0-9/-]{{0,100}}")


async def prove(request: Request) -> Response:
    person = await person_here(request)
    if person is None:
        return await login_page(request, SignInFlow(PROVE))
    then = parse_query(raw_query(request)).values.get("then", "")
    return await _prove_page(request, person, then if _LEAD_BACK.fullmatch(then) else STAFF)


async def submit_prove(request: Request) -> Response:
    posted = await posted_form(request, _PROVE)
    if posted is None:
        return see_other(LOGIN)
    try:
        await prove_again(
            context_of(request),
            posted.person,
            visitor_of(request),
            session=posted.session,
            proof=await proof_of(request, posted),
        )
    except (FieldError, TooManyGuessesError) as error:
        return await _prove_page(request, posted.person, posted.subject, fault_of(request, _PROVE, error))
    return see_other(posted.subject)


async def _prove_page(request: Request, person: Person, then: str, fault: Fault | None = None) -> Response:
    """then: the page that it is for, sealed in the form."""
    asked = await asked_proof(request, person)
    response = account_page(
        request,
        person,
        PROVE,
        "prove.html",
        status=fault.status if fault else 200,
        scripted=asked.passkey is not None,
        fault=fault,
        action=PROVE,
        hidden=sealed_form(request, _PROVE, then),
        asked=asked,
    )
    if fault and fault.retry_after_s:
        response.headers["Retry-After"] = str(fault.retry_after_s)
    return response

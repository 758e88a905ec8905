"""Pages on the second factor: an authenticator app is set up and turned off, and recovery codes are shown once."""

from collections.abc import Sequence
from typing import Any

import segno
from starlette.requests import Request
from starlette.responses import Response

from app.flows.account.prove import FieldError
from app.flows.account.second_factor import read_recovery_codes_left, renew_recovery_codes, turn_off, turn_on
from app.flows.approval.browser_flow import SignInFlow
from app.oauth.second_factor import enrolment_uri, new_totp_secret
from app.storage.people.people import Person
from app.throttling.guesses import TooManyGuessesError
from app.web.pages.account import account_page
from app.web.pages.account_form import Fault, fault_of, posted_form, sealed_form
from app.web.pages.login import login_page, visitor_of
from app.web.pages.passkey_proof import asked_proof, proof_of
from app.web.pages.render import see_other
from app.web.pages.security import OFF_FORM, RENEWAL_FORM, security_page
from app.web.pages.signed_in import person_here
from app.web.paths import AUTHENTICATOR, LOGIN, SECURITY
from app.web.request import context_of

_SET_UP = "set up authenticator"
_GROUP = 4
_QUIET = 4  # modules around the code (ISO/IEC 18004)


async def set_up(request: Request) -> Response:
    """The page's secret travels sealed in its form, and nothing is kept before a code confirmed it."""
    context = context_of(request)
    person = await person_here(request)
    if person is None:
        return await login_page(request, SignInFlow(AUTHENTICATOR))
    if await read_recovery_codes_left(context, person) is not None:
        return see_other(SECURITY)
    return await _set_up_page(request, person, new_totp_secret())


async def submit_set_up(request: Request) -> Response:
    posted = await posted_form(request, _SET_UP)
    if posted is None:
        return see_other(LOGIN)
    try:
        codes = await turn_on(
            context_of(request),
            posted.person,
            visitor_of(request),
            await proof_of(request, posted),
            session=posted.session,
            secret=posted.subject,
            new_code=posted.field("new_code"),
        )
    except (FieldError, TooManyGuessesError) as error:
        return await _set_up_page(request, posted.person, posted.subject, fault_of(request, _SET_UP, error))
    return _codes_page(request, posted.person, codes, new=True)


async def submit_off(request: Request) -> Response:
    posted = await posted_form(request, OFF_FORM)
    if posted is None:
        return see_other(LOGIN)
    try:
        await turn_off(
            context_of(request),
            posted.person,
            visitor_of(request),
            await proof_of(request, posted),
        )
    except (FieldError, TooManyGuessesError) as error:
        return await security_page(request, posted.person, fault_of(request, OFF_FORM, error))
    return see_other(f"{SECURITY}?done=off")


async def submit_renewal(request: Request) -> Response:
    posted = await posted_form(request, RENEWAL_FORM)
    if posted is None:
        return see_other(LOGIN)
    try:
        codes = await renew_recovery_codes(
            context_of(request),
            posted.person,
            visitor_of(request),
            await proof_of(request, posted),
        )
    except (FieldError, TooManyGuessesError) as error:
        return await security_page(request, posted.person, fault_of(request, RENEWAL_FORM, error))
    return _codes_page(request, posted.person, codes, new=False)


async def _set_up_page(request: Request, person: Person, secret: str, fault: Fault | None = None) -> Response:
    asked = await asked_proof(request, person)
    response = account_page(
        request,
        person,
        SECURITY,
        "authenticator.html",
        status=fault.status if fault else 200,
        fault=fault,
        scripted=asked.passkey is not None,
        asked=asked,
        action=AUTHENTICATOR,
        hidden=sealed_form(request, _SET_UP, secret),
        qr_code=_qr_code(enrolment_uri(secret, person.email)),
        secret=" ".join(secret[at : at + _GROUP] for at in range(0, len(secret), _GROUP)),
        security_url=SECURITY,
        needed=person.operator_role is not None,
    )
    if fault and fault.retry_after_s:
        response.headers["Retry-After"] = str(fault.retry_after_s)
    return response


def _codes_page(request: Request, person: Person, codes: Sequence[str], *, new: bool) -> Response:
    return account_page(
        request, person, SECURITY, "recovery_codes.html", codes=codes, new=new, security_url=SECURITY
    )


def _qr_code(text: str) -> dict[str, Any]:
    """A QR code as the outline of an SVG. size: of its square, in modules."""
    matrix = segno.make(text, error="m", micro=False).matrix
    rows = enumerate(matrix, _QUIET)
    dark = [(row, column) for row, line in rows for column, module in enumerate(line, _QUIET) if module]
    return {
        "size": len(matrix) + 2 * _QUIET,
        "outline": "".join(f"M{column} {row}h1v1h-1z" for row, column in dark),
    }

"""Sign-in and sign-out pages."""

from starlette.requests import Request
from starlette.responses import Response

from app.flows.account.check_guess import Visitor
from app.flows.account.sign_in import (
    CodeAsked,
    NotSignedIn,
    SignedIn,
    SignInError,
    finish_sign_in,
    sign_in,
    sign_out,
)
from app.flows.approval.authorize import AuthorizationAsked
from app.flows.approval.browser_flow import (
    CodeFlow,
    FormFlow,
    SignInFlow,
    open_code,
    open_form,
    open_sign_in,
    seal_flow,
)
from app.flows.token.authenticate import read_application
from app.sentence import Sentence
from app.throttling.guesses import TooManyGuessesError
from app.web.pages.browser import (
    browser_of,
    cookie_of,
    drop_cookie,
    read_form,
    set_cookie,
)
from app.web.pages.browser_kind import kind_of
from app.web.pages.language import language_of
from app.web.pages.render import page, see_other, shown
from app.web.paths import ACCOUNT, LOGIN, LOGIN_CODE, LOGIN_PASSKEY, LOGIN_PASSKEY_ASKED
from app.web.request import address_of, client_of, context_of, field_value

_SIGN_OUT = "sign out"
# One text for an unknown address, a wrong password and a limit, so that none gives an account away.
_REFUSED = Sentence(
    "That e-mail address and password do not belong together, or there were too many attempts. "
    "Please check both, and try again in a few minutes."
)
_WRONG_CODE = Sentence(
    "That code is wrong or was used already, or there were too many attempts. "
    "Type the code that the app shows now, or try again in a few minutes."
)
_CHANGED = Sentence("Your password or your account changed meanwhile. Please sign in again.")


async def login(request: Request) -> Response:
    return await login_page(request, SignInFlow(ACCOUNT))


async def login_page(
    request: Request,
    flow: SignInFlow,
    *,
    email: str = "",
    error: Sentence | None = None,
    wrong_passkey: Sentence | None = None,
    status: int = 400,
) -> Response:
    """The page for a sign-in that leads to flow.path. wrong_passkey: what is told beside the button for passkeys."""
    context, browser = context_of(request), browser_of(request)
    application = await read_application(context, flow.client_id, address_of(request.scope))
    offers_passkeys = context.policy.relying_party is not None
    return page(
        request,
        "login.html",
        status=status if error or wrong_passkey else 200,
        to_application=flow.client_id is not None,
        scripted=offers_passkeys,
        back_to=flow.path,
        action=LOGIN,
        hidden=[("flow", seal_flow(context, flow, browser=browser))],
        passkey={"action": LOGIN_PASSKEY, "ask": LOGIN_PASSKEY_ASKED} if offers_passkeys else None,
        wrong_passkey=wrong_passkey,
        email=email,
        error=error,
        application=shown(application) if application else None,
    )


async def submit_login(request: Request) -> Response:
    """Wrong address and wrong password look alike; the right ones lead to where the sealed flow says, never elsewhere."""
    context = context_of(request)
    form = await read_form(request)
    flow = open_sign_in(context, form.get("flow"), browser=cookie_of(request, "browser"))
    email = form.get("email", "")
    try:
        outcome = await sign_in(
            context, email=email, password=form.get("password", ""), visitor=visitor_of(request)
        )
    except SignInError as refused:
        return await login_page(request, flow, email=email, error=refused.what)
    except TooManyGuessesError as limited:
        note_refusal(request, "too_many_guesses", str(limited))
        response = await login_page(request, flow, email=email, error=_REFUSED, status=429)
        response.headers["Retry-After"] = str(limited.retry_after_s)
        return response
    if isinstance(outcome, NotSignedIn):
        note_refusal(request, "sign_in_failed", outcome.cause)
        return await login_page(request, flow, email=email, error=_REFUSED)
    if isinstance(outcome, CodeAsked):
        return await _code_page(request, CodeFlow(flow, outcome.person_id, outcome.password_digest))
    return await begin(request, flow, outcome)


async def submit_code(request: Request) -> Response:
    """The code after the password; the sealed flow says where it leads, as before."""
    context = context_of(request)
    form = await read_form(request)
    flow = open_code(context, form.get("flow"), browser=cookie_of(request, "browser"))
    asked = CodeAsked(flow.person_id, flow.password_digest)
    try:
        outcome = await finish_sign_in(context, asked, form.get("code", ""), visitor_of(request))
    except TooManyGuessesError as limited:
        note_refusal(request, "too_many_guesses", str(limited))
        response = await _code_page(request, flow, error=_WRONG_CODE, status=429)
        response.headers["Retry-After"] = str(limited.retry_after_s)
        return response
    if isinstance(outcome, SignedIn):
        return await begin(request, flow.way, outcome)
    note_refusal(request, "sign_in_failed", outcome.cause)
    if outcome.cause == "wrong code":
        return await _code_page(request, flow, error=_WRONG_CODE, status=422)
    return await login_page(request, flow.way, error=_CHANGED)


async def _code_page(
    request: Request, flow: CodeFlow, *, error: Sentence | None = None, status: int = 200
) -> Response:
    context = context_of(request)
    application = await read_application(context, flow.way.client_id, address_of(request.scope))
    return page(
        request,
        "login_code.html",
        status=status,
        to_application=flow.way.client_id is not None,
        back_to=flow.way.path,
        action=LOGIN_CODE,
        hidden=[("flow", seal_flow(context, flow, browser=browser_of(request)))],
        error=error,
        application=shown(application) if application else None,
        restart_url=flow.way.path,
    )


async def begin(request: Request, flow: SignInFlow, outcome: SignedIn) -> Response:
    """Go where the sign-in leads, with the new session's cookie."""
    context = context_of(request)
    replaced = cookie_of(request, "session")
    if replaced:
        await sign_out(context, replaced)
    response = see_other(flow.path)
    set_cookie(request, response, "session", outcome.session)
    set_cookie(request, response, "known", outcome.known_browser)
    return response


def visitor_of(request: Request) -> Visitor:
    scope = request.scope
    kind = kind_of(field_value(request, b"user-agent"))
    return Visitor(
        client_of(scope), address_of(scope), cookie_of(request, "known"), kind, language_of(request).code
    )


def note_refusal(request: Request, error: str, detail: str) -> None:
    """For the request's line in the log; the page tells one text for all causes."""
    request.scope["refused"] = {"error": error, "detail": detail}


async def submit_logout(request: Request) -> Response:
    context = context_of(request)
    form = await read_form(request)
    session = cookie_of(request, "session")
    if session is None:  # signed out in another window
        return see_other(LOGIN)
    flow = open_form(context, form.get("form"), browser=session, action=_SIGN_OUT)
    await sign_out(context, session)
    response = see_other(flow.subject)
    drop_cookie(request, response, "session")
    return response


def logout_hidden(request: Request, then: str) -> list[tuple[str, str]]:
    """Hidden inputs of a sign-out form that goes on to a path of ours."""
    session = cookie_of(request, "session") or ""
    return [("form", seal_flow(context_of(request), FormFlow(_SIGN_OUT, then), browser=session))]


def flow_back_to(path: str, asked: AuthorizationAsked) -> SignInFlow:
    return SignInFlow(path, asked.application.client.client_id)

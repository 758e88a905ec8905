"""Sign-in and sign-out pages."""

from starlette.requests import Request
from starlette.responses import Response

from app.flows.account.sign_in import NotSignedIn, SignInError, Visitor, sign_in, sign_out
from app.flows.approval.authorize import AuthorizationAsked
from app.flows.approval.browser_flow import FormFlow, SignInFlow, open_form, open_sign_in, seal_flow
from app.flows.token.authenticate import read_application
from app.throttling.guesses import TooManyGuessesError
from app.web.pages.browser import (
    browser_of,
    cookie_of,
    drop_cookie,
    keep_browser,
    read_form,
    set_cookie,
)
from app.web.pages.render import page, see_other, shown
from app.web.paths import CONNECTIONS, LOGIN
from app.web.request import address_of, client_of, context_of

_SIGN_OUT = "sign out"
# One text for an unknown address, a wrong password and a limit, so that none gives an account away.
_REFUSED = (
    "That e-mail address and password do not belong together, or there were too many attempts. "
    "Please check both, and try again in a few minutes."
)


async def login(request: Request) -> Response:
    return await login_page(request, SignInFlow(CONNECTIONS))


async def login_page(
    request: Request, flow: SignInFlow, *, email: str = "", error: str | None = None, status: int = 400
) -> Response:
    """The page for a sign-in that leads to flow.path."""
    browser = browser_of(request)
    application = await read_application(context_of(request), flow.client_id, address_of(request.scope))
    response = page(
        request,
        "login.html",
        status=status if error else 200,
        to_application=flow.client_id is not None,
        action=LOGIN,
        hidden=[("flow", seal_flow(context_of(request), flow, browser=browser))],
        email=email,
        error=error,
        application=shown(application) if application else None,
    )
    keep_browser(request, response, browser)
    return response


async def submit_login(request: Request) -> Response:
    """Wrong address and wrong password look alike; the right ones lead to where the sealed flow says, never elsewhere."""
    context = context_of(request)
    form = await read_form(request)
    flow = open_sign_in(context, form.get("flow"), browser=cookie_of(request, "browser"))
    email = form.get("email", "")
    try:
        outcome = await sign_in(
            context, email=email, password=form.get("password", ""), visitor=_visitor(request)
        )
    except SignInError as refused:
        return await login_page(request, flow, email=email, error=str(refused))
    except TooManyGuessesError as limited:
        _note_refusal(request, "too_many_guesses", str(limited))
        response = await login_page(request, flow, email=email, error=_REFUSED, status=429)
        response.headers["Retry-After"] = str(limited.retry_after_s)
        return response
    if isinstance(outcome, NotSignedIn):
        _note_refusal(request, "sign_in_failed", outcome.cause)
        return await login_page(request, flow, email=email, error=_REFUSED)
    replaced = cookie_of(request, "session")
    if replaced:
        await sign_out(context, replaced)
    response = see_other(flow.path)
    set_cookie(request, response, "session", outcome.session)
    set_cookie(request, response, "known", outcome.known_browser)
    return response


def _visitor(request: Request) -> Visitor:
    scope = request.scope
    return Visitor(client_of(scope), address_of(scope), cookie_of(request, "known"))


def _note_refusal(request: Request, error: str, detail: str) -> None:
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
    return SignInFlow(path, str(asked.application.client.id))

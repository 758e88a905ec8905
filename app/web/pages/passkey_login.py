"""The button for passkeys on the sign-in page: what the browser is asked, and what it answers."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.flows.account.passkey_answer import AskedPasskey, NoPasskeysError, ask_for_any
from app.flows.account.passkey_sign_in import sign_in_with_passkey
from app.flows.account.sign_in import NotSignedIn
from app.flows.approval.browser_flow import ChallengeFlow, open_challenge, open_sign_in, seal_flow
from app.sentence import Sentence
from app.throttling.guesses import TooManyGuessesError
from app.web.pages.browser import cookie_of, read_form
from app.web.pages.login import begin, login_page, note_refusal, visitor_of
from app.web.request import NO_STORE, context_of

_SIGN_IN = "sign in"
# One text for an unknown passkey, a wrong answer, a disabled account and a limit, so that none gives an account away.
_REFUSED = Sentence(
    "That passkey was not accepted, or there were too many attempts. "
    "Try it again, or sign in with your password."
)


async def ask(request: Request) -> Response:
    """A fresh challenge for the sign-in page of this browser. Nothing is stored."""
    context = context_of(request)
    form = await read_form(request)
    browser = cookie_of(request, "browser")
    open_sign_in(context, form.get("flow"), browser=browser)
    return asked_answer(request, ask_for_any(context), _SIGN_IN, browser=browser or "")


async def submit_passkey(request: Request) -> Response:
    """The answer; the sealed flow says where it leads, as with a password."""
    context = context_of(request)
    form = await read_form(request)
    browser = cookie_of(request, "browser")
    flow = open_sign_in(context, form.get("flow"), browser=browser)
    challenge = open_challenge(context, form.get("challenge"), browser=browser, purpose=_SIGN_IN)
    try:
        outcome = await sign_in_with_passkey(
            context, challenge=challenge, answer=form.get("answer", ""), visitor=visitor_of(request)
        )
    except TooManyGuessesError as limited:
        note_refusal(request, "too_many_guesses", str(limited))
        response = await login_page(request, flow, wrong_passkey=_REFUSED, status=429)
        response.headers["Retry-After"] = str(limited.retry_after_s)
        return response
    if isinstance(outcome, NotSignedIn):
        note_refusal(request, "sign_in_failed", outcome.cause)
        return await login_page(request, flow, wrong_passkey=_REFUSED)
    return await begin(request, flow, outcome)


def asked_answer(request: Request, asked: AskedPasskey | None, purpose: str, *, browser: str) -> Response:
    """What the script reads. browser: the cookie that the challenge is bound to. Raises NoPasskeysError for none."""
    if asked is None:
        raise NoPasskeysError(Sentence("No passkey can be used here."))
    return JSONResponse(
        {"challenge": sealed_challenge(request, asked, purpose, browser=browser), "options": asked.options},
        headers=NO_STORE,
    )


def sealed_challenge(request: Request, asked: AskedPasskey, purpose: str, *, browser: str) -> str:
    return seal_flow(context_of(request), ChallengeFlow(purpose, asked.challenge.hex()), browser=browser)

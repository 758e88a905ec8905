"""A flood of forged tokens is answered 429 here, before the framework, where that costs the least."""

from starlette.requests import Request
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send

from app.flows.token.check_token import must_be_looked_up
from app.oauth.bearer import read_bearer
from app.oauth.errors import OAuthError, too_many_failures
from app.oauth.token_string import recognise
from app.web.errors import answer
from app.web.paths import API
from app.web.request import address_of, context_of
from app.web.routes import router


class FullLanes:
    """Answers 429 to callers that `look_up` would refuse right now. All others pay one look into a dictionary."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        if scope["type"] == "http" and scope["path"].startswith(API) and _is_flood(Request(scope)):
            _note_route(scope)
            app = await answer(Request(scope), too_many_failures("its lane is full"))
        await app(scope, receive, send)


def _note_route(scope: Scope) -> None:
    """The router does not get to see the request, and its measurement needs the label that all others have."""
    for route in router.routes:
        if route.matches(scope)[0] is not Match.NONE:
            scope["route"] = route
            return


def _is_flood(request: Request) -> bool:
    context = context_of(request)
    if not context.failures.crowded(address_of(request.scope)):
        return False
    try:
        any_form = context.policy.takes_legacy_tokens(context.now)
        unverified = read_bearer(request.headers.getlist("authorization"), any_form=any_form)
    except OAuthError:  # the guard says what is wrong with it
        return False
    return must_be_looked_up(context, recognise(unverified))

"""Cookies of a browser, and the refusal of forms that another site posts with them."""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Literal, cast

from starlette.requests import Request
from starlette.responses import Response

from app.context import Context
from app.oauth.bounds import MOST_FIELDS
from app.oauth.errors import PageError
from app.oauth.parameters import parse_form
from app.sentence import Sentence
from app.web.cookies import PLAIN, SECURE
from app.web.request import context_of, read_body

CookieName = Literal["browser", "session", "known", "language"]

# A form of ours carries its request sealed, which is half as long again and may have been 16 KiB.
LARGEST_FORM = 32 * 1024
_LANGUAGE_LIFE = timedelta(days=365)


def cookie_of(request: Request, name: CookieName) -> str | None:
    return request.cookies.get(_full_name(context_of(request), name))


def browser_of(request: Request) -> str:
    """The mark of this browser; a new one, which `page` sends, where it has none."""
    had = cookie_of(request, "browser")
    if not had and not hasattr(request.state, "browser"):
        request.state.browser = secrets.token_urlsafe(32)
    return had or cast("str", request.state.browser)


def keep_browser(request: Request, response: Response) -> None:
    if not cookie_of(request, "browser"):
        set_cookie(request, response, "browser", browser_of(request))


def set_cookie(request: Request, response: Response, name: CookieName, value: str) -> None:
    """Lax, so that the customer who comes from the application's site is still signed in (R-57)."""
    context = context_of(request)
    response.set_cookie(
        _full_name(context, name),
        value,
        max_age=_life_s(context, name),
        secure=context.policy.secure,
        httponly=True,
        samesite="lax",
    )


def drop_cookie(request: Request, response: Response, name: CookieName) -> None:
    context = context_of(request)
    response.delete_cookie(
        _full_name(context, name), secure=context.policy.secure, httponly=True, samesite="lax"
    )


async def read_form(
    request: Request, *, largest: int = LARGEST_FORM, most: int = MOST_FIELDS
) -> Mapping[str, str]:
    """The fields of a form of ours; what another site posts is refused before it is read (R-43).

    largest: in bytes. most: fields.
    """
    refuse_other_sites(request)
    return parse_form(await read_body(request.receive, most=largest), largest=largest, most=most)


def refuse_other_sites(request: Request) -> None:
    """So that nobody acts with a customer's cookies from a page of their own.

    Sec-Fetch-Site decides where the browser sends it, else Origin; a client that sends neither is no browser, holds
    no one's cookies by accident, and must still show the sealed token of the form.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is not None:
        own = site in ("same-origin", "none")
    else:
        own = origin is None or origin == context_of(request).policy.issuer
    if not own:
        raise PageError(
            Sentence("This form came from another site"),
            Sentence("For your safety it was not accepted. Nothing was changed."),
            403,
        )


def _life_s(context: Context, name: CookieName) -> int | None:
    """None: until the browser is closed."""
    lives = {
        "session": context.policy.session_absolute,
        "known": context.policy.known_browser_life,
        "language": _LANGUAGE_LIFE,
    }
    return int(lives[name].total_seconds()) if name in lives else None


def _full_name(context: Context, name: CookieName) -> str:
    return f"{SECURE if context.policy.secure else PLAIN}{name}"

"""Passkeys on the wire, as the script of our pages sends them: asked for, made, answered."""

from typing import Any

import httpx2
import orjson
from lxml import html

from tests.support.authenticator import Authenticator
from tests.support.browser import Browser, form_of
from tests.support.people import PASSWORD

SECURITY = "/app/account/security"
ADD = "/app/account/security/passkeys/add"
NEW = "/app/account/security/passkeys/new"
REMOVE = "/app/account/security/passkeys/remove"
RENAME = "/app/account/security/passkeys/rename"
LOGIN_PASSKEY = "/app/login/passkey"


def options_in(page: httpx2.Response) -> dict[str, Any]:
    """The options that the page hands to the script which makes a passkey."""
    options: dict[str, Any] = orjson.loads(_attribute(page, "data-passkey-options"))
    return options


def _attribute(page: httpx2.Response, name: str, action: str = "") -> str:
    """The value at the first form that has it, and whose action contains `action`."""
    forms = html.fromstring(page.text).iter("form")
    return next(str(form.get(name)) for form in forms if form.get(name) and action in form.get("action", ""))


async def ask(browser: Browser, page: httpx2.Response, action: str) -> dict[str, Any]:
    """Fetch a challenge for a form of the page.

    What seals the form goes along. It fails where a cache might keep the answer.
    """
    address = _attribute(page, "data-passkey-ask", action)
    seals = {name: value for name, value in form_of(page, action).hidden.items() if value}
    answer = await browser.http.post(address, data=seals)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    asked: dict[str, Any] = answer.json()
    return asked


async def make_page(browser: Browser, **proof: str) -> httpx2.Response:
    """The page on which a passkey is made, after the password."""
    page = await browser.get(SECURITY)
    return await browser.submit(page, {"password": PASSWORD, **proof}, action=ADD)


async def add(
    browser: Browser, *, name: str = "Work laptop", authenticator: Authenticator | None = None, **proof: str
) -> Authenticator:
    """Add a passkey to whoever is signed in."""
    authenticator = authenticator or Authenticator()
    page = await make_page(browser, **proof)
    assert page.status_code == 200, page.text
    fields = {"name": name, "answer": authenticator.create(options_in(page))}
    done = await browser.submit(page, fields, action=NEW)
    assert done.status_code == 303, done.text
    return authenticator


async def answer_at_login(
    browser: Browser, authenticator: Authenticator, way: str = "/app/login", **changes: Any
) -> tuple[httpx2.Response, dict[str, str]]:
    """The sign-in page, and the fields that the script puts into its form for passkeys."""
    page = await browser.get(way)
    asked = await ask(browser, page, LOGIN_PASSKEY)
    answer = authenticator.get(asked["options"], **changes)
    return page, {"challenge": asked["challenge"], "answer": answer}


async def sign_in_by(
    browser: Browser, authenticator: Authenticator, way: str = "/app/login", **changes: Any
) -> httpx2.Response:
    """The answer to the sign-in. changes: what differs in what the authenticator says."""
    page, fields = await answer_at_login(browser, authenticator, way, **changes)
    return await browser.submit(page, fields, action=LOGIN_PASSKEY)


async def prove_by(
    browser: Browser, authenticator: Authenticator, page: httpx2.Response, action: str
) -> dict[str, str]:
    """The fields of a form on the page on security that a passkey opens in the place of a password."""
    asked = await ask(browser, page, action)
    return {"challenge": asked["challenge"], "answer": authenticator.get(asked["options"])}

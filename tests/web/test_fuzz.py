"""Requests made up from the OpenAPI document, as it says and as it does not: answered as documented, and nothing moves.

schemathesis makes them; whether an answer is right is judged as everywhere else in these tests.
"""

from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
import schemathesis
from hypothesis import assume, given
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from app.context import Context
from tests.support.browser import Browser
from tests.support.depth import examples
from tests.support.people import REDIRECT_URI, World
from tests.support.standing import assert_unchanged, state_of
from tests.web.described import DOCUMENT, FORM, OPERATIONS, check_answer
from tests.web.told import error_as_json, error_by_redirect, error_on_page

# Only operations that can be asked in more than one way.
MADE_UP = {
    each.ok().definition.raw["operationId"]: each.ok()
    for each in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations()
    if isinstance(each, Ok)
    and each.ok().path.startswith("/app/oauth2/")
    and not {"parameters", "requestBody"}.isdisjoint(each.ok().definition.raw)
}
AUTHORIZE = ("authorize", "authorizeByPost")
_LONGEST_QUERY = 60_000  # the client sends no longer address, and the service reads none of a fifth of it

# Put in place of what was made up, so that most requests come further than the first check.
LENT = st.sampled_from(
    [(), ("client_id",), ("client_id", "client_secret"), ("client_id", "redirect_uri"), ("basic",)]
)


@pytest.fixture
async def unmoved(
    browser: Browser, world: World, context: Context, database_url: str, redis_url: str
) -> AsyncIterator[None]:
    """The browser is signed in, so that a good link is answered with the consent page; from there on nothing changes."""
    await world.consent_page(browser)
    before = await state_of(context, database_url, redis_url)
    yield
    assert_unchanged(before, await state_of(context, database_url, redis_url))


@pytest.mark.usefixtures("unmoved")
@pytest.mark.parametrize("mode", GenerationMode, ids=str)
@pytest.mark.parametrize("name", MADE_UP)
@given(data=st.data())
@examples(15)
async def test_whatever_is_sent_is_answered_as_documented_and_changes_nothing(
    browser: Browser, world: World, name: str, mode: GenerationMode, data: st.DataObject
) -> None:
    """O-5, O-20, O-21, O-24, O-36, O-38, O-57, O-58, O-102, R-33, R-76: never a fault of ours."""
    case = data.draw(MADE_UP[name].as_strategy(mode))
    answer = await send(browser, world, case, data.draw(LENT))
    assert answer.status_code < 500, answer.text
    check_answer(answer, OPERATIONS[name])
    if name not in AUTHORIZE:
        assert answer.content in (b'{"active":false}', b"{}") or error_as_json(answer)
    elif answer.status_code == 303 and name == "authorize":
        assert error_by_redirect(answer, REDIRECT_URI)["error"] != "server_error"
    elif answer.status_code == 303:
        assert answer.headers["location"].startswith("/app/oauth2/authorize?")
    elif answer.status_code != 200:
        error_on_page(answer, answer.status_code)


async def send(browser: Browser, world: World, case: Any, lent: tuple[str, ...]) -> httpx2.Response:
    """Send the case as it was made up, but with lent values, and with Basic in place of its credentials."""
    own = {
        "client_id": world.client_id,
        "client_secret": world.client_secret,
        "redirect_uri": REDIRECT_URI,
    }
    fields = case.body if case.method == "POST" else case.query
    headers = {}
    if isinstance(fields, dict) and lent == ("basic",):
        pair = f"{world.client_id}:{world.client_secret}".encode()
        headers["Authorization"] = f"Basic {b64encode(pair).decode()}"
        fields = {name: value for name, value in fields.items() if name not in own}
    elif isinstance(fields, dict):
        fields = {**fields, **{name: own[name] for name in lent}}
    if case.method == "POST":
        headers["Content-Type"] = case.media_type or FORM
        return await browser.http.post(case.path, content=encoded(fields), headers=headers)
    query = encoded(fields)
    assume(len(query) <= _LONGEST_QUERY)
    return await browser.http.get(f"{case.path}?{query}", headers=headers)


def encoded(fields: object) -> str:
    """The fields as a client encodes them tidily; anything that is no form is sent as text."""
    pairs = fields.items() if isinstance(fields, dict) else [(str(fields), "")]
    return urlencode([(str(name), str(value)) for name, value in pairs], errors="surrogatepass")

"""Strict and public applications at the authorization endpoint: the RFCs' request and nothing looser."""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.context import Context
from app.flows.account.register_application import RegisteredApplication, register_application
from app.oauth.actor import COMMAND_LINE
from tests.support.browser import Browser
from tests.support.depth import examples
from tests.web.told import error_by_redirect, error_on_page

HTTPS = "https://sitewise.example/back?tenant=7"
PHONE = "com.example.sitewise:/back"
LOOPBACK = "http://127.0.0.1:7000/back"
LOOPBACK_6 = "http://[::1]/back"

COMPLETE = {
    "response_type": "code",
    "state": "s-1",
    "scope": "aemp:read",
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    "code_challenge_method": "S256",
}


@pytest.fixture(params=["confidential", "public"])
async def strict(context: Context, request: pytest.FixtureRequest) -> RegisteredApplication:
    return await register_application(
        context,
        COMMAND_LINE,
        name="Sitewise",
        company="Sitewise Ltd",
        redirect_uris=(HTTPS,),
        kind="strict",
        public=request.param == "public",
    )


@pytest.fixture
async def native(context: Context) -> RegisteredApplication:
    """An application on a phone and a desktop, without a secret."""
    return await register_application(
        context,
        COMMAND_LINE,
        name="Sitewise",
        company="Sitewise Ltd",
        redirect_uris=(PHONE, LOOPBACK, LOOPBACK_6),
        public=True,
    )


def request_of(application: RegisteredApplication, **changes: str | None) -> str:
    """The complete request; a parameter set to None is left out."""
    query = {"client_id": str(application.client.id), "redirect_uri": HTTPS, **COMPLETE, **changes}
    return "/app/oauth2/authorize?" + urlencode({name: value for name, value in query.items() if value})


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "unsupported_response_type"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "x" * 42}, "invalid_request"),
        ({"scope": "aemp:write"}, "invalid_scope"),
        ({"resource": "https://elsewhere.example/api"}, "invalid_target"),
    ],
    ids=str,
)
async def test_anything_less_than_the_whole_request_is_refused(
    browser: Browser, strict: RegisteredApplication, changes: dict[str, str | None], error: str
) -> None:
    """O-14 (strict), O-15, O-18, O-20, O-79, O-80, O-81, O-82, O-119, O-127, O-154."""
    told = error_by_redirect(await browser.get(request_of(strict, **changes)), HTTPS)
    assert (told["error"], told["state"]) == (error, "s-1")


@pytest.mark.parametrize("resource", [None, "http://localhost:8000/api"])
async def test_the_whole_request_has_no_such_fault(
    browser: Browser, strict: RegisteredApplication, resource: str | None
) -> None:
    """The requests above are refused for what they leave out of this one, not for its form."""
    answer = await browser.get(request_of(strict, resource=resource))
    assert (answer.status_code, 'name="password"' in answer.text) == (200, True)


@given(state=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=60))
@examples(15)
async def test_state_and_issuer_come_back_with_an_error(
    browser: Browser, strict: RegisteredApplication, state: str
) -> None:
    """O-23, O-119, O-120."""
    answer = await browser.get(request_of(strict, state=state, response_type=None))
    assert error_by_redirect(answer, HTTPS)["state"] == state


@pytest.mark.parametrize(
    "uri",
    [
        PHONE,
        LOOPBACK,
        "http://127.0.0.1/back",
        "http://127.0.0.1:1/back",
        "http://127.0.0.1:65535/back",
        LOOPBACK_6,
        "http://[::1]:49152/back",
    ],
)
async def test_native_application_is_answered_where_it_listens(
    browser: Browser, native: RegisteredApplication, uri: str
) -> None:
    """O-123, O-156: at its private-use scheme, and at whatever port of the loopback literal it was given."""
    answer = await browser.get(request_of(native, redirect_uri=uri, response_type="token"))
    assert error_by_redirect(answer, uri)["error"] == "unsupported_response_type"


@pytest.mark.parametrize(
    "uri",
    [
        "http://localhost:7000/back",
        "http://127.0.0.1:0/back",
        "http://127.0.0.1:65536/back",
        "http://127.0.0.1:7000/back/",
        "http://127.0.0.1:7000/back?x",
        "http://127.0.0.2:7000/back",
        "http://127.1:7000/back",
        "http://[0:0:0:0:0:0:0:1]:7000/back",
        "https://127.0.0.1:7000/back",
        "http://127.0.0.1:7000@evil.example/back",
        "http://127.0.0.1.evil.example:7000/back",
        "com.example.sitewise:/Back",
        "com.example.sitewise://back",
        "COM.example.sitewise:/back",
        "com.example.evil:/back",
        "com.example.sitewise:/back#x",
    ],
)
async def test_nothing_else_about_a_native_address_may_vary(
    browser: Browser, native: RegisteredApplication, uri: str
) -> None:
    """O-7, O-10, O-12, O-123, O-124, O-156."""
    error_on_page(await browser.get(request_of(native, redirect_uri=uri, response_type="token")))


@pytest.mark.parametrize("kind", ["classic", "strict"])
async def test_port_of_a_confidential_application_may_not_vary(
    browser: Browser, context: Context, kind: str
) -> None:
    """O-123: in development it may register a loopback address, and even then only that one."""
    registered = await register_application(
        context,
        COMMAND_LINE,
        name="Sitewise",
        company="Sitewise Ltd",
        redirect_uris=(LOOPBACK,),
        kind="strict" if kind == "strict" else "classic",
    )
    asked = request_of(registered, redirect_uri="http://127.0.0.1:7001/back", response_type="token")
    error_on_page(await browser.get(asked))
    asked = request_of(registered, redirect_uri=LOOPBACK, response_type="token")
    assert error_by_redirect(await browser.get(asked), LOOPBACK)["error"] == "unsupported_response_type"


async def test_application_without_an_address_gets_none_by_naming_one(
    browser: Browser, context: Context
) -> None:
    """O-8, O-13: nothing that was not registered beforehand is ever answered to."""
    registered = await register_application(
        context, COMMAND_LINE, name="Sitewise", company="Sitewise Ltd", public=True
    )
    for uri in (None, HTTPS, PHONE, LOOPBACK):
        error_on_page(await browser.get(request_of(registered, redirect_uri=uri)))

"""Userinfo tells an application whose account it was connected to, and who approved."""

import pytest

from app.context import Context
from app.flows.account.register_application import register_application
from app.oauth.actor import COMMAND_LINE
from tests.support.browser import Browser
from tests.support.people import Strict, World, confirm_email
from tests.web.described import OPERATIONS, check_answer

USERINFO = "/app/oauth2/userinfo"
SCOPES = ("account:read", "aemp:read")


async def connected(browser: Browser, strict: Strict, scope: str) -> str:
    answer = await strict.exchange(browser, await strict.code(browser, scope=scope))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


async def ask(browser: Browser, token: str, **headers: str) -> tuple[int, dict[str, object]]:
    answer = await browser.get(USERINFO, Authorization=f"Bearer {token}", **headers)
    check_answer(answer, OPERATIONS["readUserinfo"])
    return answer.status_code, answer.json()


async def test_it_names_the_account_and_the_person_who_approved_as_introspection_does(
    browser: Browser, context: Context
) -> None:
    strict = await Strict.register(context, scope=SCOPES)
    token = await connected(browser, strict, "account:read")
    status, told = await ask(browser, token)
    account = {"id": str(strict.member.customer_id), "name": strict.member.customer_name}
    assert (status, told) == (200, {"sub": str(strict.member.id), "account": account})
    assert told.items() <= (await strict.introspect(browser, token)).items()


async def test_it_tells_the_address_once_the_person_confirmed_it(browser: Browser, context: Context) -> None:
    strict = await Strict.register(context, scope=SCOPES)
    token = await connected(browser, strict, "account:read")
    _, told = await ask(browser, token)
    assert "email" not in told
    await confirm_email(context, strict.member.id)
    _, told = await ask(browser, token)
    assert (told["email"], told["email_verified"]) == (strict.member.email, True)
    assert "email" not in await strict.introspect(browser, token)


async def test_consent_says_it_in_plain_words(browser: Browser, context: Context) -> None:
    strict = await Strict.register(context, scope=SCOPES)
    page = await strict.consent_page(browser, scope="account:read")
    assert "See whose account this is" in page.text
    assert "your e-mail address if you confirmed it" in page.text
    assert "See their work" not in page.text


@pytest.mark.parametrize("scope", SCOPES)
async def test_each_scope_opens_its_own_address_alone(browser: Browser, context: Context, scope: str) -> None:
    """O-73: the refusal names the scope that is missing."""
    strict = await Strict.register(context, scope=SCOPES)
    token = await connected(browser, strict, scope)
    fleet = await browser.get("/api/v2/Fleet/1", Authorization=f"Bearer {token}")
    answer = await browser.get(USERINFO, Authorization=f"Bearer {token}")
    assert (answer.status_code, fleet.status_code) == ((200, 403) if scope == "account:read" else (403, 200))
    if answer.status_code == 403:
        check_answer(answer, OPERATIONS["readUserinfo"])
        assert 'scope="account:read"' in answer.headers["www-authenticate"]


async def test_a_token_that_is_missing_or_dead_is_told_so_in_json(browser: Browser, context: Context) -> None:
    """O-70."""
    strict = await Strict.register(context, scope=SCOPES)
    bare = await browser.get(USERINFO)
    check_answer(bare, OPERATIONS["readUserinfo"])
    assert (bare.status_code, bare.json()["error"]) == (401, "unauthorized")
    assert "error=" not in bare.headers["www-authenticate"]
    assert 'scope="account:read"' in bare.headers["www-authenticate"]
    token = await connected(browser, strict, "account:read")
    await browser.submit(await browser.get("/app/account/applications"), {}, action="/disconnect")
    status, told = await ask(browser, token)
    assert (status, told["error"]) == (401, "invalid_token")


async def test_where_nobody_approved_the_application_stands_behind_its_token(
    browser: Browser, context: Context, world: World
) -> None:
    """O-141: its `sub` is its own, and can be taken for nobody's."""
    robot = await register_application(
        context,
        COMMAND_LINE,
        name="Nightly",
        company="Nightly GmbH",
        kind="strict",
        grants=("client_credentials",),
        scope=SCOPES,
        customer_id=world.member.customer_id,
    )
    fields = {"grant_type": "client_credentials", "client_id": str(robot.client.id)}
    answer = await browser.http.post(
        "/app/oauth2/token",
        data={**fields, "client_secret": robot.client_secret or "", "scope": "account:read"},
    )
    status, told = await ask(browser, answer.json()["access_token"])
    account = {"id": str(world.member.customer_id), "name": world.member.customer_name}
    assert (status, told) == (200, {"sub": str(robot.client.id), "account": account})

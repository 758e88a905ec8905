"""Codes of strict applications on the wire: exchanged for an hour's token and what refreshes it, never without PKCE."""

import asyncio
from typing import Any

import pytest

from app.context import Context
from app.oauth.token_string import bucket_of, parse
from tests.support.browser import Browser, query_of
from tests.support.changing import as_owner
from tests.support.people import CHALLENGE, REDIRECT_URI, Strict, World, pair_of, reads
from tests.support.refusals import error_of
from tests.web.reading import words_of


@pytest.fixture(params=[False, True], ids=["confidential", "public"])
async def strict(request: pytest.FixtureRequest, context: Context) -> Strict:
    return await Strict.register(context, public=request.param)


async def test_code_gives_an_hours_token_and_what_refreshes_it(browser: Browser, strict: Strict) -> None:
    """O-28, O-54, O-55 (strict), O-56, O-57, O-75 (strict): the class letters say that neither is kept where classic tokens are."""
    answer = await strict.exchange(browser, await strict.code(browser))
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    document = answer.json()
    assert set(document) == {"access_token", "token_type", "type", "expires_in", "scope", "refresh_token"}
    assert document["token_type"] == document["type"] == "Bearer"
    assert (document["expires_in"], document["scope"]) == (3600, "aemp:read")
    assert await reads(browser, document["access_token"])
    for kind, text in (("at", document["access_token"]), ("rt", document["refresh_token"])):
        token = parse(text)
        assert token is not None
        assert (token.kind, token.token_class) == (kind, "s")
        assert token.bucket == bucket_of(strict.member.customer_id)


async def test_without_the_refresh_grant_there_is_the_hour_alone(browser: Browser, context: Context) -> None:
    strict = await Strict.register(context, grants=("authorization_code",))
    page = await strict.consent_page(browser)
    assert "The connection lasts an hour." in words_of(page)
    code = query_of(await browser.submit(page, {"decision": "approve"}, action="/consent"))["code"]
    answer = await strict.exchange(browser, code)
    assert set(answer.json()) == {"access_token", "token_type", "type", "expires_in", "scope"}
    assert await reads(browser, answer.json()["access_token"])
    assert "Fuelwatch by Fuelwatch GmbH" in words_of(await browser.get("/app/account/applications"))


async def test_consent_page_names_the_lifetimes_of_the_family(browser: Browser, strict: Strict) -> None:
    """O-31."""
    words = words_of(await strict.consent_page(browser))
    assert "ends by itself after 30 days without use, and after a year at the latest" in words


@pytest.mark.parametrize(
    "changes",
    [{"response_type": None}, {"code_challenge": None, "code_challenge_method": None}],
    ids=["no response_type", "no challenge"],
)
async def test_authorization_without_what_strict_means_is_refused(
    changes: dict[str, Any], browser: Browser, strict: Strict
) -> None:
    """O-14 (strict), O-82, O-127: invalid_request by redirect, before anybody signs in."""
    answer = query_of(await browser.get(strict.authorize_url(**changes)))
    assert answer["error"] == "invalid_request"
    assert "code" not in answer


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": None}, "invalid_request"),
        ({"code": None}, "invalid_request"),
        ({"code": "rubbish"}, "invalid_grant"),
        ({"code_verifier": None}, "invalid_grant"),
        ({"code_verifier": CHALLENGE}, "invalid_grant"),
        ({"redirect_uri": REDIRECT_URI + "/"}, "invalid_grant"),
    ],
    ids=str,
)
async def test_refusals_name_their_error(
    changes: dict[str, str | None], error: str, browser: Browser, strict: Strict
) -> None:
    """O-39 (strict), O-43, O-51, O-84, R-8, R-10."""
    code = await strict.code(browser)
    assert error_of(await strict.exchange(browser, **{"code": code, **changes})) == error


async def test_redirect_uri_may_be_sent_and_then_counts(browser: Browser, strict: Strict) -> None:
    """O-51."""
    answer = await strict.exchange(browser, await strict.code(browser), redirect_uri=REDIRECT_URI)
    assert answer.status_code == 200, answer.text


async def test_public_application_is_its_client_id_and_has_no_secret(
    browser: Browser, context: Context
) -> None:
    """O-45, O-52, O-99: one that sends a secret guesses, one that sends no id is nobody, and none may introspect."""
    public = await Strict.register(context, public=True)
    code = await public.code(browser)
    other = await Strict.register(context, public=True)
    for wrong in ({"client_secret": "x"}, {"client_id": None}):
        assert error_of(await public.exchange(browser, code, **wrong), 401) == "invalid_client"
    pair = pair_of(await public.exchange(browser, code))
    asked = await browser.http.post(
        "/app/oauth2/introspect", data={**public.credentials, "token": pair.access}
    )
    assert error_of(asked, 401) == "invalid_client"
    code = await public.code(browser)
    assert error_of(await other.exchange(browser, code)) == "invalid_grant"


async def test_second_use_ends_access_and_refresh_token(browser: Browser, strict: Strict) -> None:
    """R-2, O-28, O-135."""
    code = await strict.code(browser)
    pair = pair_of(await strict.exchange(browser, code))
    later = await strict.refreshed(browser, pair.refresh)
    assert error_of(await strict.exchange(browser, code)) == "invalid_grant"
    assert [await reads(browser, each) for each in (pair.access, later.access)] == [False, False]
    assert error_of(await strict.refresh(browser, later.refresh)) == "invalid_grant"


async def test_replay_of_a_public_code_without_its_verifier_ends_nothing(
    browser: Browser, context: Context
) -> None:
    """A client_id is known to everybody: only the verifier shows whose code it was."""
    public = await Strict.register(context, public=True)
    code = await public.code(browser)
    pair = pair_of(await public.exchange(browser, code))
    assert error_of(await public.exchange(browser, code, code_verifier="x" * 43)) == "invalid_grant"
    assert await reads(browser, pair.access)
    assert (await public.refresh(browser, pair.refresh)).status_code == 200


async def test_one_code_redeemed_by_many_at_once_gives_one_pair(browser: Browser, strict: Strict) -> None:
    """R-1, O-63: 100 parallel requests."""
    code = await strict.code(browser)
    answers = await asyncio.gather(*(strict.exchange(browser, code) for _ in range(100)))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 99
    rows = await strict.context.database.rows(
        "SELECT t.id FROM strict_token t JOIN authorization_grant g ON g.id = t.grant_id WHERE g.application_id = $1",
        strict.registered.client.id,
    )
    assert len(rows) == 1


async def test_classic_application_may_not_refresh(browser: Browser, world: World) -> None:
    """O-41: it was given a token that lives long instead."""
    answer = await world.exchange(browser, None, grant_type="refresh_token", refresh_token="x")
    assert error_of(answer) == "unauthorized_client"


async def test_strict_connection_is_listed_and_ends_with_the_way_out(
    browser: Browser, strict: Strict
) -> None:
    """R-19: its tokens, and the code that waits."""
    pair = await strict.pair(browser)
    pair = await strict.refreshed(browser, pair.refresh)
    page = await browser.get("/app/account/applications")
    words = words_of(page)
    assert "Fuelwatch by Fuelwatch GmbH" in words
    assert f"Connected {strict.context.now():%-d %B %Y}" in words
    assert f"Approved by {strict.member.name}" in words
    waiting = await strict.code(browser)
    assert "You connected this application" in words_of(await strict.consent_page(browser))
    await browser.submit(page, {}, action="/disconnect")
    assert "Nothing is connected" in words_of(await browser.get("/app/account/applications"))
    assert not await reads(browser, pair.access)
    assert error_of(await strict.refresh(browser, pair.refresh)) == "invalid_grant"
    assert error_of(await strict.exchange(browser, waiting)) == "invalid_grant"
    assert await reads(browser, (await strict.pair(browser)).access)


@pytest.mark.parametrize("ending", ["idle", "revoked"])
async def test_family_that_ended_by_itself_is_listed_no_more(
    ending: str, browser: Browser, strict: Strict, database_url: str
) -> None:
    """R-19: the list shows what can act now."""
    pair = await strict.pair(browser)
    assert "Fuelwatch" in words_of(await browser.get("/app/account/applications"))
    if ending == "revoked":
        await strict.revoke(browser, pair.refresh)
    else:
        for table in ("refresh_token", "strict_token"):
            past = f"UPDATE {table} SET expires_at = clock_timestamp() WHERE application_id = $1"
            await as_owner(database_url, past, strict.registered.client.id)
    assert "Nothing is connected" in words_of(await browser.get("/app/account/applications"))


async def test_access_token_alone_keeps_its_connection_listed(
    browser: Browser, strict: Strict, database_url: str
) -> None:
    """It outlives the family by its own hour, so the way out stays open for as long."""
    pair = await strict.pair(browser)
    over = "UPDATE authorization_grant SET expires_at = clock_timestamp() WHERE application_id = $1"
    past = "UPDATE refresh_token SET expires_at = clock_timestamp() WHERE application_id = $1"
    for statement in (over, past):
        await as_owner(database_url, statement, strict.registered.client.id)
    assert await reads(browser, pair.access)
    assert "Fuelwatch" in words_of(await browser.get("/app/account/applications"))

"""A refresh family ends on the wire by a spent token presented again or by revocation, never by mistake."""

import asyncio
from dataclasses import replace

import pytest

from app.context import Context
from tests.support.browser import Browser
from tests.support.changing import until
from tests.support.families import dead, events, forge
from tests.support.people import Pair, Strict, pair_of, reads
from tests.support.refusals import assert_unavailable, error_of
from tests.support.stores import gathered_on
from tests.web.services import Services, unreachable_database


@pytest.fixture(params=[False, True], ids=["confidential", "public"])
async def strict(request: pytest.FixtureRequest, context: Context) -> Strict:
    return await Strict.register(context, public=request.param)


@pytest.fixture
async def pair(browser: Browser, strict: Strict) -> Pair:
    return await strict.pair(browser)


async def test_a_spent_token_presented_again_ends_its_family(
    browser: Browser, strict: Strict, pair: Pair
) -> None:
    """O-132, R-12: of two holders nobody knows the thief, so both lose it, at once and once."""
    second = await strict.refreshed(browser, pair.refresh)
    third = await strict.refreshed(browser, second.refresh)
    assert await reads(browser, third.access)  # remembered by this process
    assert error_of(await strict.refresh(browser, pair.refresh)) == "invalid_grant"
    assert await dead(browser, strict, third, second, pair)
    assert await events(strict) == ["refresh_token.replayed"]


async def test_reuse_is_known_to_a_process_that_never_saw_the_family(
    strict: Strict, pair: Pair, browser: Browser, services: Services
) -> None:
    """R-13: it stands in PostgreSQL, so a restart forgets nothing."""
    second = await strict.refreshed(browser, pair.refresh)
    fresh = gathered_on(strict.context, strict.context.database)
    async with Browser(services.like(gathered=fresh)) as other:
        assert error_of(await strict.refresh(other, pair.refresh)) == "invalid_grant"
        assert await dead(other, strict, second)
    await fresh.close()


async def test_another_family_of_the_same_customer_lives_on(
    browser: Browser, strict: Strict, pair: Pair
) -> None:
    other = await strict.pair(browser)
    await strict.refreshed(browser, pair.refresh)
    await strict.refresh(browser, pair.refresh)
    assert await reads(browser, other.access)
    assert (await strict.refresh(browser, other.refresh)).status_code == 200


async def test_one_refresh_token_used_by_many_at_once_gives_one_pair(
    browser: Browser, strict: Strict, pair: Pair
) -> None:
    """O-63, R-11: exactly one is answered, none is a fault; all others are reuse, so nothing lives on."""
    answers = await asyncio.gather(*(strict.refresh(browser, pair.refresh) for _ in range(50)))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 49
    assert {error_of(answer) for answer in answers if answer.status_code == 400} == {"invalid_grant"}
    [new] = [pair_of(answer) for answer in answers if answer.status_code == 200]
    assert await dead(browser, strict, new, pair)
    assert await events(strict) == ["refresh_token.replayed"]


async def test_reuse_that_cannot_be_judged_ends_nothing(
    browser: Browser, strict: Strict, pair: Pair, services: Services
) -> None:
    """O-64: the store fails between the statement and the look: 503, and the family lives."""
    new = await strict.refreshed(browser, pair.refresh)
    async with unreachable_database() as database:
        broken = replace(strict.context.gathered, refresh_tokens=services.gathered(database).refresh_tokens)
        async with Browser(services.like(gathered=broken)) as other:
            assert_unavailable(await strict.refresh(other, pair.refresh))
    assert await reads(browser, new.access)
    assert (await strict.refresh(browser, new.refresh)).status_code == 200


# ---- Revocation ----


@pytest.mark.parametrize("hint", [None, "refresh_token", "access_token", "nonsense"])
async def test_revoking_a_refresh_token_ends_all_that_came_from_its_grant(
    hint: str | None, browser: Browser, strict: Strict, pair: Pair
) -> None:
    """O-91, O-92, O-93, O-94, O-95, R-16: at once in this process, whatever the hint says, and a second time is no error."""
    new = await strict.refreshed(browser, pair.refresh)
    assert await reads(browser, new.access)
    for _ in range(2):
        answer = await strict.revoke(browser, new.refresh, **({"token_type_hint": hint} if hint else {}))
        assert (answer.status_code, answer.content) == (200, b"{}")
        assert answer.headers["cache-control"] == "no-store"
    assert await dead(browser, strict, new, pair)
    assert await events(strict) == ["grant.revoked"]


async def test_revoking_a_spent_refresh_token_ends_the_family_too(
    browser: Browser, strict: Strict, pair: Pair
) -> None:
    """O-94: its owner wants none of it any more."""
    new = await strict.refreshed(browser, pair.refresh)
    assert (await strict.revoke(browser, pair.refresh)).status_code == 200
    assert await dead(browser, strict, new)


@pytest.mark.parametrize("hint", [None, "refresh_token"])
async def test_revoking_an_access_token_ends_it_alone(
    hint: str | None, browser: Browser, strict: Strict, pair: Pair
) -> None:
    """O-91, O-92, O-93."""
    new = await strict.refreshed(browser, pair.refresh)
    await strict.revoke(browser, new.access, **({"token_type_hint": hint} if hint else {}))
    assert [await reads(browser, each.access) for each in (pair, new)] == [True, False]
    assert (await strict.refresh(browser, new.refresh)).status_code == 200


async def test_strangers_and_forgers_revoke_nothing(browser: Browser, strict: Strict, pair: Pair) -> None:
    """O-90, R-18: and their answers are no different."""
    other = await Strict.register(strict.context)
    answers = [
        await other.revoke(browser, pair.refresh),
        await strict.revoke(browser, forge(pair.refresh)),
        await strict.revoke(browser, await strict.code(browser)),
        await strict.revoke(browser, "rubbish"),
    ]
    assert {(answer.status_code, answer.content) for answer in answers} == {(200, b"{}")}
    assert await reads(browser, pair.access)
    assert (await strict.refresh(browser, pair.refresh)).status_code == 200


async def test_confidential_application_must_prove_itself_to_revoke(
    browser: Browser, context: Context
) -> None:
    """O-89."""
    strict = await Strict.register(context)
    pair = await strict.pair(browser)
    fields = {"client_id": strict.client_id, "token": pair.refresh}
    assert error_of(await browser.http.post("/app/oauth2/revoke", data=fields), 401) == "invalid_client"
    assert (await strict.refresh(browser, pair.refresh)).status_code == 200


async def test_revocation_without_postgresql_is_no_success(
    strict: Strict, pair: Pair, services: Services
) -> None:
    """O-96, R-17."""
    async with unreachable_database() as database:
        app = services.like(database=database)
        async with Browser(app) as other:
            assert_unavailable(await strict.revoke(other, pair.refresh))


async def test_another_process_refuses_the_family_within_a_second(
    browser: Browser, strict: Strict, pair: Pair, services: Services
) -> None:
    """R-16, O-76: it remembered the access token, and hears of the grant."""
    fresh = gathered_on(strict.context, strict.context.database, strict.context.changes)
    await until(lambda: strict.context.changes.current)
    async with Browser(services.like(gathered=fresh)) as other:
        assert await reads(other, pair.access)
        await strict.refreshed(browser, pair.refresh)
        await strict.refresh(browser, pair.refresh)
        assert not await reads(other, pair.access)
    await fresh.close()

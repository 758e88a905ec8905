"""A spent refresh token presented once more within the grace: its answer may have been lost, so it gets another pair."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from app.context import Context
from tests.support.browser import Browser
from tests.support.changing import as_owner
from tests.support.families import dead, events, forge, read
from tests.support.people import Pair, Strict, pair_of, reads
from tests.support.refusals import error_of
from tests.web.services import Services, same_browser

GRACE = timedelta(seconds=10)


@pytest.fixture(params=[False, True], ids=["confidential", "public"])
async def strict(request: pytest.FixtureRequest, context: Context) -> Strict:
    return await Strict.register(context, public=request.param)


@pytest.fixture
async def lenient(browser: Browser, services: Services) -> AsyncIterator[Browser]:
    """A service that grants ten seconds."""
    async with same_browser(browser, services.lasting(refresh_grace=GRACE)) as lenient:
        yield lenient


@pytest.fixture
async def pair(lenient: Browser, strict: Strict) -> Pair:
    return await strict.pair(lenient)


async def test_a_retry_within_the_grace_gets_a_pair_of_its_own(
    lenient: Browser, strict: Strict, pair: Pair
) -> None:
    """R-4: the first answer was lost; the family goes on with the second."""
    await strict.refresh(lenient, pair.refresh)
    again = await strict.refreshed(lenient, pair.refresh)
    assert await reads(lenient, again.access)
    assert (await strict.refresh(lenient, again.refresh)).status_code == 200
    assert await events(strict) == []


async def test_whoever_holds_the_answer_that_was_not_lost_is_caught(
    lenient: Browser, strict: Strict, pair: Pair, database_url: str
) -> None:
    """R-12: the successor became spent, so that its use after the grace ends the family of both."""
    lost = await strict.refreshed(lenient, pair.refresh)
    again = await strict.refreshed(lenient, pair.refresh)
    await let_pass(database_url, again)
    assert error_of(await strict.refresh(lenient, lost.refresh)) == "invalid_grant"
    assert await dead(lenient, strict, again, lost)
    assert await events(strict) == ["refresh_token.replayed"]


async def let_pass(database_url: str, pair: Pair) -> None:
    """Let the pair seem issued a moment longer ago than the grace."""
    earlier = "UPDATE refresh_token SET issued_at = issued_at - interval '11 s' WHERE id = $1"
    await as_owner(database_url, earlier, read(pair.refresh).id)


async def test_a_third_time_is_reuse(lenient: Browser, strict: Strict, pair: Pair) -> None:
    """Counted by what stands: the successor was spent by the second time."""
    first, second = [await strict.refreshed(lenient, pair.refresh) for _ in range(2)]
    assert error_of(await strict.refresh(lenient, pair.refresh)) == "invalid_grant"
    assert await dead(lenient, strict, second, first)


async def test_after_the_grace_it_is_reuse(
    lenient: Browser, strict: Strict, pair: Pair, database_url: str
) -> None:
    new = await strict.refreshed(lenient, pair.refresh)
    await let_pass(database_url, new)
    assert error_of(await strict.refresh(lenient, pair.refresh)) == "invalid_grant"
    assert await dead(lenient, strict, new)


async def test_once_the_successor_was_used_it_is_reuse(lenient: Browser, strict: Strict, pair: Pair) -> None:
    """An answer that was used was not lost."""
    second = await strict.refreshed(lenient, pair.refresh)
    third = await strict.refreshed(lenient, second.refresh)
    assert error_of(await strict.refresh(lenient, pair.refresh)) == "invalid_grant"
    assert await dead(lenient, strict, third, second)


async def test_grace_is_the_owners_alone(lenient: Browser, strict: Strict, pair: Pair) -> None:
    """O-60."""
    new = await strict.refreshed(lenient, pair.refresh)
    other = await Strict.register(strict.context)
    assert error_of(await other.refresh(lenient, pair.refresh)) == "invalid_grant"
    assert error_of(await strict.refresh(lenient, forge(pair.refresh))) == "invalid_grant"
    assert (await strict.refresh(lenient, new.refresh)).status_code == 200


async def test_revocation_knows_no_grace(lenient: Browser, strict: Strict, pair: Pair) -> None:
    """O-94."""
    await strict.refreshed(lenient, pair.refresh)
    await strict.revoke(lenient, pair.refresh)
    assert error_of(await strict.refresh(lenient, pair.refresh)) == "invalid_grant"


async def test_a_wider_scope_is_refused_within_the_grace_and_spends_nothing(
    lenient: Browser, strict: Strict, pair: Pair
) -> None:
    """O-61."""
    await strict.refreshed(lenient, pair.refresh)
    assert error_of(await strict.refresh(lenient, pair.refresh, scope="fleet:write")) == "invalid_scope"
    assert (await strict.refresh(lenient, pair.refresh)).status_code == 200


async def test_many_at_once_get_two_pairs_at_most_and_keep_none(
    lenient: Browser, strict: Strict, pair: Pair
) -> None:
    """R-11: beyond the one that may repeat, a crowd is reuse."""
    answers = await asyncio.gather(*(strict.refresh(lenient, pair.refresh) for _ in range(50)))
    assert {answer.status_code for answer in answers} == {200, 400}
    given = [pair_of(answer) for answer in answers if answer.status_code == 200]
    assert len(given) <= 2
    assert await dead(lenient, strict, *given)


async def test_without_a_grace_the_second_time_ends_all(browser: Browser, strict: Strict, pair: Pair) -> None:
    """The default."""
    new = await strict.refreshed(browser, pair.refresh)
    assert error_of(await strict.refresh(browser, pair.refresh)) == "invalid_grant"
    assert await dead(browser, strict, new)

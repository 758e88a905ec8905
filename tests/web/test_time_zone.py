"""A person chooses a time zone, and every page and mail tells them the time in it."""

import re
from uuid import uuid4

import pytest

from app.context import Context
from app.storage.people.people import select_person_by_id
from tests.support.browser import Browser
from tests.support.people import PASSWORD, World
from tests.web.reading import found, words_of

PROFILE, ZONE, SECURITY = "/app/account/profile", "/app/account/profile/time-zone", "/app/account/security"
_UTC = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")


async def choose(browser: Browser, zone: str) -> None:
    answer = await browser.submit(await browser.get(PROFILE), {"time_zone": zone}, action=ZONE)
    assert answer.status_code == 303, words_of(answer)


async def signed_in(browser: Browser, world: World) -> Browser:
    await browser.sign_in(await browser.get(PROFILE), world.member.email, PASSWORD)
    return browser


async def test_every_time_of_the_persons_pages_is_in_the_zone_that_they_chose(
    browser: Browser, world: World
) -> None:
    await signed_in(browser, world)
    assert "UTC" in words_of(await browser.get(SECURITY))
    await choose(browser, "Asia/Kathmandu")
    for path in ("/app/account", "/app/account/people", SECURITY):
        page = await browser.get(path)
        times = found(page, "//time")
        assert all(_UTC.match(time.get("datetime")) for time in times)
        moments = [time.text_content() for time in times if ":" in time.text_content()]
        assert all(moment.endswith("UTC+05:45") for moment in moments)
        if path == SECURITY:
            assert moments
    chosen = found(await browser.get(PROFILE), "//select[@name='time_zone']//option[@selected]/@value")
    assert chosen == ["Asia/Kathmandu"]


async def test_choice_is_an_event_and_the_same_again_is_none(browser: Browser, world: World) -> None:
    await signed_in(browser, world)
    for _ in range(2):
        await choose(browser, "Europe/Madrid")
    [event] = await world.context.database.rows(
        "SELECT actor_kind FROM audit_event "
        "WHERE event = 'person.time_zone_chosen' AND detail ->> 'person' = $1",
        str(world.member.id),
    )
    assert event["actor_kind"] == "customer"


async def test_zone_that_the_list_lacks_stays_chosen(browser: Browser, world: World) -> None:
    """A former name of a zone, set by a program, is still the person's."""
    await signed_in(browser, world)
    await choose(browser, "US/Pacific")
    chosen = found(await browser.get(PROFILE), "//select[@name='time_zone']//option[@selected]/@value")
    assert chosen == ["US/Pacific"]
    assert re.search(r"\b(PST|PDT)\b", words_of(await browser.get(SECURITY)))


@pytest.mark.parametrize(
    "zone", ["", "Mars/Olympus", "europe/madrid", "../etc/passwd", "Factory", "U" * 5000]
)
async def test_zone_that_there_is_not_is_refused_at_its_field(
    browser: Browser, world: World, zone: str
) -> None:
    await signed_in(browser, world)
    page = await browser.submit(await browser.get(PROFILE), {"time_zone": zone}, action=ZONE)
    assert page.status_code == 422
    assert found(page, "//select[@aria-invalid='true']/@name") == ["time_zone"]
    assert "There is no such time zone" in words_of(page)
    assert (await select_person_by_id(world.context.database, world.member.id)).time_zone == "UTC"


async def test_row_with_a_zone_that_nobody_knows_shows_its_pages_in_utc(
    browser: Browser, world: World, context: Context
) -> None:
    await context.database.count(
        "UPDATE person SET time_zone = $2 WHERE id = $1", world.member.id, f"Gone/{uuid4().hex[:8]}"
    )
    await signed_in(browser, world)
    page = await browser.get(SECURITY)
    assert page.status_code == 200
    assert "UTC" in words_of(page)

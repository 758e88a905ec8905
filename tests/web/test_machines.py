"""The customer's own list of machines on the wire: whose, since when silent, page by page."""

from datetime import UTC, datetime

import httpx2
import pytest

from app.aemp.model.values import Equipment, EquipmentHeader, Hours, Location
from app.flows.fleet.change_owner import release_machine
from app.flows.fleet.import_fleet import import_machines
from app.oauth.actor import COMMAND_LINE
from tests.support.browser import Browser
from tests.support.fleets import fill, machine
from tests.support.people import PASSWORD, World
from tests.web.reading import attributes_of, tags_of, words_of
from tests.web.services import Services, same_browser

MACHINES = "/app/account/machines"
NOON = datetime(2026, 5, 4, 12, 0, 59, tzinfo=UTC)
MORNING = NOON.replace(hour=7)


async def signed_in(browser: Browser, world: World) -> httpx2.Response:
    page = await browser.get(MACHINES)
    assert 'name="password"' in page.text
    return await browser.sign_in(page, world.member.email, PASSWORD)


async def test_stranger_signs_in_first_and_comes_back(browser: Browser, world: World) -> None:
    page = await signed_in(browser, world)
    assert page.url.path == MACHINES
    assert "No machine yet" in words_of(page)
    assert world.member.customer_name in words_of(page)


async def test_machine_is_shown_with_its_names_and_the_time_of_its_newest_reading(
    browser: Browser, world: World
) -> None:
    """Any figure counts: the position came after the hours."""
    header = EquipmentHeader(
        oem_name="Kranich", model="K 8", equipment_id="Pit 3", serial_number="S-1", pin="PIN1"
    )
    shown = Equipment(
        header=header, cumulative_operating_hours=Hours(MORNING, 7), location=Location(NOON, 1, 2)
    )
    silent = machine("PIN2", oem_name="Nordhoff")
    await import_machines(world.context, world.member.customer_id, [shown, silent, machine("PIN3")])
    page = await signed_in(browser, world)
    words = words_of(page)
    assert "Kranich K 8 Your number Pit 3 PIN or VIN PIN1 Serial number S-1 4 May 2026, 12:00 UTC" in words
    assert attributes_of(page, "time", "datetime") == ["2026-05-04T12:00:59Z"]
    assert "Nordhoff PIN or VIN PIN2 None yet" in words
    assert "Unnamed PIN or VIN PIN3 None yet" in words


async def test_pages_hold_every_machine_once(browser: Browser, world: World) -> None:
    pins = [f"PIN{number:03}" for number in range(205)]
    await fill(world.context, world.member.customer_id, *pins)
    page = await signed_in(browser, world)
    seen = []
    while True:
        words = words_of(page).split()
        seen += [word for word in words if word.startswith("PIN") and word != "PIN"]
        following = [
            href
            for href in attributes_of(page, "a", "href")
            if href.endswith(f"?page={len(seen) // 100 + 1}")
        ]
        if not following:
            break
        page = await browser.get(following[0])
    assert seen == pins
    assert "Page 3 of 3" in words_of(page)


@pytest.mark.parametrize(
    "query", ["page=0", "page=-1", "page=2", "page=one", "page=", "page=99999999999999999999"]
)
async def test_page_that_is_not_there_is_said_to_be_missing(
    query: str, browser: Browser, world: World
) -> None:
    await signed_in(browser, world)
    answer = await browser.get(f"{MACHINES}?{query}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "There is no such page" in words_of(answer)


async def test_customers_see_their_own_machines_alone(browser: Browser, world: World) -> None:
    """R-71."""
    other = await World.make(world.context)
    await fill(world.context, world.member.customer_id, "OURS")
    await fill(world.context, other.member.customer_id, "THEIRS")
    words = words_of(await signed_in(browser, world))
    assert ("OURS" in words, "THEIRS" in words) == (True, False)


async def test_machine_that_left_is_gone_from_the_list_at_once(browser: Browser, world: World) -> None:
    await fill(world.context, world.member.customer_id, "STAYS", "LEAVES")
    assert "LEAVES" in words_of(await signed_in(browser, world))
    await release_machine(world.context, COMMAND_LINE, world.member, "LEAVES")
    words = words_of(await browser.get(MACHINES))
    assert ("STAYS" in words, "LEAVES" in words) == (True, False)


async def test_names_of_machines_are_escaped(browser: Browser, world: World) -> None:
    """R-48"""
    name = "<script>x</script>"
    await import_machines(
        world.context, world.member.customer_id, [machine("<b>PIN</b>", oem_name=name, model="&lt;i&gt;")]
    )
    page = await signed_in(browser, world)
    assert tags_of(page).isdisjoint({"script", "b", "i"})
    assert f"{name} &lt;i&gt;" in words_of(page)
    assert "<b>PIN</b>".upper() in words_of(page).upper()


async def test_list_needs_no_valkey(browser: Browser, world: World, services: Services) -> None:
    await fill(world.context, world.member.customer_id, "OURS")
    await signed_in(browser, world)
    async with same_browser(browser, services.without_valkey()) as without:
        assert "OURS" in words_of(await without.get(MACHINES))


async def test_front_page_consent_and_connections_lead_to_the_machines(
    browser: Browser, world: World
) -> None:
    """A customer can look at what is asked for before approving it."""
    assert MACHINES in attributes_of(await browser.get("/"), "a", "href")
    consent = await world.consent_page(browser)
    assert f"http://localhost:8000{MACHINES}" in attributes_of(consent, "a", "href")
    assert f"All of {world.member.customer_name} , also those that join later, unless" in words_of(consent)
    connections = await browser.get("/app/account/applications")
    assert MACHINES in attributes_of(connections, "a", "href")
    machines = await browser.get(MACHINES)
    assert "/app/account/applications" in attributes_of(machines, "a", "href")
    for page, here in ((connections, "/app/account/applications"), (machines, MACHINES)):
        assert f'<a href="{here}" aria-current="page">' in page.text

"""A reader on the wire who follows the pages of a fleet while it changes, with Valkey there, silent and gone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

import pytest
from fastapi import FastAPI
from lxml import etree

from app.flows.fleet.change_owner import release_machine
from app.flows.fleet.import_fleet import import_machines
from app.oauth.actor import COMMAND_LINE
from app.storage.valkey.valkey import Valkey
from tests.support.browser import Browser
from tests.support.fleets import machine
from tests.support.people import World
from tests.support.proxy import Proxy, proxy_to
from tests.support.stores import valkey_socket
from tests.web.services import Services

MACHINES = [f"PIN{number:03}" for number in range(230)]


@pytest.fixture
async def token(world: World, browser: Browser) -> str:
    """A token for a customer of three pages."""
    machines = [machine(pin, equipment_id=pin) for pin in MACHINES]
    await import_machines(world.context, world.member.customer_id, machines)
    return await world.token(browser)


async def pins_on(browser: Browser, token: str, address: str) -> list[str]:
    answer = await browser.get(address, Authorization=f"Bearer {token}")
    assert answer.status_code == 200, answer.text
    return [name.text or "" for name in etree.fromstring(answer.content).iter("{*}EquipmentID")]


async def shrink(world: World) -> None:
    """Three machines of page 1 leave, and the last three take their places."""
    for pin in MACHINES[:3]:
        await release_machine(world.context, COMMAND_LINE, world.member, pin)


@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_no_machine_that_stays_is_missed_or_met_twice(
    version: str, world: World, browser: Browser, token: str
) -> None:
    """The second crawl, begun afterwards, finds full pages again."""
    pages = [f"/api/{version}/Fleet/{page}" for page in (1, 2, 3)]
    first = await pins_on(browser, token, pages[0])
    await shrink(world)
    rest = [await pins_on(browser, token, page) for page in pages[1:]]
    assert first + rest[0] + rest[1] == MACHINES
    again = [await pins_on(browser, token, page) for page in pages]
    assert [len(page) for page in again] == [100, 100, 27]
    assert sorted(pin for page in again for pin in page) == MACHINES[3:]


async def test_links_of_a_crawl_lead_to_the_pages_of_its_map(
    world: World, browser: Browser, token: str
) -> None:
    """R-73: a reader of a fleet that shrank by a page comes to the end of what it began; pages made up are none."""
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    await browser.http.get("/api/v2/Fleet/1", headers=headers)
    for pin in MACHINES[:40]:
        await release_machine(world.context, COMMAND_LINE, world.member, pin)
    second = (await browser.http.get("/api/v2/Fleet/2", headers=headers)).json()
    links = {link["rel"]: link["href"].rpartition("/")[2] for link in second["Links"]}
    assert links == {"self": "2", "first": "1", "prev": "1", "next": "3", "last": "3"}
    third = (await browser.http.get("/api/v2/Fleet/3", headers=headers)).json()
    assert [each["EquipmentHeader"]["PIN"] for each in third["Equipment"]] == MACHINES[200:]
    for page in (4, 999_999_999):
        assert (await browser.http.get(f"/api/v2/Fleet/{page}", headers=headers)).status_code == 404
    again = (await browser.http.get("/api/v2/Fleet/1", headers=headers)).json()
    assert (again["Links"][-1]["rel"], again["Links"][-1]["href"]) == (
        "last",
        "http://localhost:8000/api/v2/Fleet/2",
    )


async def read_until_short(browser: Browser, token: str, address: str) -> list[int]:
    """Machines a page, as a reader meets them that follows no links. address: without the page."""
    sizes: list[int] = []
    while not sizes or sizes[-1] == 100:
        sizes.append(len(await pins_on(browser, token, f"{address}/{len(sizes) + 1}")))
    return sizes


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize(
    ("count", "sizes"), [(0, [0]), (99, [99]), (100, [100, 0]), (101, [100, 1]), (200, [100, 100, 0])]
)
async def test_reader_that_stops_at_a_short_page_comes_to_an_end(
    count: int, sizes: list[int], version: str, world: World, browser: Browser
) -> None:
    """After a full last page it asks for one more. Two past it there is nothing."""
    machines = [machine(pin, equipment_id=pin) for pin in MACHINES[:count]]
    await import_machines(world.context, world.member.customer_id, machines)
    token = await world.token(browser)
    assert await read_until_short(browser, token, f"/api/{version}/Fleet") == sizes
    past = await browser.get(f"/api/{version}/Fleet/{len(sizes) + 1}", Authorization=f"Bearer {token}")
    assert past.status_code == 404


async def test_page_after_a_full_last_page_is_that_of_the_readers_own_map(
    world: World, browser: Browser, token: str
) -> None:
    """The fleet has 230 machines when one reader begins, and 200 when another does."""
    other = await world.token(browser)
    await pins_on(browser, token, "/api/v2/Fleet/1")
    for pin in MACHINES[:30]:
        await release_machine(world.context, COMMAND_LINE, world.member, pin)
    assert len(await pins_on(browser, token, "/api/v2/Fleet/3")) == 30
    assert (await browser.get("/api/v2/Fleet/4", Authorization=f"Bearer {token}")).status_code == 404
    assert await read_until_short(browser, other, "/api/v2/Fleet") == [100, 100, 0]
    await release_machine(world.context, COMMAND_LINE, world.member, MACHINES[40])
    assert await pins_on(browser, other, "/api/v2/Fleet/3") == []
    assert (await browser.get("/api/v2/Fleet/4", Authorization=f"Bearer {other}")).status_code == 404


async def test_empty_page_after_a_full_one_leads_back_and_not_on(world: World, browser: Browser) -> None:
    machines = [machine(pin) for pin in MACHINES[:200]]
    await import_machines(world.context, world.member.customer_id, machines)
    headers = {"Authorization": f"Bearer {await world.token(browser)}", "Accept": "application/json"}
    past = (await browser.http.get("/api/v2/Fleet/3", headers=headers)).json()
    assert past["Equipment"] == []
    links = {link["rel"]: link["href"].rpartition("/")[2] for link in past["Links"]}
    assert links == {"self": "3", "first": "1", "prev": "2", "last": "2"}


async def test_without_valkey_every_page_is_read_as_the_fleet_stands(
    world: World, services: Services, token: str
) -> None:
    """R-88."""
    async with Browser(services.without_valkey()) as browser:
        first = await pins_on(browser, token, "/api/v2/Fleet/1")
        await shrink(world)
        third = await pins_on(browser, token, "/api/v2/Fleet/3")
    assert first == MACHINES[:100]
    assert third == MACHINES[200:227]


@asynccontextmanager
async def with_a_valkey_that_hangs(
    services: Services, redis_url: str, **patience: float
) -> AsyncIterator[tuple[FastAPI, Proxy]]:
    """A service whose Valkey can fall silent."""
    socket = valkey_socket(redis_url)
    async with proxy_to(socket) as proxy:
        url = redis_url.replace(socket, proxy.path)
        valkey = Valkey(url, connections=4, most_waiting=1000, **patience)
        yield services.like(valkey=valkey), proxy
        await valkey.close()


async def test_a_silent_valkey_holds_up_one_page_for_a_moment_and_the_next_not_at_all(
    services: Services, redis_url: str, world: World, token: str
) -> None:
    """R-88: it accepts and never answers; what was pinned before is not heard of."""
    async with (
        with_a_valkey_that_hangs(services, redis_url) as (app, proxy),
        Browser(app) as browser,
    ):
        await pins_on(browser, token, "/api/v2/Fleet/1")
        await shrink(world)
        proxy.fall_silent()
        began = monotonic()
        assert await pins_on(browser, token, "/api/v2/Fleet/3") == MACHINES[200:227]
        assert 0.2 <= monotonic() - began < 1
        began = monotonic()
        for _ in range(5):
            await pins_on(browser, token, "/api/v2/Fleet/2")
        assert monotonic() - began < 1
        proxy.speak()


async def test_a_valkey_that_speaks_again_is_asked_again(
    services: Services, redis_url: str, world: World, token: str
) -> None:
    async with (
        with_a_valkey_that_hangs(services, redis_url, pause_s=0.0) as (app, proxy),
        Browser(app) as browser,
    ):
        await pins_on(browser, token, "/api/v2/Fleet/1")
        await shrink(world)
        proxy.fall_silent()
        assert await pins_on(browser, token, "/api/v2/Fleet/3") == MACHINES[200:227]
        proxy.speak()
        assert await pins_on(browser, token, "/api/v2/Fleet/3") == MACHINES[200:]

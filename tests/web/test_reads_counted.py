"""Each document that an application is shown is counted, for the customer whose it is; nothing that is refused is."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from structlog.testing import capture_logs

from app.aemp.address.read_kind import ReadKind
from app.aemp.model.bounds import MOST_PARTS
from app.context import Context
from app.flows.account.register_application import register_application
from app.flows.fleet.count_reads import write_reads
from app.main import create_app
from app.oauth.actor import COMMAND_LINE
from app.settings import Settings
from app.throttling.budgets import Budgets
from tests.support.browser import Browser
from tests.support.changing import until_true
from tests.support.fleets import fill, seen_by
from tests.support.people import PASSWORD, World
from tests.support.reads import reads_of
from tests.support.stores import context_through_proxy
from tests.web.reading import words_of
from tests.web.services import Services, unreachable_database

CONNECTIONS = "/app/account/applications"
FLEET, PIN = "/api/v2/Fleet", "COUNTED-1"
MACHINE = f"{FLEET}/Equipment/{PIN}"
PAGE = (ReadKind.FLEET_PAGE, 0, 1, 1)


@dataclass(frozen=True, slots=True)
class Reader:
    """An application that reads one customer's two machines, and the only process it asks. key: of the first machine."""

    browser: Browser
    world: World
    context: Context
    token: str
    key: int

    async def read(self, path: str, **headers: str) -> httpx2.Response:
        return await self.browser.get(path, Authorization=f"Bearer {self.token}", **headers)

    async def counted(self) -> list[tuple[int, int, int, int]]:
        await write_reads(self.context)
        return await reads_of(self.context, self.world.member.customer_id)


@pytest.fixture
async def reader(services: Services, world: World) -> AsyncIterator[Reader]:
    app = services.like()
    customer_id = world.member.customer_id
    await fill(world.context, customer_id, PIN, "COUNTED-2")
    async with Browser(app) as browser:
        token = await world.token(browser)
        [row] = await seen_by(world.context, customer_id, "SELECT key FROM equipment WHERE pin = $1", PIN)
        yield Reader(browser, world, app.state.context, token, row["key"])


DATES = "2026-01-01/2026-01-31"


@pytest.mark.parametrize(
    ("path", "kind", "named"),
    [
        (FLEET, ReadKind.FLEET_PAGE, False),
        (f"{FLEET}/1", ReadKind.FLEET_PAGE, False),
        ("/api/v1/Fleet/1", ReadKind.FLEET_PAGE_AEMP_1_2, False),
        ("/api/Fleet", ReadKind.FLEET_PAGE_AEMP_1_2, False),
        (MACHINE, ReadKind.MACHINE, True),
        (f"/api/v1/Fleet/Equipment/{PIN}", ReadKind.MACHINE_AEMP_1_2, True),
        (f"{MACHINE}/CumulativeOperatingHours/{DATES}", ReadKind.SERIES, True),
        (f"{MACHINE}/Locations", ReadKind.LOCATIONS, True),
        (f"{MACHINE}/Faults", ReadKind.FAULTS, True),
        (f"{MACHINE}/{DATES}", ReadKind.SERIES_LIST, True),
    ],
)
async def test_each_kind_of_document_is_counted_once_and_its_machine_beside_it(
    reader: Reader,
    path: str,
    kind: ReadKind,
    named: bool,  # noqa: FBT001  # a column of the table above
) -> None:
    answer = await reader.read(path)
    assert answer.status_code == 200, answer.text
    expected = [(kind, 0, 1, 1)] + [(kind, reader.key, 1, 1)] * named
    assert await reader.counted() == expected


async def test_the_page_shows_the_last_read_and_not_that_a_token_was_issued(reader: Reader) -> None:
    await reader.browser.sign_in(await reader.browser.get("/app/login"), reader.world.member.email, PASSWORD)
    words = words_of(await reader.browser.get(CONNECTIONS))
    assert "Last read Not read yet Reads in 30 days 0" in words
    for path in (FLEET, FLEET, MACHINE):
        await reader.read(path)
    before = datetime.now(UTC)
    await reader.counted()
    words = words_of(await reader.browser.get(CONNECTIONS))
    assert "Reads in 30 days 3" in words
    assert any(f"Last read {at:%-d %B %Y, %H:%M}" in words for at in (before, before - timedelta(minutes=1)))


async def test_a_page_that_the_reader_has_and_its_head_are_reads(reader: Reader) -> None:
    """Whoever is told that nothing changed knows what stands there."""
    tag = (await reader.read(FLEET)).headers["etag"]
    known = await reader.read(FLEET, **{"If-None-Match": tag})
    head = await reader.browser.http.head(FLEET, headers={"Authorization": f"Bearer {reader.token}"})
    assert (known.status_code, head.status_code) == (304, 200)
    assert await reader.counted() == [(ReadKind.FLEET_PAGE, 0, 1, 3)]


async def test_a_crawl_is_one_row_however_many_pages_it_has(reader: Reader) -> None:
    await fill(reader.context, reader.world.member.customer_id, *(f"CRAWLED-{n}" for n in range(210)))
    for page in (1, 2, 3):
        assert (await reader.read(f"{FLEET}/{page}")).status_code == 200
    assert await reader.counted() == [(ReadKind.FLEET_PAGE, 0, 1, 3)]


async def test_what_is_refused_is_no_read(reader: Reader, services: Services) -> None:
    """None of these was shown anything, whatever it came to."""
    robot = await register_application(
        reader.context, COMMAND_LINE, name="Robot", company="Sitewise Ltd", grants=("client_credentials",)
    )
    fields = {
        "grant_type": "client_credentials",
        "client_id": str(robot.client.id),
        "client_secret": robot.client_secret or "",
    }
    nobodys = (await reader.browser.http.post("/app/oauth2/token", data=fields)).json()["access_token"]
    async with unreachable_database() as database:
        away = services.like(database=database)
        poor = services.like(budgets=Budgets(a_minute=1))
        async with Browser(away) as nobody_there, Browser(poor) as no_budget:
            assert (await replace(reader, browser=no_budget).read(FLEET)).status_code == 200
            asked = [
                (reader.browser, FLEET, reader.token + "x", {}, 401),
                (reader.browser, FLEET, nobodys, {}, 403),
                (reader.browser, f"{FLEET}/Equipment/NOT-THERE", reader.token, {}, 404),
                (reader.browser, f"{FLEET}/7", reader.token, {}, 404),
                (reader.browser, f"{FLEET}/nothing/of/this/kind/is/here", reader.token, {}, 404),
                (reader.browser, FLEET, reader.token, {"Accept": "image/png"}, 406),
                (reader.browser, FLEET, reader.token, {"If-None-Match": '"a",' * (MOST_PARTS + 1)}, 431),
                (no_budget, FLEET, reader.token, {}, 429),
                (nobody_there, FLEET, reader.token, {}, 503),
            ]
            for browser, path, token, headers, status in asked:
                answer = await browser.get(path, Authorization=f"Bearer {token}", **headers)
                assert answer.status_code == status, (path, answer.text)
    for process in (reader.context, away.state.context, poor.state.context):
        await write_reads(replace(process, database=reader.context.database))
    assert await reader.counted() == [PAGE]  # the one that used up the budget


async def test_each_version_of_a_connection_has_its_own_count(reader: Reader) -> None:
    """Cut and approved again it may share something else."""
    await reader.read(FLEET)
    await reader.browser.submit(await reader.browser.get(CONNECTIONS), {}, action="/disconnect")
    again = replace(reader, token=await reader.world.token(reader.browser))
    for _ in range(2):
        assert (await again.read(FLEET)).status_code == 200
    assert await reader.counted() == [(ReadKind.FLEET_PAGE, 0, 1, 1), (ReadKind.FLEET_PAGE, 0, 3, 2)]


async def test_processes_add_up_though_they_write_at_once(reader: Reader, services: Services) -> None:
    apps = [services.like() for _ in range(4)]
    for app in apps:
        async with Browser(app) as browser:
            for path in (FLEET, MACHINE, f"{FLEET}/Equipment/COUNTED-2"):
                answer = await browser.get(path, Authorization=f"Bearer {reader.token}")
                assert answer.status_code == 200
    await asyncio.gather(*(write_reads(app.state.context) for app in apps))
    rows = await reader.counted()
    assert rows[:3] == [
        (ReadKind.FLEET_PAGE, 0, 1, 4),
        (ReadKind.MACHINE, 0, 1, 8),
        (ReadKind.MACHINE, reader.key, 1, 4),
    ]
    assert len(rows) == 4


async def test_counts_wait_while_postgresql_is_away(reader: Reader) -> None:
    """Nothing is lost, and it is said in the log once a try."""
    await reader.read(FLEET)
    async with unreachable_database() as database:
        with capture_logs() as logs:
            await write_reads(replace(reader.context, database=database))
    told = [(log["log_level"], log["rows"]) for log in logs if "reads" in log["event"]]
    assert told == [("warning", 1)]
    await reader.read(FLEET)
    assert await reader.counted() == [(ReadKind.FLEET_PAGE, 0, 1, 2)]


async def test_a_write_whose_answer_is_lost_is_written_again_rather_than_not(
    reader: Reader, database_url: str
) -> None:
    """It may have taken effect, and did here: a read too many is told, and none is kept from the customer."""
    async with context_through_proxy(reader.context, database_url, connections=1) as (through, proxy):
        await reader.read(FLEET)
        await write_reads(through)
        await reader.read(FLEET)
        proxy.lose_reply()
        with capture_logs() as logs:
            await write_reads(through)
    # Mails of other tests may be on their way meanwhile.
    assert [log["log_level"] for log in logs if "reads" in log["event"]] == ["warning"]
    assert await reader.counted() == [(ReadKind.FLEET_PAGE, 0, 1, 3)]


async def test_a_service_writes_by_itself_and_what_is_left_when_it_stops(
    reader: Reader, settings: Settings
) -> None:
    app = create_app(settings)
    async with app.router.lifespan_context(app), Browser(app) as browser:
        await browser.get(FLEET, Authorization=f"Bearer {reader.token}")

        async def written() -> bool:
            return await reads_of(reader.context, reader.world.member.customer_id) == [PAGE]

        await until_true(written)
        await browser.get(FLEET, Authorization=f"Bearer {reader.token}")
    assert len(app.state.context.reads) == 0
    assert await reader.counted() == [(ReadKind.FLEET_PAGE, 0, 1, 2)]

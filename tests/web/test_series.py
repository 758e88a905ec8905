"""Series on the wire: every form of address, pages, dates, links, codings, what the client has already."""

import gzip
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from backports import zstd
from fastapi import FastAPI
from lxml import etree

from app.aemp.model.series import SERIES, SWITCH_METRICS, Metric
from app.aemp.model.values import Equipment, EquipmentHeader, TankLevel
from app.context import Context
from app.flows.fleet.import_fleet import import_machines
from app.metrics import MEASUREMENTS
from app.throttling.budgets import Budgets
from tests.support.browser import Browser
from tests.support.histories import history_of
from tests.support.people import World
from tests.web.services import Services

ISO = "{http://standards.iso.org/iso/15143/-3}"
ORIGIN = "http://localhost:8000"
FLEET = "/api/v2/Fleet"
PIN, ODD_ID = "9NRA2B3C4M0030117", "ASA B50E#9112/7:3"
STEP = timedelta(minutes=5)
READINGS = 250


@dataclass(frozen=True, slots=True)
class Reader:
    """A customer's only machine, and an application that reads it. began_at: of its readings, five minutes apart."""

    http: httpx2.AsyncClient
    token: str
    began_at: datetime
    world: World

    async def get(self, path: str, accept: str = "application/json", **headers: str) -> httpx2.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"Authorization": f"Bearer {self.token}", "Accept": accept, **named}
        return await self.http.get(path, headers=sent)

    def dates(self, first: int = 0, last: int = READINGS - 1) -> str:
        """Two segments, from one reading's time to another's."""
        return "/".join(written(self.began_at + number * STEP) for number in (first, last))


def written(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


@pytest.fixture(scope="module")
async def reader(app: FastAPI, context: Context) -> AsyncIterator[Reader]:
    world = await World.make(context)
    customer_id = world.member.customer_id
    header = EquipmentHeader(
        pin=PIN, serial_number="30117", equipment_id=ODD_ID, oem_name="Nordhoff", model="NX 350"
    )
    began_at = context.now().astimezone(UTC).replace(microsecond=0) - READINGS * STEP
    tank = TankLevel(began_at, 50.0, 400.0)
    await import_machines(context, customer_id, [Equipment(header=header, fuel_remaining=tank)])
    async with history_of(context, customer_id, PIN) as history:
        await history.owned_since(began_at)
        await history.read(Metric.CUMULATIVE_OPERATING_HOURS, rising(began_at, READINGS))
        await history.read(Metric.FUEL_REMAINING, rising(began_at, 2))
        await history.read(SWITCH_METRICS.start, rising(began_at, 2))
        await history.stood(began_at, 51.5, -0.25, None)
        await history.failed(began_at, 1, "SPN 94", "Fuel pressure")
    async with Browser(app) as browser:
        yield Reader(browser.http, await world.token(browser), began_at, world)


def rising(began_at: datetime, count: int) -> list[tuple[datetime, float]]:
    return [(began_at + number * STEP, 1000 + number / 12) for number in range(count)]


MACHINES = [
    PIN,
    PIN.lower(),
    "30117",
    "ASA%20B50E%239112%2F7%3A3",
    "ID/ASA%20%20b50e%239112%2F7:3",
    "MakeModelSerial/Nordhoff/NX%20350/30117",
    "makemodelserial/NORDHOFF/nx%20350/30117",
    "Nordhoff/NX%20350/30117",
]


@pytest.mark.parametrize("machine", MACHINES)
async def test_each_form_of_address_reads_the_machine_and_its_series(machine: str, reader: Reader) -> None:
    base = f"{FLEET}/Equipment/{machine}"
    snapshot = (await reader.get(base)).json()
    assert [each["EquipmentHeader"]["PIN"] for each in snapshot["Equipment"]] == [PIN]
    assert links_in(snapshot) == {"self": ORIGIN + base}
    series = f"{base}/cumulativeOperatingHours"
    dated = f"{series}/{reader.dates()}"
    document, numbered, recent = [(await reader.get(path)).json() for path in (dated, f"{dated}/1", series)]
    assert len(document["CumulativeOperatingHours"]) == 100
    others = {"next": f"{ORIGIN}{dated}/2", "last": f"{ORIGIN}{dated}/3"}
    assert links_in(document) == dict.fromkeys(("self", "first"), ORIGIN + dated) | others
    assert links_in(numbered) == dict.fromkeys(("self", "first"), f"{ORIGIN}{dated}/1") | others
    readings = document["CumulativeOperatingHours"]
    assert numbered["CumulativeOperatingHours"] == recent["CumulativeOperatingHours"] == readings
    assert links_in(recent)["self"] == ORIGIN + series
    assert links_in(recent)["next"].startswith(f"{ORIGIN}{series}/20")


def links_in(document: Any) -> dict[str, str]:
    return {each["rel"]: each["href"] for each in document["Links"]}


@pytest.mark.parametrize("query", ["addMetadata=true", "page=1", "a=%2F&page=1&b"])
async def test_links_of_a_series_keep_the_query(query: str, reader: Reader) -> None:
    """It is kept without dates too, and where a machine or its list of series is asked for."""
    base = f"{FLEET}/Equipment/{PIN}"
    for path in (
        f"{base}/CumulativeOperatingHours",
        f"{base}/CumulativeOperatingHours/{reader.dates()}",
    ):
        here, sizes = f"{ORIGIN}{path}?{query}", []
        while here:
            document = (await reader.get(here)).json()
            assert links_in(document)["self"] == here
            sizes.append(len(document["CumulativeOperatingHours"]))
            here = links_in(document).get("next", "")
        assert sizes == [100, 100, 50]
    for path in (base, f"{base}/{reader.dates()}"):
        links = links_in((await reader.get(f"{path}?{query}")).json())
        assert links.pop("self") == f"{ORIGIN}{path}?{query}"
        for href in links.values():
            assert (await reader.get(href)).status_code == 200


async def test_followed_links_lead_through_every_reading_once_and_in_order(reader: Reader) -> None:
    """This holds for an address without dates too: its links name them, so that all pages have one range."""
    address: str | None = f"{FLEET}/Equipment/{PIN}/CumulativeOperatingHours"
    times, sizes = [], []
    while address:
        document = (await reader.get(address)).json()
        times += [each["datetime"] for each in document["CumulativeOperatingHours"]]
        sizes.append(len(document["CumulativeOperatingHours"]))
        address = next((each["href"] for each in document["Links"] if each["rel"] == "next"), None)
    assert sizes == [100, 100, 50]
    assert times == [written(reader.began_at + number * STEP) for number in range(READINGS)]


async def test_both_ends_of_the_range_are_included(reader: Reader) -> None:
    path = f"{FLEET}/Equipment/{PIN}/CumulativeOperatingHours/{reader.dates(10, 12)}"
    readings = (await reader.get(path)).json()["CumulativeOperatingHours"]
    assert [each["datetime"] for each in readings] == [
        written(reader.began_at + number * STEP) for number in (10, 11, 12)
    ]
    assert [each["Hour"] for each in readings] == [1000.83, 1000.92, 1001.0]


@pytest.mark.parametrize("series", SERIES, ids=lambda each: each.name)
async def test_every_series_is_served_in_both_formats(series: Any, reader: Reader) -> None:
    for segment in (series.name, *series.aliases):
        path = f"{FLEET}/Equipment/{PIN}/{segment}/{reader.dates(0, 1)}"
        in_json, in_xml = await reader.get(path), await reader.get(path, "*/*")
        assert in_xml.headers["content-type"] == "application/xml; charset=utf-8"
        root = etree.fromstring(in_xml.content)
        assert root.tag == ISO + series.root
        readings = in_json.json()[series.element.name]
        assert len(readings) == len(root.findall(ISO + series.element.name))
        reported = {"CumulativeOperatingHours", "FuelRemainingRatio", "SwitchStatus", "Locations", "Faults"}
        assert bool(readings) == (series.name in reported)


async def test_levels_carry_the_size_of_the_tank(reader: Reader) -> None:
    path = f"{FLEET}/Equipment/{PIN}/FuelRemainingRatio/{reader.dates(0, 0)}"
    [reading] = (await reader.get(path)).json()["FuelRemaining"]
    assert (reading["FuelTankCapacityUnits"], reading["FuelTankCapacity"]) == ("litre", 400)


async def test_dates_alone_are_answered_with_links_to_the_series_that_have_data(reader: Reader) -> None:
    base = f"{FLEET}/Equipment/{PIN}"
    document = (await reader.get(f"{base}/{reader.dates(0, 1)}")).json()
    links = {each["rel"]: each["href"] for each in document["Links"]}
    reported = ["Locations", "CumulativeOperatingHours", "FuelRemainingRatio", "SwitchStatus", "Faults"]
    assert list(links) == ["self", *reported]
    assert [list(each) for each in document["Equipment"]] == [["EquipmentHeader"]]
    for series in SERIES:
        if series.name in links:
            found = (await reader.get(links[series.name])).json()
            assert found[series.element.name]
            assert found["Links"][0]["href"] == links[series.name]
    later = (await reader.get(f"{base}/{reader.dates(2, 9)}", "application/xml")).content
    rels = [each.text for each in etree.fromstring(later).iter(f"{ISO}rel")]
    assert rels == ["self", "CumulativeOperatingHours"]


async def test_what_cannot_be_read_is_refused_by_its_reason(reader: Reader) -> None:
    base = f"{FLEET}/Equipment/{PIN}"
    for path, status, code in (
        (f"{base}/Humidity", 404, "series_not_found"),
        (f"{base}/Distance/{reader.dates(5, 2)}", 400, "invalid_range"),
        (f"{base}/Distance/2024-01-01T00:00:00/2024-01-02T00:00:00", 400, "invalid_date"),
        (f"{base}/yesterday/today", 400, "invalid_date"),
        (f"{FLEET}/Equipment/NONE/yesterday/today", 404, "equipment_not_found"),
        (f"{FLEET}/Equipment/NONE/Distance", 404, "equipment_not_found"),
        (f"{FLEET}/Equipment/NONE/{reader.dates()}", 404, "equipment_not_found"),
        (f"{base}/CumulativeOperatingHours/{reader.dates()}/4", 404, "page_not_found"),
        (f"{base}/Distance/{reader.dates()}/2", 404, "page_not_found"),
        (f"{base}/Distance/{reader.dates()}/x", 400, "invalid_page"),
        ("/api/v1/Fleet/Equipment/{PIN}/Distance", 404, "not_found"),
    ):
        answer = await reader.get(path.format(PIN=PIN), "*/*")
        root = etree.fromstring(answer.content)
        assert (answer.status_code, root.findtext("Code")) == (status, code), path
        assert "ratelimit" in answer.headers


async def test_measurements_are_labelled_by_the_form_of_the_address(reader: Reader) -> None:
    """One route takes all forms, and a machine must not become a label."""
    for path in (FLEET, f"{FLEET}/Equipment/{PIN}", f"{FLEET}/Equipment/ID/x/Distance/{reader.dates()}"):
        await reader.get(path)
    labels = {route for method, route, _ in MEASUREMENTS._tallies if method == "GET" and "Fleet" in route}
    assert labels >= {
        f"{FLEET}/{{page}}",
        f"{FLEET}/Equipment/{{identifier}}",
        f"{FLEET}/Equipment/{{identifier}}/{{series}}",
    }
    assert not [label for label in labels if PIN in label]


async def test_readings_that_come_while_a_series_is_read_are_found(context: Context, app: FastAPI) -> None:
    """How many there are is remembered for a while; no page is refused for that, or said to be the last."""
    world = await World.make(context)
    customer_id = world.member.customer_id
    await import_machines(context, customer_id, [Equipment(header=EquipmentHeader(pin=PIN))])
    began_at = context.now().astimezone(UTC).replace(microsecond=0) - READINGS * STEP
    async with Browser(app) as browser:
        owner = Reader(browser.http, await world.token(browser), began_at, world)
        path = f"{FLEET}/Equipment/{PIN}/Distance/{owner.dates()}"
        assert (await owner.get(path)).json()["Distance"] == []
        async with history_of(context, customer_id, PIN) as history:
            await history.owned_since(began_at)
            await history.read(Metric.DISTANCE, rising(began_at, 101))
        first = (await owner.get(path)).json()
        assert len(first["Distance"]) == 100
        assert [link["rel"] for link in first["Links"]] == ["self", "first", "next", "last"]
        last = await owner.get(f"{path}/2")
        assert (last.status_code, len(last.json()["Distance"])) == (200, 1)
        assert (await owner.get(f"{path}/3")).status_code == 404


async def test_page_after_a_full_last_page_of_a_series_is_there_and_empty(reader: Reader) -> None:
    """Readers that stop at a short page ask for it."""
    path = f"{FLEET}/Equipment/{PIN}/CumulativeOperatingHours/{reader.dates(0, 199)}"
    pages = [(await reader.get(f"{path}/{page}")) for page in (1, 2, 3, 4)]
    assert [each.status_code for each in pages] == [200, 200, 200, 404]
    assert [len(each.json()["CumulativeOperatingHours"]) for each in pages[:3]] == [100, 100, 0]
    assert {link["rel"]: link["href"].rpartition("/")[2] for link in pages[2].json()["Links"]} == {
        "self": "3",
        "first": "1",
        "prev": "2",
        "last": "2",
    }


async def test_first_page_of_an_empty_range_is_there(reader: Reader) -> None:
    answer = await reader.get(f"{FLEET}/Equipment/{PIN}/Distance/{reader.dates()}/1")
    assert (answer.status_code, answer.json()["Distance"]) == (200, [])


async def test_another_customer_finds_neither_the_machine_nor_its_readings(
    reader: Reader, app: FastAPI, context: Context
) -> None:
    """R-71."""
    other = await World.make(context)
    async with Browser(app) as browser:
        stranger = Reader(browser.http, await other.token(browser), reader.began_at, other)
        for machine in MACHINES:
            for suffix in ("", "/Locations", f"/Locations/{reader.dates()}", f"/{reader.dates()}"):
                answer = await stranger.get(f"{FLEET}/Equipment/{machine}{suffix}")
                assert (answer.status_code, answer.json()["code"]) == (404, "equipment_not_found")


async def test_an_owner_reads_its_own_period_only(context: Context, app: FastAPI) -> None:
    """R-71: what was reported before it owned the machine was reported to somebody else."""
    world = await World.make(context)
    customer_id = world.member.customer_id
    await import_machines(context, customer_id, [Equipment(header=EquipmentHeader(pin=PIN))])
    began_at = context.now().astimezone(UTC).replace(microsecond=0) - 10 * STEP
    async with history_of(context, customer_id, PIN) as history:
        await history.read(Metric.DISTANCE, rising(began_at, 10))
        await history.owned_since(began_at + 4 * STEP)
    async with Browser(app) as browser:
        owner = Reader(browser.http, await world.token(browser), began_at, world)
        readings = (await owner.get(f"{FLEET}/Equipment/{PIN}/Distance")).json()["Distance"]
        index = await owner.get(f"{FLEET}/Equipment/{PIN}/{owner.dates(0, 3)}")
    assert [each["datetime"] for each in readings] == [
        written(began_at + number * STEP) for number in range(4, 10)
    ]
    assert [each["rel"] for each in index.json()["Links"]] == ["self"]


# ---- What is sent, and what the client has already ----


async def raw(reader: Reader, path: str, encoding: str) -> tuple[httpx2.Headers, bytes]:
    """An answer as it came over the wire, not decoded."""
    headers = {"Authorization": f"Bearer {reader.token}", "Accept-Encoding": encoding}
    async with reader.http.stream("GET", path, headers=headers) as answer:
        return answer.headers, b"".join([chunk async for chunk in answer.aiter_raw()])


async def test_a_tag_is_of_the_content_and_of_its_coding(reader: Reader) -> None:
    path = f"{FLEET}/Equipment/{PIN}/CumulativeOperatingHours/{reader.dates()}"
    plain, body = await raw(reader, path, "identity")
    zipped, packed = await raw(reader, path, "gzip")
    pressed, small = await raw(reader, path, "gzip, deflate, br, zstd")
    assert "content-encoding" not in plain
    assert (zipped["content-encoding"], pressed["content-encoding"]) == ("gzip", "zstd")
    assert gzip.decompress(packed) == zstd.decompress(small) == body
    assert max(len(packed), len(small)) < len(body) / 5
    tag = plain["etag"].strip('"')
    assert (zipped["etag"], pressed["etag"]) == (f'"{tag}-gzip"', f'"{tag}-zstd"')
    assert (await raw(reader, path, "gzip"))[1] == packed


@pytest.mark.parametrize(
    "path", ["", "/1", f"/Equipment/{PIN}", f"/Equipment/{PIN}/Locations", "/Equipment/{PIN}/{dates}"]
)
async def test_what_the_client_has_is_not_sent_again(path: str, reader: Reader) -> None:
    """RFC 9110 section 13.1.2: in lists, weak or strong, or whatever there is."""
    path = FLEET + path.format(PIN=PIN, dates=reader.dates())
    first = await reader.get(path)
    tag = first.headers["etag"]
    for if_none_match in (tag, f'"other", W/{tag}', "*"):
        again = await reader.get(path, If_None_Match=if_none_match)
        assert (again.status_code, again.content) == (304, b"")
        for name in ("etag", "cache-control", "vary", "ratelimit-policy"):
            assert again.headers[name] == first.headers[name]
        assert not {"content-type", "content-encoding"} & set(again.headers)
    assert (await reader.get(path, If_None_Match='"other"')).content == first.content
    assert (await reader.get(path, "application/xml", If_None_Match=tag)).status_code == 200
    assert (first.headers["cache-control"], first.headers["vary"]) == (
        "private, no-cache",
        "Accept, Accept-Encoding",
    )


async def test_snapshot_is_as_of_its_newest_reading(reader: Reader, app: FastAPI, context: Context) -> None:
    """A fleet that reported nothing new is then the same to the byte."""
    document = (await reader.get(f"{FLEET}/1")).json()
    assert document["snapshotTime"] == written(reader.began_at)
    async with Browser(app) as browser:
        world = await World.make(context)
        other = Reader(browser.http, await world.token(browser), reader.began_at, world)
        empty = [await other.get(FLEET) for _ in range(2)]
    assert empty[0].content == empty[1].content
    assert empty[0].json()["snapshotTime"].endswith("T00:00:00Z")


# ---- The budget ----


async def test_budget_is_told_and_kept(reader: Reader, services: Services) -> None:
    """Each answer says what is left; the first one too many says when to go on."""
    async with Browser(services.like(budgets=Budgets(a_minute=3))) as browser:
        few = Reader(browser.http, reader.token, reader.began_at, reader.world)
        answers = [await few.get(FLEET) for _ in range(4)]
        elsewhere = await few.get("/api/v1/Fleet", "*/*")
    assert [each.status_code for each in answers] == [200, 200, 200, 429]
    assert [each.headers["ratelimit"] for each in answers[:3]] == [
        '"reads";r=2;t=20',
        '"reads";r=1;t=40',
        '"reads";r=0;t=60',
    ]
    assert {each.headers["ratelimit-policy"] for each in answers} == {'"reads";q=3;w=60'}
    assert [each.headers["x-ratelimit-remaining"] for each in answers] == ["2", "1", "0", "0"]
    refused = answers[3]
    assert 1 <= int(refused.headers["retry-after"]) <= 20
    assert (refused.json()["status"], refused.json()["code"]) == (429, "too_many_requests")
    assert etree.fromstring(elsewhere.content).findtext("Code") == "too_many_requests"


async def test_refreshing_gives_no_new_budget_and_another_connection_has_its_own(
    reader: Reader, services: Services
) -> None:
    async with Browser(services.like(budgets=Budgets(a_minute=1))) as browser:
        one = Reader(browser.http, reader.token, reader.began_at, reader.world)
        other = Reader(browser.http, await reader.world.token(browser), reader.began_at, reader.world)
        statuses = [(await each.get(FLEET)).status_code for each in (one, one, other, other)]
    assert statuses == [200, 429, 200, 429]

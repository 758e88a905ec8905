"""`make bench-compare` with pages: who is asked when, what is billed, what may differ, and a smoke run."""

import gzip
import os
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import orjson
import pytest
import uvloop

from app.aemp.model.series import OPERATING_HOURS
from app.aemp.model.values import Hours
from app.aemp.write.render_json import render_series_json
from app.aemp.write.render_xml import render_series_xml
from app.aemp.write.snapshot import SeriesPage
from bench.compare.checkout import Checkout
from bench.compare.measure import Round
from bench.compare.pages import PAGES, compare_machines
from bench.compare.report import Report, Result
from bench.compare.sides import Side
from bench.ground.reporting import reporting
from bench.ground.service import Service
from bench.load.billed import Billed, Cost, Turns
from bench.load.bursts import Size
from bench.load.records import form_request
from bench.load.rounds import RoundError
from tests.bench.echo import Server, serving
from tests.bench.programs import measure
from tests.support.depth import too_long

pytestmark = pytest.mark.timeout(180)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MACHINES = [
    {"EquipmentHeader": {"OEMName": "Lumida", "PIN": pin}, "Distance": {"Odometer": 12.5}} for pin in "AB"
]


def in_json(machines: object, *, server: str = "127.0.0.1:1") -> bytes:
    links = [{"Rel": "Last", "Href": f"http://{server}/1", "rel": "last", "href": f"http://{server}/1"}]
    return orjson.dumps({"Links": links, "Equipment": machines})


def in_xml(pin: str, *, server: str = "127.0.0.1:1", space: str = "") -> bytes:
    header = f"<EquipmentHeader>{space}<PIN>{pin}</PIN></EquipmentHeader>"
    links = f'<Links rel="self" href="http://{server}/1"/>'
    return f'<Fleet version="1">{links}<Equipment>{header}</Equipment></Fleet>'.encode()


@pytest.fixture
def pair() -> Iterator[tuple[Server, Server]]:
    with serving() as one, serving() as other:
        yield one, other


def turns_of(
    pair: tuple[Server, Server], told: list[str], compare: Callable[[object], None] = lambda _bodies: None
) -> Turns:
    """Turns of two services that are this process, and whose PostgreSQL is this process."""
    own = os.getpid()
    requests = [form_request("/x", {"a": str(number)}) for number in range(3)]
    services = [Billed(f"{number}", each.port, own, requests) for number, each in enumerate(pair)]

    async def before() -> None:
        seen = [server.seen.total() for server in pair]
        told.append(f"{seen[0]} {seen[1]}")

    return Turns(services, own, before, compare)


async def take(turns: Turns, bursts: int) -> list[Cost]:
    async with turns.connected(2) as crowds:
        return await turns.take(crowds, bursts)


def test_both_are_asked_each_request_once_after_what_comes_before(pair: tuple[Server, Server]) -> None:
    told: list[str] = []
    costs = uvloop.run(take(turns_of(pair, told), 4))
    assert told == ["0 0", "3 3", "6 6", "9 9"]
    assert [each.connections for each in pair] == [2, 2]
    assert all(cost.service_us > 0 and cost.postgres_us > 0 for cost in costs)


def test_work_before_a_burst_is_billed_to_nobody(pair: tuple[Server, Server]) -> None:
    turns = turns_of(pair, [])

    async def before() -> None:
        began = time.process_time()
        while time.process_time() < began + 0.2:
            pass

    began = time.process_time()
    costs = uvloop.run(take(Turns(turns.services, turns.postgres, before, turns.compare), 2))
    used_us = (time.process_time() - began) * 1e6
    assert sum(cost.service_us * 6 for cost in costs) < used_us - 350_000


def test_bodies_of_both_are_compared_after_each_burst(pair: tuple[Server, Server]) -> None:
    def compare(bodies: object) -> None:
        assert isinstance(bodies, list)
        assert sorted(bodies[0]) == sorted(bodies[1]) == [b"a=0", b"a=1", b"a=2"]
        raise RoundError("they differ")

    with pytest.raises(RoundError, match="they differ"):
        uvloop.run(take(turns_of(pair, [], compare), 1))


def test_pages_of_the_same_machines_may_differ_in_links_order_coding_and_empty_texts() -> None:
    elsewhere = [in_json(MACHINES, server="127.0.0.1:2"), in_json(MACHINES[:1])]
    compare_machines([[in_json(MACHINES), in_json(MACHINES[:1])], elsewhere])
    reordered = [dict(reversed(each.items())) for each in MACHINES]
    compare_machines([[in_json(MACHINES)], [gzip.compress(in_json(reordered))]])
    unnamed = [{**MACHINES[0], "Distance": {"Odometer": 12.5, "OdometerUnits": ""}}, MACHINES[1]]
    compare_machines([[in_json(MACHINES)], [in_json(unnamed)]])
    compare_machines([[in_xml("A")], [in_xml("A", server="127.0.0.1:2", space=" ")]])
    compare_machines([[in_xml("A")], [in_xml("A", space="<Model/>")]])


def a_series(count: int, *, hour: float = 8.0) -> SeriesPage:
    return SeriesPage(
        OPERATING_HOURS, tuple(Hours(NOON + timedelta(hours=n), hour + n) for n in range(count))
    )


@pytest.mark.parametrize("render", [render_series_json, render_series_xml])
def test_full_pages_of_the_same_series_are_alike_and_no_others(render: Callable[[SeriesPage], bytes]) -> None:
    page = render(a_series(100))
    compare_machines([[page], [gzip.compress(page)]])
    with pytest.raises(RoundError, match="tell different machines"):
        compare_machines([[page], [render(a_series(100, hour=9.0))]])
    with pytest.raises(RoundError, match="a page of a series has 99 readings, and not 100"):
        compare_machines([[render(a_series(99))], [render(a_series(99))]])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (in_json(MACHINES), in_json(MACHINES[:1])),
        (in_json(MACHINES), in_json([MACHINES[0], {**MACHINES[1], "Distance": {"Odometer": 12.51}}])),
        (in_xml("A"), in_xml("B")),
    ],
)
def test_pages_of_other_machines_or_figures_end_the_comparison(one: bytes, other: bytes) -> None:
    with pytest.raises(RoundError, match="tell different machines"):
        compare_machines([[gzip.compress(one)], [other]])


async def test_reports_of_other_machines_than_were_meant_end_the_comparison(database_url: str) -> None:
    async with reporting(database_url, [uuid4()]) as reporter:
        await reporter.report(0)
        with pytest.raises(RoundError, match="other machines report than are meant to: UPDATE 0"):
            await reporter.report(1)


@pytest.mark.parametrize("knows", [True, False])
def test_memory_of_pages_is_off_where_a_revision_has_one(tmp_path: Path, knows: bool) -> None:  # noqa: FBT001
    name = "ROVITRACKER_LIMIT_PAGE_MEMORY"
    known = frozenset({"ROVITRACKER_PORT", *([name] if knows else [])})
    checkout = Checkout("own", tmp_path, Path(sys.executable))
    side = Side(checkout, Service(tmp_path, 1), known, frozenset({"ROVITRACKER_PORT"}), tmp_path)
    assert name not in side.environment
    assert side.forgetful().environment.get(name) == ("0" if knows else None)
    assert side.forgetful().environment["ROVITRACKER_PORT"] == "1"


def test_a_page_is_told_with_postgresqls_part() -> None:
    rounds = [Round("page_tenth", 190.0, 1000.0, 0.1, (90.0, 200.0))] * 6
    result = Result("page_tenth", Size(40, 4, 4), rounds, PAGES["page_tenth"].bar)
    report = Report("2 cores", "Python, with PGO", "pinned", "tree", "base", [result])
    assert report.met
    assert report.document()["results"][0]["postgres_us"] == [90.0, 200.0]
    assert "| 190.0 (90.0) | 1000.0 (200.0) | 0.190 (0.190 to 0.190) | 0.2 | met |" in report.markdown()


@too_long("pages of a revision are compared with its own")
def test_smoke_run_compares_pages_of_a_revision_with_itself(tmp_path: Path) -> None:
    smoke = ("--rounds", "1", "--seconds", "0.1", "--fleets", "1", "--python", sys.executable)
    done = measure("compare", tmp_path, "--base", "HEAD", *smoke, "--scenario", *PAGES)
    assert done.status == 1  # one round is certain of nothing
    assert {each["scenario"]: each["bar"] for each in done.document["results"]} == {
        name: page.bar for name, page in PAGES.items()
    }
    for each in done.document["results"]:
        assert 0.3 < each["ratio"] < 3
        assert all(0 < part < whole for part, whole in zip(each["postgres_us"], costs_of(each), strict=True))


def costs_of(result: dict[str, float]) -> tuple[float, float]:
    return result["tree_us"], result["base_us"]

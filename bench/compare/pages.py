"""Pages of whole fleets and of series, and what one costs both revisions with PostgreSQL's part of it."""

import gzip
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

import orjson
import uvloop

from app.aemp.address.paging import PAGE_SIZE
from app.aemp.model.series import OPERATING_HOURS
from app.aemp.model.times import format_time
from app.aemp.model.values import Hours
from app.aemp.read.read import machines_of, parse
from app.aemp.read.read_series import pages_of
from app.aemp.write.render_json import render_fleet_v2_json, render_series_json
from app.aemp.write.snapshot import SeriesPage, Snapshot
from app.simulation.fleet import simulate_machines
from app.web.paths import FIRST_PAGE
from bench.compare.checkout import CheckoutError
from bench.compare.measure import Plan, Round
from bench.compare.sides import Running, Side, both_running
from bench.ground.reporting import MACHINES, reporting
from bench.load.billed import Billed, Turns
from bench.load.bursts import WARM_UP, Size
from bench.load.machine import Others, StorePids
from bench.load.records import get_request
from bench.load.rounds import RoundError

_JSON, _XML = {"Accept": "application/json"}, {"Accept": "application/xml"}
_GZIP = {"Accept_Encoding": "gzip"}
_GZIP_MARK = b"\x1f\x8b"
_DAYS, _INTERVAL_S, _SEED = 1.0, 300, 1
_READINGS = 2 * PAGE_SIZE  # of a series; the first page of them is asked for


@dataclass(frozen=True, slots=True)
class Page:
    """A form of a page. remembered: whether services may keep it. reporting: of ten machines, before each burst.

    bar: for the ratio beside revision c69f94f, the first public measurement. of_series: it shows readings of one machine.
    """

    about: str
    headers: Mapping[str, str]
    remembered: bool
    reporting: int
    bar: float
    of_series: bool = False


def _pages() -> Iterator[tuple[str, Page]]:
    changed, whole = "page, one machine in ten changed", "page, nothing remembered"
    forms = {
        "": ("JSON, gzip", _JSON | _GZIP),
        "_plain": ("JSON, plain", _JSON),
        "_xml": ("XML, gzip", _XML | _GZIP),
    }
    for suffix, (form, headers) in forms.items():
        yield (
            f"page_tenth{suffix}",
            Page(f"{changed}: {form}", headers, remembered=True, reporting=1, bar=0.20),
        )
        yield (
            f"page_whole{suffix}",
            Page(f"{whole}: {form}", headers, remembered=False, reporting=0, bar=0.45),
        )
        series = f"page of a series, {PAGE_SIZE} readings: {form}"
        yield f"series{suffix}", Page(series, headers, remembered=True, reporting=0, bar=0.5, of_series=True)


PAGES = dict(_pages())


@dataclass(frozen=True, slots=True)
class Fleet:
    """What both sides import of one. document: its machines. series: readings of the first of them; path: their page."""

    document: bytes
    pin: str
    series: bytes
    path: str


@dataclass(frozen=True, slots=True)
class Fleets:
    """The same fleets, put in on both sides. accounts: of a side's customers, one to a fleet; paths: of their series."""

    sides: Sequence[Side]
    accounts: Sequence[Sequence[Mapping[str, str]]] = field(repr=False)
    paths: Sequence[str]
    cores: frozenset[int]
    stores: StorePids
    scenarios: Sequence[str]
    size: Size


def put_in(
    sides: Sequence[Side], scenarios: Sequence[str], stores: StorePids, cores: frozenset[int], size: Size
) -> Fleets:
    """Let each side import the same machines for customers of its own, one for each request of a burst.

    Raises CheckoutError when one does not take all machines.
    """
    fleets = [_make(number) for number in range(size.requests)]
    accounts = [[_add_fleet(side, *each) for each in enumerate(fleets)] for side in sides]
    return Fleets(sides, accounts, [each.path for each in fleets], cores, stores, scenarios, size)


def size_of(plan: Plan, fleets: int) -> Size:
    """A burst asks for the page of each fleet once."""
    return Size(plan.bursts, fleets, min(plan.connections, fleets))


def measure_pages(fleets: Fleets, number: int) -> Iterator[Round]:
    """Measure on fresh processes, which remember no page for the scenarios that say so."""
    for remembered in (True, False):
        names = [name for name in fleets.scenarios if PAGES[name].remembered is remembered]
        sides = fleets.sides if remembered else [each.forgetful() for each in fleets.sides]
        if names:
            with both_running(sides, fleets.cores, number) as served:
                tokens = [_tokens(*each) for each in zip(sides, served, fleets.accounts, strict=True)]
                for name in names:
                    paths = fleets.paths if PAGES[name].of_series else [FIRST_PAGE] * len(fleets.paths)
                    asked = [
                        _asked(*each, paths, PAGES[name]) for each in zip(sides, served, tokens, strict=True)
                    ]
                    yield uvloop.run(_round(fleets, name, asked, number))


def compare_machines(bodies: Sequence[list[bytes]]) -> None:
    """Raises RoundError when two services tell different machines or figures; links and spellings may differ."""
    one, other = (sorted(map(_told, each)) for each in bodies)
    if one != other:
        raise RoundError("working tree and base tell different machines, or different figures of them")


async def _round(fleets: Fleets, name: str, asked: Sequence[Billed], number: int) -> Round:
    page = PAGES[name]
    async with AsyncExitStack() as stack:
        reporters = [
            await stack.enter_async_context(reporting(side.database_url, _customers(accounts)))
            for side, accounts in zip(fleets.sides, fleets.accounts, strict=True)
        ]

        async def report() -> None:
            for reporter in reporters:
                await reporter.report(page.reporting)

        turns = Turns(asked, fleets.stores.postgres, report, compare_machines)
        crowds = await stack.enter_async_context(turns.connected(fleets.size.connections))
        await turns.take(crowds, WARM_UP)
        others = Others(os.getpid(), fleets.stores)
        tree, base = await turns.take(crowds, fleets.size.bursts, first=number % 2)
    of_postgres = (tree.postgres_us, base.postgres_us)
    return Round(name, tree.together_us, base.together_us, others.share, of_postgres)


def _make(number: int) -> Fleet:
    """A page of machines that all report. No two fleets have a machine in common."""
    now = datetime.now(UTC).replace(microsecond=0)
    made = simulate_machines(2 * MACHINES, _DAYS, _INTERVAL_S, _SEED, now, owner=f"{number}")
    machines = tuple(islice((machine for machine, simulated in made if not simulated.silent), MACHINES))
    pin = f"{machines[0].header.pin}"
    times = [now - timedelta(days=1, seconds=_INTERVAL_S * each) for each in reversed(range(_READINGS))]
    readings = tuple(Hours(at, 1000 + each / 10) for each, at in enumerate(times))
    within = "/".join(map(format_time, (times[0], times[-1])))
    return Fleet(
        render_fleet_v2_json(Snapshot(now, machines)),
        pin,
        render_series_json(SeriesPage(OPERATING_HOURS, readings)),
        f"{FIRST_PAGE.rpartition('/')[0]}/Equipment/{pin}/{OPERATING_HOURS.name}/{within}/1",
    )


def _add_fleet(side: Side, number: int, fleet: Fleet) -> dict[str, str]:
    email = f"fleet-{number}@customer.example"
    account = side.add_account(email)
    machines, series = side.folder / f"fleet-{number}.json", side.folder / f"series-{number}.json"
    machines.write_bytes(fleet.document)
    series.write_bytes(fleet.series)
    importing = ("fleet", "import", "--customer", email, "--json")
    (imported,) = orjson.loads(side.run(*importing, f"{machines}"))
    (told,) = orjson.loads(side.run(*importing, "--machine", fleet.pin, f"{series}"))
    if (
        imported["added"] != MACHINES
        or told["readings"] != _READINGS
        or imported["refused"]
        or told["refused"]
    ):
        raise CheckoutError(f"{side.checkout.name} takes a fleet in otherwise than whole: {imported}, {told}")
    return account


def _customers(accounts: Sequence[Mapping[str, str]]) -> list[UUID]:
    return [UUID(each["customer_id"]) for each in accounts]


def _tokens(side: Side, served: Running, accounts: Sequence[Mapping[str, str]]) -> list[str]:
    service = replace(side.service, port=served.port)
    return [service.client_token(each["client_id"], each["client_secret"]) for each in accounts]


def _asked(side: Side, served: Running, tokens: Sequence[str], paths: Sequence[str], page: Page) -> Billed:
    """paths: one to a token."""
    named = zip(paths, tokens, strict=True)
    requests = [get_request(path, bearer=token, **page.headers) for path, token in named]
    return Billed(side.checkout.name, served.port, served.pids[0], requests)


def _told(body: bytes) -> bytes:
    """What a page tells in one spelling. An empty text or element tells as little as none.

    Raises RoundError for a page of a series that is not full.
    """
    page = gzip.decompress(body) if body.startswith(_GZIP_MARK) else body
    # Our reader of JSON refuses links in two spellings, which clients want.
    document = orjson.loads(page) if page.startswith(b"{") else parse(page)
    if readings := _readings(document):
        if len(readings) != PAGE_SIZE:
            raise RoundError(f"a page of a series has {len(readings)} readings, and not {PAGE_SIZE}")
        return orjson.dumps(readings, option=orjson.OPT_SORT_KEYS)
    machines: list[dict[str, dict[str, Any]]] = (
        document["Equipment"]
        if isinstance(document, dict)
        else [machine for _, machine in machines_of(document)]
    )
    told = [
        {
            name: {child: value for child, value in element.items() if value not in {None, ""}}
            for name, element in machine.items()
        }
        for machine in machines
    ]
    return orjson.dumps(told, option=orjson.OPT_SORT_KEYS)


def _readings(document: Any) -> list[Any]:
    """Those of a page of the series; none of a page of a fleet."""
    name = OPERATING_HOURS.element.name
    if isinstance(document, dict):
        return list(document.get(name, ()))
    return [reading for page in pages_of(document) for reading in page.get(name.lower(), ())]

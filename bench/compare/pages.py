"""Pages of whole fleets, and what one costs both revisions with PostgreSQL's part of it."""

import gzip
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from uuid import UUID

import orjson
import uvloop

from app.aemp.read.read import machines_of, parse
from app.aemp.write.render_json import render_fleet_v2_json
from app.aemp.write.snapshot import Snapshot
from app.simulation.fleet import simulate_machines
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


@dataclass(frozen=True, slots=True)
class Page:
    """A form of a page. remembered: whether services may keep it. reporting: of ten machines, before each burst.

    bar: for the ratio beside revision c69f94f, the first public measurement.
    """

    about: str
    headers: Mapping[str, str]
    remembered: bool
    reporting: int
    bar: float


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


PAGES = dict(_pages())


@dataclass(frozen=True, slots=True)
class Fleets:
    """The same fleets, put in on both sides. accounts: of a side's customers, one to a fleet."""

    sides: Sequence[Side]
    accounts: Sequence[Sequence[Mapping[str, str]]] = field(repr=False)
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
    documents = [_document(number) for number in range(size.requests)]
    accounts = [[_add_fleet(side, *each) for each in enumerate(documents)] for side in sides]
    return Fleets(sides, accounts, cores, stores, scenarios, size)


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
                    asked = [_asked(*each, PAGES[name]) for each in zip(sides, served, tokens, strict=True)]
                    yield uvloop.run(_round(fleets, name, asked, number))


def compare_machines(bodies: Sequence[list[bytes]]) -> None:
    """Raises RoundError when two services tell different machines or figures; links and spellings may differ."""
    one, other = (sorted(map(_machines, each)) for each in bodies)
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


def _document(number: int) -> bytes:
    """A page of machines that all report. No two fleets have a machine in common."""
    now = datetime.now(UTC).replace(microsecond=0)
    made = simulate_machines(2 * MACHINES, _DAYS, _INTERVAL_S, _SEED, now, owner=f"{number}")
    machines = tuple(islice((machine for machine, simulated in made if not simulated.silent), MACHINES))
    return render_fleet_v2_json(Snapshot(now, machines))


def _add_fleet(side: Side, number: int, document: bytes) -> dict[str, str]:
    email = f"fleet-{number}@customer.example"
    account = side.add_account(email)
    file = side.folder / f"fleet-{number}.json"
    file.write_bytes(document)
    (imported,) = orjson.loads(side.run("fleet", "import", "--customer", email, f"{file}", "--json"))
    if imported["added"] != MACHINES or imported["refused"]:
        raise CheckoutError(f"{side.checkout.name} takes a fleet in otherwise than whole: {imported}")
    return account


def _customers(accounts: Sequence[Mapping[str, str]]) -> list[UUID]:
    return [UUID(each["customer_id"]) for each in accounts]


def _tokens(side: Side, served: Running, accounts: Sequence[Mapping[str, str]]) -> list[str]:
    service = replace(side.service, port=served.port)
    return [service.client_token(each["client_id"], each["client_secret"]) for each in accounts]


def _asked(side: Side, served: Running, tokens: Sequence[str], page: Page) -> Billed:
    requests = [get_request("/api/v2/Fleet/1", bearer=each, **page.headers) for each in tokens]
    return Billed(side.checkout.name, served.port, served.pids[0], requests)


def _machines(body: bytes) -> bytes:
    """The machines of a page in one spelling. An empty text or element tells as little as none."""
    page = gzip.decompress(body) if body.startswith(_GZIP_MARK) else body
    # Our reader of JSON refuses links in two spellings, which clients want.
    machines: list[dict[str, dict[str, Any]]] = (
        orjson.loads(page)["Equipment"]
        if page.startswith(b"{")
        else [machine for _, machine in machines_of(parse(page))]
    )
    told = [
        {
            name: {child: value for child, value in element.items() if value not in {None, ""}}
            for name, element in machine.items()
        }
        for machine in machines
    ]
    return orjson.dumps(told, option=orjson.OPT_SORT_KEYS)

"""A service on a filled database is asked about codes of customers and tokens from all over it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import uvloop

from bench.ground.codes import write_exchanges_of
from bench.ground.database import connected
from bench.load.check import check_exchanges, check_introspections
from bench.load.records import form_request, write_requests
from bench.load.rounds import Contender
from bench.size.ground import Served
from bench.size.growth.database import Database, name_tokens, sample_customers
from bench.size.growth.fill import refill
from bench.size.growth.ground import TokenGround

_MOST_NAMED = 10_000  # as many as the smallest database has, or its service would read fewer requests anew
_REFILLED = 100_000  # tokens; among more of them, what a round adds is lost

Make = Callable[[str, Served], Contender]


def exchanging(ground: TokenGround, database: Database) -> Make:
    """Each customer has a place of its own in two indexes, wherever that is; so nothing here is new or in order."""
    stores = ground.stores(database)

    def write(path: Path, count: int) -> None:
        _as_filled(database)
        customers = uvloop.run(sample_customers(database, count))
        write_exchanges_of(stores, ground.applications, customers, path, count)

    def make(name: str, served: Served) -> Contender:
        check = partial(check_exchanges, database.url)
        return Contender(name, served.url, served.pid, write, once=True, check=check)

    return make


def introspecting(ground: TokenGround, database: Database) -> Make:
    """All who are made by one maker ask about the same tokens."""
    _as_filled(database)  # exchanges may have given a customer so many tokens that the oldest ended
    owners = {application.client_id: application for application in ground.applications}
    requests = [
        form_request("/app/oauth2/introspect", {**owners[client_id].credentials, "token": token})
        for client_id, token in uvloop.run(name_tokens(database, _MOST_NAMED))
    ]

    def write(path: Path, _count: int) -> None:
        write_requests(path, requests)

    def make(name: str, served: Served) -> Contender:
        return Contender(name, served.url, served.pid, write, check=check_introspections)

    return make


def _as_filled(database: Database) -> None:
    if database.filled.tokens <= _REFILLED:
        uvloop.run(_refill(database))


async def _refill(database: Database) -> None:
    async with connected(database.url) as connection:
        await refill(connection)

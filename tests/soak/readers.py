"""Applications that read: each request is asked of both processes, and of the first one again."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from urllib.parse import quote

from tests.lifecycle.service import request
from tests.soak.comparison import Tally
from tests.soak.customers import Connection, Customer, Way
from tests.soak.processes import Line, Pair
from tests.support.raw import RawAnswer, get

_FORMS = (b"application/json", b"application/xml")
_CODINGS = (b"gzip", b"zstd", b"identity")
_PAGE = 100
_POLLED, _CONDITIONAL = 0.3, 0.7
_PAUSE_S = 0.02


@dataclass(frozen=True, slots=True)
class Question:
    """key: address, form and coding, by which an answer's ETag is kept; empty for an introspection."""

    kind: str
    asked: str
    request: bytes
    key: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """Who was asked last, and what: a client polls the same again."""

    customer: Customer
    connection: Connection
    kind: str
    key: tuple[bytes, ...]


@dataclass(slots=True)
class Reader:
    """Samples the fleets of some customers by one way, until it is told to stop.

    No other reader has both: page 1 pins a map to its token, by which the token's other pages go from then on.
    """

    customers: Sequence[Customer]
    processes: Pair
    tally: Tally
    chance: Random
    way: Way
    began_at: datetime
    last: Asked | None = field(default=None, init=False)

    async def run(self, is_over: Callable[[], bool]) -> None:
        lines = [Line(each.port) for each in self.processes]
        try:
            while not is_over():
                await self._sample(lines)
                await asyncio.sleep(_PAUSE_S)
        finally:
            for line in lines:
                line.close()

    async def _sample(self, lines: Sequence[Line]) -> None:
        customer, connection, question = self._choose()
        before = customer.quiet.mark()
        answers = [await lines[process].ask(question.request) for process in (0, 1, 0)]
        settled = before is not None and customer.quiet.mark() == before
        self.tally.add(question.kind, question.asked, answers, settled=settled)
        if question.key:
            self.last = Asked(customer, connection, question.kind, question.key)
            self._keep_tag(connection, question.key, answers[-1])

    def _choose(self) -> tuple[Customer, Connection, Question]:
        """Something new, or what was asked last."""
        if self.last and self.chance.random() < _POLLED:
            last = self.last
            return last.customer, last.connection, self._reading(last.kind, last.connection, last.key)
        customer = self.chance.choice(self.customers)
        connection = customer.connections[self.way]
        [make] = self.chance.choices(
            (self._page, self._former_page, self._machine, self._series, self._introspection),
            (45, 15, 20, 12, 8),
        )
        return customer, connection, make(customer, connection)

    def _page(self, customer: Customer, connection: Connection) -> Question:
        return self._new("page", f"/api/v2/Fleet/{self._number(customer)}", connection)

    def _former_page(self, customer: Customer, connection: Connection) -> Question:
        return self._new("AEMP 1.2 page", f"/api/v1/Fleet/{self._number(customer)}", connection)

    def _number(self, customer: Customer) -> int:
        return self.chance.randint(1, 1 + (len(customer.pins) - 1) // _PAGE)

    def _machine(self, customer: Customer, connection: Connection) -> Question:
        pin = quote(self.chance.choice(customer.pins))
        return self._new("machine", f"/api/v2/Fleet/Equipment/{pin}", connection)

    def _series(self, customer: Customer, connection: Connection) -> Question:
        pin = quote(self.chance.choice(customer.pins))
        from_at, until_at = (
            f"{self.began_at + timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}" for hours in (-11 * 24, 2)
        )
        address = f"/api/v2/Fleet/Equipment/{pin}/CumulativeOperatingHours/{from_at}/{until_at}/1"
        return self._new("series", address, connection)

    def _new(self, kind: str, address: str, connection: Connection) -> Question:
        form, coding = self.chance.choice(_FORMS), self.chance.choice(_CODINGS)
        return self._reading(kind, connection, (address.encode(), form, coding))

    def _reading(self, kind: str, connection: Connection, key: tuple[bytes, ...]) -> Question:
        """Most are conditional, where a tag is known."""
        address, form, coding = key
        headers = [connection.bearer, b"Accept: " + form, b"Accept-Encoding: " + coding]
        tag = connection.tags.get(key) if self.chance.random() < _CONDITIONAL else None
        if tag:
            headers.append(b"If-None-Match: " + tag.encode())
        asked = f"{b', '.join(key).decode()}, If-None-Match {tag}, by {connection.way}"
        return Question(kind, asked, get(address, *headers), key)

    def _introspection(self, _customer: Customer, connection: Connection) -> Question:
        asked = request("introspect", by=connection.world.registered, token=connection.token)
        return Question("introspection", f"introspection of a token, by {connection.way}", asked)

    def _keep_tag(self, connection: Connection, key: tuple[bytes, ...], answer: RawAnswer) -> None:
        if tag := answer.headers.get("etag"):
            connection.tags[key] = tag


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)

"""What is written meanwhile: by devices, by the verbs of the service, and by hand as PostgreSQL's owner writes."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from app.aemp.model.times import format_time
from app.flows.fleet.change_owner import release_machine, transfer_machine
from app.flows.fleet.import_fleet import import_machines
from app.oauth.actor import COMMAND_LINE
from tests.soak.customers import (
    HEARD_WITHIN_S,
    READERS,
    Customer,
    House,
    choose,
    connect_anew,
    told_by,
)
from tests.support.raw import post, send

_PAUSE_S = 0.5
_FEWEST = 20  # machines that stay in a fleet
_TELEMETRY = b"/api/v2/telemetry"
_HOURS = """
UPDATE equipment_latest l SET cumulative_operating_hours = l.cumulative_operating_hours + 0.25
FROM equipment e WHERE e.key = l.equipment_key AND e.customer_id = $1 AND e.pin = ANY($2::text[])
"""
_RENAME = "UPDATE equipment SET equipment_id = $3 WHERE customer_id = $1 AND pin = $2"


@dataclass(slots=True)
class Writer:
    """Changes one customer's things until it is told to stop.

    neighbour: machines go there, and come from there. turn: of both writers, since each takes the other's machines.
    """

    house: House
    owner: Any
    customer: Customer
    neighbour: Customer
    turn: asyncio.Lock
    chance: Random
    done: Counter[str]
    hours: float = 21.0

    async def run(self, is_over: Callable[[], bool]) -> None:
        works = {
            self.report: 40,
            self.report_by_import: 12,
            self.write_by_hand: 12,
            self.rename: 10,
            self.rename_by_hand: 6,
            self.leave: 6,
            self.come_back: 8,
            self.transfer: 6,
            self.choose_machines: 5,
            self.connect_again: 2,
        }
        while not is_over():
            [work] = self.chance.choices(list(works), list(works.values()))
            async with self.turn:
                await work()
            await asyncio.sleep(_PAUSE_S * (0.5 + self.chance.random()))

    async def report(self) -> None:
        """A gateway sends one reading of some machines, and where each stands."""
        self.hours += 0.25
        at = format_time(datetime.now(UTC) - timedelta(seconds=1))
        lines = [
            json.dumps(
                {
                    "PIN": pin,
                    "CumulativeOperatingHours": {"Hour": self.hours, "datetime": at},
                    "Location": {
                        "Latitude": round(self.chance.uniform(-60, 60), 5),
                        "Longitude": 7.5,
                        "datetime": at,
                    },
                }
            )
            for pin in self._some(30)
        ]
        with self.customer.quiet.changing():
            body = "\n".join(lines).encode()
            bearer = self.customer.connections["gateway"].bearer
            sent = post(body, bearer, path=_TELEMETRY, content_type=b"application/x-ndjson")
            [answer] = await send(self.chance.choice(self.house.processes).port, sent, patience_s=30)
        assert answer.status == 200, f"telemetry was answered {answer.status} {answer.body!r}"
        self.done["reported"] += 1

    async def report_by_import(self) -> None:
        self.hours += 0.25
        at = datetime.now(UTC) - timedelta(seconds=1)
        told = [told_by(pin, self.hours, at) for pin in self._some(10)]
        with self.customer.quiet.changing():
            await import_machines(self.house.context, self.customer.member.customer_id, told)
        self.done["imported"] += 1

    async def write_by_hand(self) -> None:
        with self.customer.quiet.changing():
            await self.owner.execute(_HOURS, self.customer.member.customer_id, self._some(10))
        self.done["figures by SQL"] += 1

    async def rename(self) -> None:
        """An import says another number of the machine's."""
        [pin] = self._some(1)
        at = datetime.now(UTC) - timedelta(seconds=1)
        told = told_by(pin, self.hours, at, equipment_id=self._name())
        with self.customer.quiet.changing():
            await import_machines(self.house.context, self.customer.member.customer_id, [told])
        self.done["renamed"] += 1

    async def rename_by_hand(self) -> None:
        [pin] = self._some(1)
        with self.customer.quiet.changing():
            await self.owner.execute(_RENAME, self.customer.member.customer_id, pin, self._name())
        self.done["renamed by SQL"] += 1

    async def leave(self) -> None:
        if len(self.customer.pins) > _FEWEST:
            pin = self._take()
            with self.customer.quiet.changing():
                await release_machine(self.house.context, COMMAND_LINE, self.customer.member, pin)
            self.customer.left.append(pin)
            self.done["left"] += 1

    async def come_back(self) -> None:
        if self.customer.left:
            pin = self.customer.left.pop(self.chance.randrange(len(self.customer.left)))
            told = told_by(pin, self.hours, datetime.now(UTC))
            with self.customer.quiet.changing():
                await import_machines(self.house.context, self.customer.member.customer_id, [told])
            self.customer.pins.append(pin)
            self.done["came back"] += 1

    async def transfer(self) -> None:
        """Fleets keep about their size: the larger one gives."""
        fleets = sorted((self.customer, self.neighbour), key=lambda each: -len(each.pins))
        giver, taker = fleets if self.chance.random() < 0.7 else fleets[::-1]
        if len(giver.pins) > _FEWEST:
            pin = giver.pins.pop(self.chance.randrange(len(giver.pins)))
            with ExitStack() as stack:
                for customer in (giver, taker):
                    stack.enter_context(customer.quiet.changing())
                await transfer_machine(self.house.context, COMMAND_LINE, giver.member, taker.member, pin)
            taker.pins.append(pin)
            self.done["transferred"] += 1

    async def choose_machines(self) -> None:
        """Some of them, or all; with what was before, or without."""
        way = self.chance.choice(READERS)
        pins = self._some(150) if self.chance.random() < 0.6 else None
        history_from = datetime.now(UTC) - timedelta(days=5) if self.chance.random() < 0.3 else None
        with self.customer.quiet.changing(HEARD_WITHIN_S):
            await choose(self.house.context, self.customer, way, pins, history_from)
        self.done["selections changed"] += 1

    async def connect_again(self) -> None:
        ways = [way for way in READERS if way != "client"]  # it has no page that asks for an approval
        with self.customer.quiet.changing(HEARD_WITHIN_S):
            await connect_anew(self.house, self.customer, self.chance.choice(ways))
        self.done["disconnected and approved anew"] += 1

    def _some(self, most: int) -> list[str]:
        """Some machines of the fleet, in no order."""
        count = self.chance.randint(1, min(most, len(self.customer.pins)))
        return self.chance.sample(self.customer.pins, count)

    def _take(self) -> str:
        return self.customer.pins.pop(self.chance.randrange(len(self.customer.pins)))

    def _name(self) -> str:
        return f"Ä <{self.chance.randrange(10_000)}> & Co"

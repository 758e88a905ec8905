"""Random fleets, choices, ends and cuts, read through every address by every way in: nothing more is shown, and nothing less."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from app.aemp.model.values import Equipment
from app.context import Context
from app.flows.fleet.change_owner import release_machine, transfer_machine
from app.flows.fleet.import_fleet import import_machines
from app.oauth.actor import COMMAND_LINE
from tests.lifecycle.house import House, open_house
from tests.sharing.model import WAYS, Connection, Machine, Model, Way
from tests.sharing.service import Service
from tests.support.depth import DEPTH, lives
from tests.support.fleets import machine
from tests.support.people import World
from tests.support.server import settings_on

NOW = datetime.now(UTC).replace(microsecond=0)
TOLD = ((NOW - timedelta(days=10), 10.5), (NOW - timedelta(days=1), 20.5))
HISTORIES = (None, NOW - timedelta(days=5), NOW)

owners, ways, which = st.integers(0, 1), st.sampled_from(WAYS), st.integers(0, 99)
choice = st.tuples(ways, st.sets(which, min_size=1, max_size=2), st.sampled_from(HISTORIES))


@pytest.fixture(scope="module")
async def house(
    context: Context, database_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    """Two processes, one of which remembers no token and no page."""
    environment = {
        **settings_on(database_url, redis_url, tmp_path_factory.mktemp("sharing")),
        "ROVITRACKER_LIMIT_READS": "1000000",
    }
    forgetful = {"ROVITRACKER_TOKEN_CACHE": "false", "ROVITRACKER_LIMIT_PAGE_MEMORY": "0"}
    async with open_house(context, database_url, environment, of_each=({}, forgetful)) as house:
        yield house


class Sharing(RuleBasedStateMachine):
    house: House

    def __init__(self) -> None:
        super().__init__()
        self.run: Any = self.house.run
        self.context = self.house.context
        self.model = Model()
        self.service = Service(self.house)
        self.made = 0
        self.turn = 0

    @initialize(
        counts=st.tuples(st.integers(2, 4), st.integers(0, 2)),
        choices=st.lists(choice, min_size=4, max_size=6),
    )
    def begin(self, counts: tuple[int, int], choices: list[tuple[Way, set[int], datetime | None]]) -> None:
        """Two customers who connected an application by every way, and one of them chose already."""
        for owner, count in enumerate(counts):
            self.service.worlds.append(self.run(World.make(self.context)))
            self.join(owner, count)
            for way in WAYS:
                self.run(self.service.register(owner, way))
                self.run(self.service.connect(owner, way))
                self.model.connections[owner, way] = Connection(owner, way)
        for way, chosen, history in choices:
            self.choose(0, way, chosen, history)

    @rule(owner=owners, count=st.integers(1, 2))
    def join(self, owner: int, count: int) -> None:
        """Machines that reported ten days ago, and yesterday."""
        pins = [
            f"{self.service.worlds[owner].member.id.hex[-6:]}M{self.made + number}" for number in range(count)
        ]
        self.made += count
        for at, hours in TOLD if pins else ():
            told: list[Equipment] = [
                machine(pin, hours=hours, at=at, equipment_id=f"No{pin}") for pin in pins
            ]
            self.run(import_machines(self.context, self.service.customer(owner), told))
        for pin in pins:
            self.model.machines[pin] = Machine(pin, owner, [(*each, owner) for each in TOLD], TOLD[-1])

    @rule(owner=owners, number=which)
    def leave(self, owner: int, number: int) -> None:
        for each in self.one_of(owner, number):
            self.run(release_machine(self.context, COMMAND_LINE, self.member(owner), each.pin))
            self.model.leave(each, None)

    @rule(owner=owners, number=which)
    def change_hands(self, owner: int, number: int) -> None:
        for each in self.one_of(owner, number):
            giver, taker = self.member(owner), self.member(1 - owner)
            self.run(transfer_machine(self.context, COMMAND_LINE, giver, taker, each.pin))
            self.model.leave(each, 1 - owner)

    @rule(number=which)
    def come_back(self, number: int) -> None:
        """What left a choice is in none, though it is the same customer's again."""
        for each in self.one_of(0, number):
            self.change_hands(0, number)
            self.run(transfer_machine(self.context, COMMAND_LINE, self.member(1), self.member(0), each.pin))
            self.model.leave(each, 0)

    @rule(owner=owners, way=ways, chosen=st.sets(which, max_size=3), history=st.sampled_from(HISTORIES))
    def choose(self, owner: int, way: Way, chosen: set[int], history: datetime | None) -> None:
        """Some machines, or all where there is none to choose; with a history, or without end."""
        connection = self.model.connections[owner, way]
        if not connection.stands:
            return
        own = sorted(each.pin for each in self.model.of(owner))
        pins = {own[number % len(own)] for number in chosen} if own else set()
        connection.machines, connection.history_from = pins or None, history
        self.run(self.service.narrow(connection))

    @rule(owner=owners, way=ways)
    def cut(self, owner: int, way: Way) -> None:
        self.run(self.service.cut(self.model.connections[owner, way]))
        self.model.connections[owner, way].stands = False

    @rule(owner=owners, way=ways)
    def end(self, owner: int, way: Way) -> None:
        """It is over by the time it is asked."""
        connection = self.model.connections[owner, way]
        if connection.stands:
            ends_at = datetime.now(UTC) + timedelta(seconds=0.5)
            self.run(self.service.narrow(connection, ends_at))
            self.run(asyncio.sleep((ends_at - datetime.now(UTC)).total_seconds()))
            connection.stands = False

    @rule(owner=owners, way=ways)
    def approve_anew(self, owner: int, way: Way) -> None:
        self.run(self.service.connect(owner, way))
        self.model.connections[owner, way].stands = True

    @invariant()
    def what_is_read_is_what_may_be(self) -> None:
        machines = list(self.model.machines.values())
        self.turn += 1
        asked = [machines[(self.turn + step) % len(machines)] for step in range(min(3, len(machines)))]
        self.run(self.service.hold(self.model, asked))

    def one_of(self, owner: int, number: int) -> list[Machine]:
        own = self.model.of(owner)
        return [own[number % len(own)]] if own else []

    def member(self, owner: int) -> Any:
        return self.service.worlds[owner].member


@pytest.mark.timeout(120 * DEPTH)
def test_what_is_read_is_what_the_customer_shares(house: House) -> None:
    """R-19, R-20, R-71: by every way in, at every kind of address, with the memory of tokens and pages and without."""

    class OfHouse(Sharing):
        pass

    OfHouse.house = house
    for _ in range(DEPTH):
        run_state_machine_as_test(OfHouse, settings=lives(3, steps=10))

"""The promise of a crawl: whatever joins, leaves or changes hands, a machine that stays is read once, and none is read that left."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app.aemp.model.errors import AempError
from app.context import Context, open_context
from app.flows.fleet.change_owner import release_machine, transfer_machine
from app.flows.fleet.read_fleet import read_fleet_page
from app.oauth.actor import COMMAND_LINE
from app.oauth.token_string import new_id
from app.process.recent import Recent
from app.settings import Settings
from app.storage.fleet.page_maps import get_page_map, page_map_key
from app.storage.fleet.view import FleetView
from app.storage.people.members import Member
from app.stores import open_stores
from tests.support.depth import DEPTH
from tests.support.fleets import fill
from tests.support.people import World

SMALL_PAGE = 3
GONE = -2  # what PTTL says of a key that there is not


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make pages so small that a dozen machines are several."""
    monkeypatch.setattr("app.aemp.address.paging.PAGE_SIZE", SMALL_PAGE)


async def read(context: Context, customer_id: UUID, token_id: UUID, page: int) -> list[str | None]:
    found = await read_fleet_page(context, FleetView(customer_id), page, token_id=token_id)
    return [each.header.pin for each in found.machines]


@pytest.mark.usefixtures("small_pages")
async def test_later_pages_follow_the_map_of_the_first_and_the_next_crawl_a_new_one(
    world: World, context: Context
) -> None:
    """One that left is left out at once; one that joined comes last; then pages are full again."""
    member, token_id = world.member, new_id()
    await fill(context, member.customer_id, *"ABCDEFGHI")
    assert await read(context, member.customer_id, token_id, 1) == ["A", "B", "C"]
    await release_machine(
        context, COMMAND_LINE, member, "A"
    )  # I takes its place, on a page that was read already
    await release_machine(context, COMMAND_LINE, member, "E")  # H takes its place
    await fill(context, member.customer_id, *"JKLM")
    later = [await read(context, member.customer_id, token_id, page) for page in (2, 3, 4, 5)]
    assert later == [["D", "F"], ["G", "H", "I"], ["J", "K", "L"], ["M"]]
    with pytest.raises(AempError, match="no such page"):
        await read(context, member.customer_id, token_id, 6)
    again = [await read(context, member.customer_id, token_id, page) for page in (1, 2, 3, 4)]
    assert again == [["I", "B", "C"], ["D", "H", "F"], ["G", "J", "K"], ["L", "M"]]


@pytest.mark.usefixtures("small_pages")
async def test_a_machine_that_comes_back_stands_at_the_end_alone(world: World, context: Context) -> None:
    """Its place in the map went with it, also where it had moved before it left."""
    member, token_id = world.member, new_id()
    other = (await World.make(context)).member
    await fill(context, member.customer_id, *"ABCDEF")
    await read(context, member.customer_id, token_id, 1)
    await release_machine(context, COMMAND_LINE, member, "A")  # F takes its place
    for pin in "FD":
        await transfer_machine(context, COMMAND_LINE, member, other, pin)
        await transfer_machine(context, COMMAND_LINE, other, member, pin)
    later = [await read(context, member.customer_id, token_id, page) for page in (2, 3)]
    assert later == [["E"], ["F", "D"]]


@pytest.mark.usefixtures("small_pages")
async def test_each_token_has_a_map_of_its_own(world: World, context: Context) -> None:
    """A reader who began later, or at no page 1, sees the fleet as it stands."""
    member, early, late = world.member, new_id(), new_id()
    await fill(context, member.customer_id, *"ABCDE")
    await read(context, member.customer_id, early, 1)
    await release_machine(context, COMMAND_LINE, member, "A")
    await read(context, member.customer_id, late, 1)
    assert await read(context, member.customer_id, early, 2) == ["D", "E"]
    for token_id in (late, new_id()):
        assert await read(context, member.customer_id, token_id, 2) == ["D"]


@pytest.mark.usefixtures("small_pages")
async def test_a_page_of_a_map_may_be_empty_and_is_still_there(world: World, context: Context) -> None:
    """Its reader goes on to the next one."""
    member, token_id = world.member, new_id()
    await fill(context, member.customer_id, *"ABCDEFG")
    await read(context, member.customer_id, token_id, 1)
    for pin in "DEF":
        await release_machine(context, COMMAND_LINE, member, pin)
    assert await read(context, member.customer_id, token_id, 2) == []
    assert await read(context, member.customer_id, token_id, 3) == ["G"]


async def test_a_map_is_kept_for_half_an_hour_though_it_is_not_pinned_each_time(
    world: World, context: Context
) -> None:
    """Readers come again each minute. One that was pinned here stands for five, and is pinned for those beside."""
    token_id = new_id()
    await fill(context, world.member.customer_id, "A")
    await read(context, world.member.customer_id, token_id, 1)
    assert 34 * 60_000 < await left_ms(context, token_id) <= 35 * 60_000
    await context.valkey.run("return redis.call('DEL', KEYS[1])", [page_map_key(token_id)], [])
    await read(context, world.member.customer_id, token_id, 1)
    assert await left_ms(context, token_id) == GONE
    await read(replace(context, pinned=Recent(keep_s=300, most=1)), world.member.customer_id, token_id, 1)
    assert await left_ms(context, token_id) > 34 * 60_000


async def test_another_map_is_pinned_at_once(world: World, context: Context) -> None:
    token_id = new_id()
    await fill(context, world.member.customer_id, "A")
    await read(context, world.member.customer_id, token_id, 1)
    before = await get_page_map(context.valkey, token_id)
    await fill(context, world.member.customer_id, "B")
    await read(context, world.member.customer_id, token_id, 1)
    after = await get_page_map(context.valkey, token_id)
    assert before is not None
    assert after is not None
    assert (before.machine_count, after.machine_count) == (1, 2)


async def left_ms(context: Context, token_id: UUID) -> int:
    script = "return redis.call('PTTL', KEYS[1])"
    return int(await context.valkey.run(script, [page_map_key(token_id)], []))


@dataclass
class Crawl:
    """One reader on the way. stayed: who was there on page 1 and never left since."""

    owner: int
    stayed: set[str]
    token_id: UUID = field(default_factory=new_id)
    seen: list[str] = field(default_factory=list)
    page: int = 0


class Crawls(RuleBasedStateMachine):
    """Two customers whose machines come, go and change hands while readers go through their pages."""

    run: Any  # runs a coroutine to its end
    context: Context

    def __init__(self) -> None:
        super().__init__()
        self.owners: list[Member] = []
        self.fleets: list[set[str]] = [set(), set()]
        self.crawls: list[Crawl] = []
        self.made = 0

    @initialize(counts=st.tuples(st.integers(0, 12), st.integers(0, 8)))
    def begin(self, counts: tuple[int, int]) -> None:
        worlds = [self.run(World.make(self.context)) for _ in counts]
        self.owners = [world.member for world in worlds]
        for owner, count in enumerate(counts):
            self.join(owner, count)

    @rule(owner=st.integers(0, 1), count=st.integers(1, 4))
    def join(self, owner: int, count: int) -> None:
        pins = [f"M{self.made + number}" for number in range(count)]
        self.made += count
        if pins:
            self.run(fill(self.context, self.owners[owner].customer_id, *pins))
            self.fleets[owner] |= set(pins)

    @rule(owner=st.integers(0, 1), which=st.integers(0, 99))
    def leave(self, owner: int, which: int) -> None:
        for pin in self.one_of(owner, which):
            self.run(release_machine(self.context, COMMAND_LINE, self.owners[owner], pin))
            self.gone(owner, pin)

    @rule(owner=st.integers(0, 1), which=st.integers(0, 99))
    def change_hands(self, owner: int, which: int) -> None:
        to = 1 - owner
        for pin in self.one_of(owner, which):
            self.run(transfer_machine(self.context, COMMAND_LINE, self.owners[owner], self.owners[to], pin))
            self.gone(owner, pin)
            self.fleets[to].add(pin)

    @rule(owner=st.integers(0, 1))
    def begin_crawl(self, owner: int) -> None:
        self.crawls.append(Crawl(owner, set(self.fleets[owner])))

    @precondition(lambda self: self.crawls)
    @rule(which=st.integers(0, 9))
    def next_page(self, which: int) -> None:
        crawl = self.crawls[which % len(self.crawls)]
        crawl.page += 1
        if crawl.page == 1:
            crawl.stayed = set(self.fleets[crawl.owner])
        customer_id = self.owners[crawl.owner].customer_id
        found = self.run(
            read_fleet_page(self.context, FleetView(customer_id), crawl.page, token_id=crawl.token_id)
        )
        shown = [each.header.pin for each in found.machines]
        assert set(shown) <= self.fleets[crawl.owner], "a machine that left is shown"
        crawl.seen += shown
        if crawl.page == found.last_page:
            assert [crawl.seen.count(pin) for pin in crawl.stayed] == [1] * len(crawl.stayed)
            self.crawls.remove(crawl)

    def one_of(self, owner: int, which: int) -> Iterator[str]:
        if pins := sorted(self.fleets[owner]):
            yield pins[which % len(pins)]

    def gone(self, owner: int, pin: str) -> None:
        self.fleets[owner].remove(pin)
        for crawl in self.crawls:
            if crawl.owner == owner:
                crawl.stayed.discard(pin)

    def teardown(self) -> None:
        """Whoever is still on the way goes to the end."""
        while self.crawls:
            self.next_page(0)


@pytest.mark.usefixtures("small_pages")
async def test_whatever_happens_meanwhile_a_machine_that_stays_is_read_exactly_once(
    settings: Settings,
) -> None:
    """It runs in a thread with a loop of its own: the state machine is no coroutine."""
    await asyncio.to_thread(run_crawls, settings)


def run_crawls(settings: Settings) -> None:
    with open_stores(settings) as stores, asyncio.Runner() as runner:
        opened = open_context(settings, stores)
        Crawls.context, Crawls.run = runner.run(opened.__aenter__()), staticmethod(runner.run)
        try:
            run_state_machine_as_test(
                Crawls,
                settings=hypothesis_settings(
                    max_examples=25 * DEPTH, stateful_step_count=40, derandomize=True, deadline=None
                ),
            )
        finally:
            runner.run(opened.__aexit__(None, None, None))

"""One soak: everybody works until the time is over, and what is held is read every few seconds."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from random import Random
from time import monotonic
from typing import Any, Protocol

import asyncpg
from redis.asyncio import Redis

from tests.soak.comparison import Tally
from tests.soak.customers import READERS, Customer, House, Way, make_customer
from tests.soak.readers import Reader, now
from tests.soak.resources import Resource, Watch
from tests.soak.tokens import TokenUser
from tests.soak.writers import Writer
from tests.support.people import Strict, World

ENOUGH_SAMPLES = 10_000
LONG_ENOUGH_S = 600  # to demand that many, and to judge growth

_LOOK_S = 0.25


@dataclass(frozen=True, slots=True)
class Plan:
    """machines: of each customer; their number is even, since neighbours exchange machines."""

    seconds: float = LONG_ENOUGH_S
    machines: Sequence[int] = (30, 95, 160, 230)
    every_s: float = 5.0
    seed: int = 1

    @property
    def is_long(self) -> bool:
        return self.seconds >= LONG_ENOUGH_S


@dataclass(frozen=True, slots=True)
class Findings:
    """done: how often each kind of work was done. resources: what was held, with every reading."""

    plan: Plan
    tally: Tally
    done: Counter[str]
    resources: Sequence[Resource]

    @property
    def growing(self) -> list[Resource]:
        """Nothing is judged in a short run, which is all warm-up."""
        return [each for each in self.resources if not each.is_flat] if self.plan.is_long else []

    @property
    def samples_due(self) -> int:
        return ENOUGH_SAMPLES if self.plan.is_long else 1

    @property
    def met(self) -> bool:
        enough = self.tally.compared.total() >= self.samples_due
        return enough and not self.tally.differences and not self.growing


class _Worker(Protocol):
    async def run(self, is_over: Callable[[], bool]) -> None: ...


async def soak(
    house: House, plan: Plan, progress: Callable[[float, Tally], None] = lambda _over_s, _tally: None
) -> Findings:
    """Everybody works for so many seconds. progress: told how many are over.

    Raises ExceptionGroup when somebody could not work on, such as after the end of a process.
    """
    owner = await asyncpg.connect(house.database_url)
    valkey = Redis.from_url(house.redis_url)
    try:
        async with asyncpg.create_pool(house.database_url, min_size=1, max_size=2, setup=_ingest) as writing:
            customers = [await make_customer(house, machines) for machines in plan.machines]
            watch = Watch(house.processes, owner, valkey)
            tally, done = Tally(), Counter[str]()
            workers: list[_Worker] = [
                *_readers(house, customers, tally, plan),
                *_writers(house, customers, writing, done, plan),
                *await _token_users(house, done, plan),
            ]
            began = monotonic()

            def over_s() -> float:
                return monotonic() - began

            async with asyncio.TaskGroup() as group:
                for worker in workers:
                    group.create_task(worker.run(lambda: over_s() >= plan.seconds))
                for number in count():
                    await watch.read()
                    while (over := over_s()) < min(number * plan.every_s + plan.every_s, plan.seconds):
                        progress(over, tally)
                        await asyncio.sleep(_LOOK_S)
                    if over >= plan.seconds:
                        break
        return Findings(plan, tally, done, watch.resources)
    finally:
        await valkey.aclose()
        await owner.close()


async def _ingest(connection: asyncpg.Connection) -> None:
    await connection.execute("SET ROLE rovitracker_ingest")


def _readers(house: House, customers: Sequence[Customer], tally: Tally, plan: Plan) -> list[Reader]:
    began_at = now()
    return [
        Reader(customers[half::2], house.processes, tally, _chance(plan, f"{way} {half}"), way, began_at)
        for way in READERS
        for half in (0, 1)
    ]


def _writers(
    house: House, customers: Sequence[Customer], owner: Any, done: Counter[str], plan: Plan
) -> list[Writer]:
    turns = [asyncio.Lock() for _ in customers[::2]]
    return [
        Writer(
            house,
            owner,
            customer,
            neighbour=customers[number ^ 1],
            turn=turns[number // 2],
            chance=_chance(plan, f"writer {number}"),
            done=done,
        )
        for number, customer in enumerate(customers)
    ]


async def _token_users(house: House, done: Counter[str], plan: Plan) -> list[TokenUser]:
    worlds: list[tuple[Way, World]] = [
        ("classic", await World.make(house.context)),
        ("strict", await Strict.register(house.context)),
    ]
    return [
        TokenUser(world, way, house.processes, _chance(plan, f"tokens, {way}"), done) for way, world in worlds
    ]


def _chance(plan: Plan, who: str) -> Random:
    return Random(f"{plan.seed} {who}")  # noqa: S311  # it chooses work

"""One fail-over of Valkey after the other while codes are redeemed: never two tokens for one, and back within seconds."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import monotonic

from redis.crc import key_slot

from app.main import create_app
from app.oauth.token_string import TokenString
from app.storage.errors import StoreUnavailableError
from app.storage.token.codes import keys_of
from bench.ground.cluster import Joined, cluster_nodes, join
from bench.ground.valkeys import Valkey, Watched, until_true, watched_valkeys
from tests.conftest import make_settings
from tests.failover.kept import note
from tests.support.approvals import waiting_code
from tests.support.browser import Browser
from tests.support.depth import DEPTH
from tests.support.people import World

# At depth 6 the fail-overs of each kind meet 504 codes at their very moment, and 50,400 operations in all: a code is
# written once, and asked for three times.
AT_THE_MOMENT = 84
AROUND_IT = 2_016 if DEPTH > 1 else 60
ASKED_TIMES = 3
OPERATIONS = DEPTH * (AT_THE_MOMENT + AROUND_IT) * (1 + ASKED_TIMES)
CUSTOMERS, CLIENTS = 8, 12
BACK_WITHIN_S = 5.0


@dataclass(slots=True)
class Service:
    """The service on Valkeys of a test's own. tokens: that it gave, by code."""

    worlds: list[World]
    browser: Browser
    tokens: dict[str, set[str]] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)
    written: int = 0

    async def code(self) -> tuple[World, TokenString]:
        world = self.worlds[self.written % len(self.worlds)]
        code = await waiting_code(world)
        self.written += 1
        return world, code

    async def redeem(self, world: World, code: TokenString) -> int:
        answer = await world.exchange(self.browser, code.text)
        self.statuses[answer.status_code] += 1
        if answer.status_code == 200:
            self.tokens.setdefault(code.text, set()).add(answer.json()["access_token"])
        return answer.status_code

    async def redeem_until_told(self, world: World, code: TokenString) -> None:
        """As a client does that is told to try again."""
        while await self.redeem(world, code) == 503:  # noqa: ASYNC110  # it is asked each time
            await asyncio.sleep(0.2)

    async def redeem_by_several(self, world: World, code: TokenString) -> None:
        await asyncio.gather(*(self.redeem_until_told(world, code) for _ in range(ASKED_TIMES)))

    async def use(self, turns: Iterator[int]) -> None:
        """One client: it has a code written and redeemed, again and again."""
        for _ in turns:
            await self.redeem_by_several(*await self.code_once_it_can())

    async def code_once_it_can(self) -> tuple[World, TokenString]:
        while True:
            try:
                return await self.code()
            except StoreUnavailableError:
                await asyncio.sleep(0.1)

    async def is_back(self) -> bool:
        """Whether a new code can be written, and gives its token."""
        return await self.redeem(*await self.code_once_it_can()) == 200

    @property
    def operations(self) -> int:
        return self.written + self.statuses.total()

    async def judge(self) -> None:
        """By the answers, and by the tables."""
        assert self.statuses.keys() <= {200, 400, 503}
        assert {len(tokens) for tokens in self.tokens.values()} == {1}
        doubled = "SELECT grant_id FROM classic_token GROUP BY grant_id HAVING count(*) > 1"
        assert await self.worlds[0].context.database.rows(doubled) == []


@asynccontextmanager
async def service_on(database_url: str, redis_url: str, folder: Path) -> AsyncIterator[Service]:
    app = create_app(make_settings(database_url, redis_url, folder))
    async with app.router.lifespan_context(app), Browser(app) as browser:
        service = Service([await World.make(app.state.context) for _ in range(CUSTOMERS)], browser)
        yield service
        await service.judge()


async def strike_under_load(service: Service, strike: Callable[[], Awaitable[object]]) -> float:
    """Some codes are redeemed at the very moment, and others before, while and after, each by several who hold it.

    Returns the seconds until codes were redeemed again.
    """
    waiting = [await service.code() for _ in range(AT_THE_MOMENT)]
    before = service.written
    turns = iter(range(AROUND_IT))
    work = [asyncio.create_task(service.use(turns)) for _ in range(CLIENTS)]
    while service.written < before + AROUND_IT // 3:  # noqa: ASYNC110  # the clients are under way
        await asyncio.sleep(0.01)
    work += [asyncio.create_task(service.redeem_by_several(*each)) for each in waiting]
    await asyncio.sleep(0.01)
    await strike()
    began = monotonic()
    for _ in range(10):  # in a cluster, whichever node the key falls to
        await until_true(service.is_back)
    took = monotonic() - began
    assert took < BACK_WITHIN_S
    await asyncio.gather(*work)
    return took


async def kill(server: Valkey) -> None:
    server.kill()


async def silence(server: Valkey) -> None:
    server.fall_silent()


async def bring_back(server: Valkey, servers: Watched | Joined) -> None:
    if server.process is None:
        server.start()
    server.wake()
    await until_true(servers.is_whole)


async def test_no_code_gives_two_tokens_when_sentinels_change_the_primary(
    database_url: str, tmp_path: Path
) -> None:
    """R-89: killed without a word, changed while both live, and silent as a machine without power, in turn."""
    back_s: list[float] = []
    with watched_valkeys(tmp_path) as watched:
        await watched.hasten()
        async with service_on(database_url, watched.url, tmp_path / "data") as service:
            for number in range(DEPTH):
                primary = watched.server_at(await watched.primary_port())
                strike = (partial(kill, primary), watched.fail_over, partial(silence, primary))[number % 3]
                back_s.append(await strike_under_load(service, strike))
                await bring_back(primary, watched)
            assert service.operations >= OPERATIONS
    note_fail_overs("the primary of three sentinels", service, back_s)


async def test_no_code_gives_two_tokens_when_a_cluster_loses_a_node(
    database_url: str, tmp_path: Path
) -> None:
    """R-89: killed, changed while both live, and silent, in turn."""
    back_s: list[float] = []
    with cluster_nodes(tmp_path) as cluster:
        await join(cluster)
        async with service_on(database_url, cluster.url, tmp_path / "data") as service:
            for number in range(DEPTH):
                primary = await cluster.owner_of(f"{number}")
                replica = await cluster.replica_of(primary)
                change = partial(replica.tell, "CLUSTER", "FAILOVER")
                strike = (partial(kill, primary), change, partial(silence, primary))[number % 3]
                back_s.append(await strike_under_load(service, strike))
                await bring_back(primary, cluster)
            assert service.operations >= OPERATIONS
    note_fail_overs("a node of a cluster, 3 + 3", service, back_s)


def note_fail_overs(lost: str, service: Service, back_s: list[float]) -> None:
    note(
        lost,
        operations=service.operations,
        at_the_moment=len(back_s) * AT_THE_MOMENT,
        back_s=back_s,
        within_s=BACK_WITHIN_S,
    )


async def test_codes_whose_slots_move_are_all_redeemed(database_url: str, tmp_path: Path) -> None:
    """Each gives its token at the first request: nobody is told to try again."""
    with cluster_nodes(tmp_path) as cluster:
        await join(cluster)
        async with service_on(database_url, cluster.url, tmp_path / "data") as service:
            for _ in range(DEPTH):
                codes = [await service.code() for _ in range(30)]
                keys = [keys_of(code.id)[1] for _, code in codes]
                moving = [move_slot(cluster, key) for key in keys]
                asked = [
                    asyncio.create_task(after(number / 10, partial(service.redeem, *each)))
                    for number, each in enumerate(codes)
                ]
                for each in moving:
                    await each
                await asyncio.gather(*asked)
                assert service.tokens.keys() >= {code.text for _, code in codes}
            assert service.statuses.keys() == {200}


async def after(delay_s: float, work: Callable[[], Awaitable[int]]) -> int:
    await asyncio.sleep(delay_s)
    return await work()


async def move_slot(cluster: Joined, key: str) -> None:
    """Move it with all its keys, as `valkey-cli --cluster reshard` does."""
    slot, source = key_slot(key.encode()), await cluster.owner_of(key, by=cluster.nodes[0])
    target = next(node for node in cluster.nodes[:3] if node is not source)
    await cluster.begin_move(slot, source, target)
    await asyncio.sleep(0.01)
    await cluster.move_keys(slot, source, target)
    await asyncio.sleep(0.01)
    await cluster.end_move(slot, source, target)


async def test_ready_leads_to_doctor_where_the_address_is_of_another_kind(
    database_url: str, tmp_path: Path
) -> None:
    """The service starts without a Valkey that it can use, and says so."""
    with cluster_nodes(tmp_path, 1) as alone:
        for url in (alone.url, alone.url.replace("+cluster", "")):
            app = create_app(make_settings(database_url, url, tmp_path / "data"))
            async with app.router.lifespan_context(app), Browser(app) as browser:
                answer = await browser.get("/health/ready")
            assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
            assert answer.json()["valkey"] == "not what its address says: run `rovitracker doctor`"

"""A primary under Patroni is lost, killed and frozen under load: the standby is promoted, and nothing that was answered is lost."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import monotonic

import httpx2
import pytest
from fastapi import FastAPI

from app.context import Context
from app.main import create_app
from app.storage.errors import PassingError
from app.storage.schema.migrations import apply_migrations, read_migrations
from tests.conftest import make_settings
from tests.failover.kept import note
from tests.failover.patroni import BY_HAPROXY, BY_HOSTS, Node, Patroni, patroni_cluster
from tests.support.approvals import waiting_code
from tests.support.browser import Browser
from tests.support.changing import as_owner, hear, until, until_true
from tests.support.depth import DEPTH
from tests.support.people import World

BACK_WITHIN_S = 15.0  # Patroni's own time included
DEEP = DEPTH > 1
SILENT_S = 0.6
AT_THE_MOMENT = 84 if DEEP else 10  # codes that are redeemed when the primary goes: 504 at depth 6
CLIENTS = 6
ROUNDS = DEPTH
OPERATIONS = 8_400 if DEEP else 200  # a round: 50,400 at depth 6
TOKENS_OF_A_WORLD = 8  # fewer than a pair keeps


@dataclass(slots=True)
class Journal:
    """What was answered, and what of it turned out not to be so.

    active: by token, as it was last acknowledged. operations: those with an answer, and codes written.
    """

    active: dict[str, tuple[World, bool]] = field(default_factory=dict, repr=False)
    statuses: Counter[int] = field(default_factory=Counter)
    operations: int = 0
    violations: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Client:
    """Its codes become tokens at one process, are asked for at the other, and every third is revoked."""

    worlds: World
    browsers: tuple[Browser, Browser]
    journal: Journal
    world: World | None = None
    used: int = 0

    async def go_on(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await self.turn()
            except PassingError:  # there is no code to send, or nobody to send it for
                await asyncio.sleep(0.1)

    async def turn(self) -> None:
        if self.world is None or self.used == TOKENS_OF_A_WORLD:
            self.world, self.used = await World.make(self.worlds.context), 0
        world = self.world
        self.used += 1
        code = await waiting_code(world)
        self.journal.operations += 1
        one, other = self.browsers if self.used % 2 else self.browsers[::-1]
        if self.used % 4 == 0:
            await self.redeem_by_both(world, code.text)
            return
        answer = await self.count(world.exchange(one, code.text))
        if answer.status_code != 200:
            if answer.status_code == 503:
                await asyncio.sleep(0.1)
            return
        token = answer.json()["access_token"]
        self.journal.active[token] = (world, True)
        await self.check(other, token)
        if self.used % 3 == 0:
            await self.revoke(one, world, token)

    async def redeem_by_both(self, world: World, code: str) -> None:
        """One code at both at once: never two tokens. The second ends the token of the first, so nothing is noted."""
        told = await asyncio.gather(*(self.redeem_until_told(each, world, code) for each in self.browsers))
        tokens = set().union(*told)
        if len(tokens) > 1:
            self.journal.violations.append(f"two tokens for one code: {tokens}")

    async def redeem_until_told(self, browser: Browser, world: World, code: str) -> set[str]:
        """The token, if any, as a client gets it that comes again after each 503."""
        while True:
            answer = await self.count(world.exchange(browser, code))
            if answer.status_code != 503:
                return {answer.json()["access_token"]} if answer.status_code == 200 else set()
            await asyncio.sleep(0.2)

    async def revoke(self, browser: Browser, world: World, token: str) -> None:
        answer = await self.count(browser.http.post("/app/oauth2/revoke", data=asked(world, token)))
        if answer.status_code == 200:
            self.journal.active[token] = (world, False)
            await self.check(browser, token)
        else:
            del self.journal.active[token]  # unknown: either is right

    async def check(self, browser: Browser, token: str) -> None:
        """Ask about a token, unless nobody can say now."""
        world, active = self.journal.active[token]
        answer = await self.count(browser.http.post("/app/oauth2/introspect", data=asked(world, token)))
        if answer.status_code == 200 and answer.json()["active"] is not active:
            self.journal.violations.append(f"{token}: acknowledged as {active}, told otherwise")

    async def count(self, asking: Awaitable[httpx2.Response]) -> httpx2.Response:
        answer = await asking
        self.journal.operations += 1
        self.journal.statuses[answer.status_code] += 1
        return answer


def asked(world: World, token: str) -> dict[str, str]:
    return {"client_id": world.client_id, "client_secret": world.client_secret, "token": token}


async def test_the_journal_notices_a_lost_token_and_a_lost_revocation(
    app: FastAPI, world: World, database_url: str
) -> None:
    """Without this, the next test would show nothing."""
    async with Browser(app) as one, Browser(app) as other:
        client = Client(world, (one, other), Journal())
        while len({active for _, active in client.journal.active.values()}) < 2:
            await client.turn()
        assert client.journal.violations == []
        assert len(repr(client)) < 10_000  # a failure tells it: once that took longer than the test
        for token, (_, active) in list(client.journal.active.items()):
            lost = "now()" if active else "NULL"
            change = f"UPDATE classic_token SET revoked_at = {lost} WHERE digest = sha256($1)"
            await as_owner(database_url, change, token.encode())
            await hear(world.context)
            await client.check(one, token)
        assert len(client.journal.violations) == len(client.journal.active)


@pytest.fixture
async def patroni() -> AsyncIterator[Patroni]:
    async with patroni_cluster() as cluster:
        yield cluster


@pytest.fixture
async def clients(patroni: Patroni, redis_url: str, tmp_path: Path) -> AsyncIterator[list[Client]]:
    """They use two processes: one reaches PostgreSQL through HAProxy, and the other names both servers."""
    through, owner = map(patroni.address, BY_HAPROXY.splitlines())
    await apply_migrations(owner, read_migrations())
    journal, browsers = Journal(), list[Browser]()
    async with AsyncExitStack() as stack:
        apps = [
            create_app(make_settings(url, redis_url, tmp_path / "data", migration_database_url=owner))
            for url in (through, patroni.address(BY_HOSTS))
        ]
        for app in apps:
            await stack.enter_async_context(app.router.lifespan_context(app))
            await until(partial(is_listening, app.state.context))
            browsers.append(await stack.enter_async_context(Browser(app)))
        worlds = await World.make(apps[1].state.context)
        yield [Client(worlds, (browsers[0], browsers[1]), journal) for _ in range(CLIENTS)]


def is_listening(context: Context) -> bool:
    return context.changes.current


STRIKES = {
    Node.kill_postgres: "the server of the primary under Patroni",
    Node.lose: "its machine",
    Node.freeze: "its machine, which stood still and went on again",
}


@pytest.mark.timeout(400 * DEPTH)
async def test_nothing_that_was_answered_is_lost_with_the_primary(
    patroni: Patroni, clients: list[Client]
) -> None:
    """R-6, R-16, R-90, R-97, R-99: the server is killed, its machine is gone, everything there stands still, in turn."""
    journal, back_s = clients[0].journal, dict[str, list[float]]()
    operations = Counter[str]()
    for number in range(ROUNDS):
        before = journal.operations
        due = before + OPERATIONS
        stop = asyncio.Event()
        work = [asyncio.create_task(each.go_on(stop)) for each in clients]
        await until_true(partial(has_done, journal, due - OPERATIONS // 2), patience_s=300)
        struck, client = await patroni.primary(), clients[0]
        codes = [await waiting_code(client.worlds) for _ in range(AT_THE_MOMENT)]
        redeeming = [client.redeem_by_both(client.worlds, code.text) for code in codes]
        strike, lost = list(STRIKES.items())[number % len(STRIKES)]
        await asyncio.to_thread(struck.send_nothing)
        await asyncio.sleep(SILENT_S)  # what is answered now would be lost, were it answered
        moment = [asyncio.create_task(each) for each in redeeming]
        await asyncio.sleep(0.01)
        await asyncio.to_thread(strike, struck)
        began = monotonic()
        for each in client.browsers:
            await until_true(partial(is_back, client.worlds, each), patience_s=60)
        took = monotonic() - began
        sys.stdout.write(f"{strike.__name__}: back after {took:.1f} s, {journal.operations} operations\n")
        back_s.setdefault(lost, []).append(took)
        await asyncio.gather(*moment)
        assert await patroni.primary() is not struck
        if DEEP:  # it takes as long again
            await asyncio.to_thread(struck.thaw if strike is Node.freeze else partial(bring_back, struck))
            await until_true(patroni.is_whole, patience_s=60)
        await until_true(partial(has_done, journal, due), patience_s=300)
        stop.set()
        await asyncio.gather(*work)
        await judge(clients)
        operations[lost] += journal.operations - before
    assert journal.statuses.keys() <= {200, 400, 503}, journal.statuses
    note_fail_overs(operations, back_s)
    # Judged last: a slow Patroni may lose nothing all the same.
    assert all(took < BACK_WITHIN_S for each in back_s.values() for took in each), back_s


def note_fail_overs(operations: Mapping[str, int], back_s: Mapping[str, Sequence[float]]) -> None:
    for lost, times in back_s.items():
        note(
            lost,
            operations=operations[lost],
            at_the_moment=len(times) * AT_THE_MOMENT,
            back_s=times,
            within_s=BACK_WITHIN_S,
        )


async def has_done(journal: Journal, operations: int) -> bool:
    await asyncio.sleep(0.05)
    return journal.operations >= operations


async def is_back(world: World, browser: Browser) -> bool:
    """Whether a new code gives a token."""
    await asyncio.sleep(0.05)
    try:
        code = await waiting_code(world)
    except PassingError:
        return False
    return (await world.exchange(browser, code.text)).status_code == 200


def bring_back(node: Node) -> None:
    if node.process is None:
        node.start()


async def judge(clients: list[Client]) -> None:
    """Every token is asked for once more at both processes, and the tables hold no second token of a code."""
    client = clients[0]
    for token in list(client.journal.active):
        for browser in client.browsers:
            await client.check(browser, token)
    doubled = "SELECT grant_id FROM classic_token GROUP BY grant_id HAVING count(*) > 1"
    assert await client.worlds.context.database.rows(doubled) == []
    assert client.journal.violations == []
    assert client.journal.active

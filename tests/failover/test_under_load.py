"""One fail-over after the other while applications get, use and revoke tokens: nothing that was answered is lost."""

import asyncio
import signal
from dataclasses import dataclass, field
from functools import partial
from time import monotonic

import pytest

from tests.failover.conftest import House
from tests.failover.servers import Postgres
from tests.support.approvals import waiting_code
from tests.support.browser import Browser
from tests.support.changing import until, until_true
from tests.support.depth import DEPTH
from tests.support.people import World

_BACK_WITHIN_S = 10.0


@dataclass(slots=True)
class Writer:
    """One application's client, which notes what was acknowledged: each token, and whether it is active."""

    world: World
    acknowledged: dict[str, bool] = field(default_factory=dict)
    refused: set[int] = field(default_factory=set)

    async def write(self, browser: Browser, stop: asyncio.Event) -> None:
        while not stop.is_set() and len(self.acknowledged) < 10:  # as many as a pair keeps
            try:
                code = await waiting_code(self.world)
            except Exception:  # noqa: BLE001  # the stores are away: there is no code to send
                await asyncio.sleep(0.05)
                continue
            answer = await self.world.exchange(browser, code.text)
            if answer.status_code != 200:
                self.refused.add(answer.status_code)
                continue
            token = answer.json()["access_token"]
            self.acknowledged[token] = True
            if len(self.acknowledged) % 3 == 0:
                await self.revoke(browser, token)
            await asyncio.sleep(0.05)

    async def revoke(self, browser: Browser, token: str) -> None:
        fields = {
            "client_id": self.world.client_id,
            "client_secret": self.world.client_secret,
            "token": token,
        }
        answer = await browser.http.post("/app/oauth2/revoke", data=fields)
        if answer.status_code == 200:
            self.acknowledged[token] = False
        else:
            self.refused.add(answer.status_code)
            del self.acknowledged[token]  # unknown: either is right


@pytest.mark.skipif(
    DEPTH == 1, reason="not shown: fail-overs under load, one after the other; `make check-failover` does"
)
async def test_no_answer_is_lost_however_often_both_stores_fail_over(house: House) -> None:
    """R-6, R-90, R-97, R-99: PostgreSQL is killed and its synchronous standby promoted; the Valkeys change places."""
    primary, standby = house.postgres
    valkey, other = house.valkeys
    for number in range(DEPTH):
        await primary.tell("ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()")
        await until_true(partial(is_in_step, primary))
        writers = [Writer(await World.make(house.world.context)) for _ in range(4)]
        stop = asyncio.Event()
        work = [asyncio.create_task(each.write(house.browser, stop)) for each in writers]
        await until(partial(all_wrote, writers))
        await asyncio.to_thread(primary.stop, signal.SIGKILL)
        await standby.tell("ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")
        await standby.promote()
        house.postgres_address.lead_to(standby.socket)
        house.postgres_address.cut()
        await other.follow(None)
        await valkey.follow(other)
        house.valkey_address.lead_to(other.port)
        began = monotonic()
        await until_true(lambda: is_ready(house))
        assert monotonic() - began < _BACK_WITHIN_S
        await asyncio.sleep(0.3)
        stop.set()
        await asyncio.gather(*work)
        assert {status for each in writers for status in each.refused} <= {503, 400}, number
        for each in writers:
            assert each.acknowledged
            for token, active in each.acknowledged.items():
                assert (await each.world.introspect(house.browser, token))["active"] is active, number
        await asyncio.to_thread(primary.copy_from, standby)
        await asyncio.to_thread(primary.start, follows=standby)
        primary, standby, valkey, other = standby, primary, other, valkey


def all_wrote(writers: list[Writer]) -> bool:
    return all(each.acknowledged for each in writers)


async def is_in_step(primary: Postgres) -> bool:
    return bool(
        await primary.tell("SELECT EXISTS (SELECT FROM pg_stat_replication WHERE sync_state = 'sync')")
    )


async def is_ready(house: House) -> bool:
    status, _ = await house.ready()
    return status == 200

"""Client secrets are rotated under load at two processes, and nobody who keeps to the overlap is refused."""

import asyncio
import json
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from time import time
from typing import Any

import httpx2
import pytest

from app.context import Context
from tests.support.approvals import waiting_code
from tests.support.people import VERIFIER, Strict, World
from tests.support.server import free_port, running_service, settings_on
from tests.support.verbs import Verbs

OVERLAP_S = 4
EARLY_S = 1.0  # before the end, clients send the former secret no more: a request takes its time
PROMISED_S = 1.0
PROCESSES = 2
AT_ONCE = 2  # clients of each kind
_PATIENCE_S = 10.0

pytestmark = [pytest.mark.alone, pytest.mark.timeout(180)]


@dataclass(frozen=True, slots=True)
class House:
    """Two services on the same stores, and the verbs of whoever runs them."""

    addresses: list[str]
    environment: Mapping[str, str]
    verbs: Verbs

    async def rotate(self, world: World, overlap: str) -> str:
        """The new secret, as the verb prints it."""
        ran = await asyncio.to_thread(
            self.verbs.run,
            *("app", "rotate-secret", world.client_id, "--overlap", overlap, "--json"),
            environment={**os.environ, **self.environment},
        )
        assert ran.returncode == 0, ran.stderr
        return str(json.loads(ran.stdout)["client_secret"])


@pytest.fixture
async def house(database_url: str, redis_url: str, verbs: Verbs, tmp_path: Path) -> AsyncIterator[House]:
    settings = {
        **settings_on(database_url, redis_url, tmp_path),
        "ROVITRACKER_SECRET_KEYS": "0123456789abcdef" * 4,
        "ROVITRACKER_LOG_LEVEL": "error",
        "ROVITRACKER_LIMIT_FAILURES": "100000",
    }
    async with AsyncExitStack() as stack:
        running = [running_service(port=free_port(), settings=settings) for _ in range(PROCESSES)]
        yield House([await stack.enter_async_context(each) for each in running], settings, verbs)


@dataclass(slots=True)
class Clients:
    """The clients of one application: each request takes any of its good secrets, and goes to any process.

    good: what they may send now. answered: how many answers were 200, by the kind of request and the secret.
    """

    world: World
    http: httpx2.AsyncClient
    addresses: list[str]
    good: list[str]
    answered: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    given: list[str] = field(default_factory=list)
    _chance: Random = field(default_factory=lambda: Random(20))  # noqa: S311  # it must come again

    async def ask(self, kind: str, path: str, fields: Mapping[str, str]) -> dict[str, Any] | None:
        """The document of the answer; None, and a fault, for any but 200."""
        secret, address = self._chance.choice(self.good), self._chance.choice(self.addresses)
        sent = {"client_id": self.world.client_id, "client_secret": secret, **fields}
        answer = await self.http.post(f"{address}/app/oauth2/{path}", data=sent)
        if answer.status_code != 200:
            self.faults.append(f"{kind}: {answer.status_code} {answer.text}")
            return None
        self.answered[kind, secret] += 1
        document: dict[str, Any] = answer.json()
        if "access_token" in document:
            self.given.append(document["access_token"])
        return document

    async def exchange(self) -> dict[str, Any] | None:
        code = await waiting_code(self.world)
        strict = {"grant_type": "authorization_code", "code_verifier": VERIFIER}
        fields = strict if isinstance(self.world, Strict) else {}
        return await self.ask("exchange", "token", {**fields, "code": code.text})

    async def exchange_until(self, ended: asyncio.Event) -> None:
        while not ended.is_set():
            await self.exchange()

    async def introspect_until(self, ended: asyncio.Event) -> None:
        while not ended.is_set():
            if self.given:
                # A classic application keeps its ten youngest tokens of a customer.
                token = self.given[-1]
                await self.ask("introspect", "introspect", {"token": token})
            await asyncio.sleep(0.005)

    async def refresh_until(self, ended: asyncio.Event) -> None:
        """One family, from rotation to rotation: a lost answer would end it."""
        pair = await self.exchange()
        while pair and not ended.is_set():
            fields = {"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]}
            pair = await self.ask("refresh", "token", fields)

    def load(self, ended: asyncio.Event) -> list[asyncio.Task[None]]:
        kinds: list[Callable[[asyncio.Event], Coroutine[Any, Any, None]]] = [
            self.exchange_until,
            self.introspect_until,
        ]
        if isinstance(self.world, Strict):
            kinds.append(self.refresh_until)
        return [asyncio.create_task(kind(ended)) for kind in kinds for _ in range(AT_ONCE)]


@dataclass(slots=True)
class Watch:
    """Asks one process again and again with one secret, and notes when which answer came.

    accepted: when the last request that was accepted had left. refused: when the first refusal came.
    """

    http: httpx2.AsyncClient
    address: str
    fields: Mapping[str, str]
    accepted: float = 0.0
    refused: float = 0.0
    others: list[str] = field(default_factory=list)

    async def until_refused(self) -> None:
        began = time()
        while not self.refused:
            assert time() - began < _PATIENCE_S + OVERLAP_S, f"{self.address} still accepts it"
            left = time()
            answer = await self.http.post(f"{self.address}/app/oauth2/introspect", data=self.fields)
            if answer.status_code == 200:
                self.accepted = left
            elif (answer.status_code, answer.json()["error"]) == (401, "invalid_client"):
                self.refused = time()
            else:
                self.others.append(f"{answer.status_code} {answer.text}")
            await asyncio.sleep(0.01)


def watches(http: httpx2.AsyncClient, house: House, world: World, secret: str) -> list[Watch]:
    fields = {"client_id": world.client_id, "client_secret": secret, "token": "rovi_at_x"}
    return [Watch(http, address, fields) for address in house.addresses]


ENDS_AT = """\
SELECT extract(epoch FROM expires_at)::float8 AS ends_at FROM client_secret
WHERE application_id = $1 AND expires_at IS NOT NULL"""


async def end_of(context: Context, world: World) -> float:
    """When the former secret ends, by PostgreSQL's clock, which is this machine's too."""
    [row] = await context.database.rows(ENDS_AT, world.registered.client.id)
    return float(row["ends_at"])


async def test_a_secret_rotated_under_load_refuses_nobody_within_the_overlap(
    house: House, context: Context, world: World
) -> None:
    """R-20, R-107: two applications at two processes, by both secrets; then the former ends everywhere within a second."""
    strict = await Strict.register(context)
    ended = asyncio.Event()
    async with httpx2.AsyncClient(timeout=30) as http:
        everybody = [Clients(each, http, house.addresses, [each.client_secret]) for each in (world, strict)]
        running = [task for clients in everybody for task in clients.load(ended)]
        await asyncio.sleep(1.0)
        rotations = [await rotated_under(house, context, clients) for clients in everybody]
        await asyncio.sleep(1.0)
        ended.set()
        await asyncio.gather(*running)
        stands = [await all_stand(clients) for clients in everybody]
    for clients, watched, ends_at in zip(everybody, *zip(*rotations, strict=True), strict=True):
        assert clients.faults == []
        for kind in {kind for kind, _ in clients.answered}:
            by_secret = [answers for (each, _), answers in clients.answered.items() if each == kind]
            assert len(by_secret) == 2
            assert min(by_secret) >= 10
        for each in watched:
            assert each.others == []
            assert each.refused >= ends_at, "a good secret was refused"
            assert each.accepted < ends_at + PROMISED_S
    assert all(stands)


async def rotated_under(house: House, context: Context, clients: Clients) -> tuple[list[Watch], float]:
    """Who watched the former secret at each process until it was refused, and when it ended."""
    former = clients.good[0]
    clients.good.append(await house.rotate(clients.world, f"{OVERLAP_S}s"))
    ends_at = await end_of(context, clients.world)
    watched = watches(clients.http, house, clients.world, former)
    watching = [asyncio.create_task(each.until_refused()) for each in watched]
    await asyncio.sleep(ends_at - EARLY_S - time())
    clients.good.remove(former)
    await asyncio.gather(*watching)
    return watched, ends_at


async def all_stand(clients: Clients) -> bool:
    """Whether the youngest tokens are active at every process: an answer that was given was no promise too much."""
    fields = {"client_id": clients.world.client_id, "client_secret": clients.good[0]}
    for token, address in ((token, address) for token in clients.given[-5:] for address in clients.addresses):
        answer = await clients.http.post(f"{address}/app/oauth2/introspect", data={**fields, "token": token})
        if answer.status_code != 200 or answer.json()["active"] is not True:
            return False
    return bool(clients.given)


async def test_a_secret_without_overlap_ends_at_once_and_others_notice_nothing(
    house: House, context: Context, world: World
) -> None:
    """R-20: within a second at every process. Clients of another application are refused nothing meanwhile."""
    strict = await Strict.register(context)
    ended = asyncio.Event()
    async with httpx2.AsyncClient(timeout=30) as http:
        others = Clients(strict, http, house.addresses, [strict.client_secret])
        running = others.load(ended)
        watched = watches(http, house, world, world.client_secret)
        watching = [asyncio.create_task(each.until_refused()) for each in watched]
        await asyncio.sleep(0.5)
        began = time()
        new = await house.rotate(world, "0s")
        done = time()
        first = await asyncio.gather(*(accepted_from(http, each, world, new) for each in house.addresses))
        await asyncio.gather(*watching)
        ended.set()
        await asyncio.gather(*running)
    assert others.faults == []
    assert min(others.answered.values()) > 10
    assert max(first) < PROMISED_S
    for each in watched:
        assert each.others == []
        assert each.refused >= began
        assert each.accepted < done + PROMISED_S


async def accepted_from(http: httpx2.AsyncClient, address: str, world: World, secret: str) -> float:
    """Seconds until a process takes the new secret; 0.0 when it never refused it."""
    fields = {"client_id": world.client_id, "client_secret": secret, "token": "rovi_at_x"}
    began = time()
    for attempt in count():
        answer = await http.post(f"{address}/app/oauth2/introspect", data=fields)
        if answer.status_code == 200:
            return time() - began if attempt else 0.0
        assert answer.status_code == 401, answer.text
        assert time() - began < _PATIENCE_S
    raise AssertionError

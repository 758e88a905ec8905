"""Whoever is turned away again and again is answered every few sweeps, so that others have the time of the loop."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from ipaddress import ip_network

import pytest
from starlette.types import Receive, Scope, Send

from app.door.addresses import TrustedProxies
from app.door.answers import TURNED_AWAY
from app.door.bounds import Bounds
from tests.door.serving import Client, server_of
from tests.support.raw import get

BOUNDS = Bounds(turned_away=3, rest=1, sweep_s=0.4)
AWAY, WRONG, GOOD = get(b"/away"), get(b"/wrong"), get(b"/good")
STATUSES = {"/away": 429, "/wrong": 401, "/good": 200}


async def app(scope: Scope, _receive: Receive, send: Send) -> None:
    status = STATUSES[scope["path"]]
    if status != 200:
        scope[TURNED_AWAY] = status == 429
    headers = [(b"content-length", b"0")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def answers_to(client: Client, request: bytes, within_s: float) -> list[int]:
    """The statuses that come in this time, when each is followed by the next question at once."""
    statuses: list[int] = []
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            while len(statuses) < 50:
                client.say(request)
                statuses.append((await client.answer())[0])
    return statuses


async def test_a_client_that_is_turned_away_again_and_again_is_answered_once_a_sweep() -> None:
    """R-84: the first three at once, and then one in 0.4 s. Nobody else waits."""
    async with server_of(app, BOUNDS) as server, Client.to(server.config.port) as client:
        asking = asyncio.create_task(answers_to(client, AWAY, 1.4))
        await asyncio.sleep(0.1)
        async with Client.to(server.config.port) as other:
            assert await answers_to(other, GOOD, 1) == [200] * 50
        assert await asking in ([429] * 6, [429] * 7)


async def test_a_rest_lasts_some_sweeps() -> None:
    """R-84: three at once, and then one in 0.8 s."""
    async with server_of(app, replace(BOUNDS, rest=2)) as server, Client.to(server.config.port) as client:
        assert await answers_to(client, AWAY, 2.6) in ([429] * 5, [429] * 6)


async def test_while_a_connection_rests_new_ones_of_its_network_rest_at_once() -> None:
    """R-84: to open new ones helps no forger. Whoever is not turned away has every answer, and then is a forger no more."""
    bounds = Bounds(turned_away=3, rest=1, sweep_s=2)
    async with server_of(app, bounds) as server, Client.to(server.config.port) as forger:
        await asyncio.sleep(0.3)  # its first sweep comes at once
        assert await answers_to(forger, AWAY, 0.3) == [429] * 3
        async with Client.to(server.config.port) as new, Client.to(server.config.port) as honest:
            await asyncio.sleep(0.3)
            assert await answers_to(new, AWAY, 0.3) == [429]
            assert await answers_to(honest, GOOD, 1) == [200] * 50
            assert await answers_to(honest, AWAY, 0.3) == [429] * 3


async def test_those_of_another_network_do_not_rest_with_it() -> None:
    bounds = Bounds(turned_away=3, rest=1, sweep_s=2)
    async with server_of(app, bounds) as server, Client.to(server.config.port) as forger:
        await asyncio.sleep(0.3)  # its first sweep comes at once
        assert await answers_to(forger, AWAY, 0.3) == [429] * 3
        async with Client.to(server.config.port, source="127.0.0.2") as other:
            await asyncio.sleep(0.3)
            assert await answers_to(other, AWAY, 0.3) == [429] * 3


async def test_when_none_rests_a_network_begins_anew() -> None:
    bounds = Bounds(turned_away=3, rest=1, sweep_s=0.5)
    async with server_of(app, bounds) as server:
        async with Client.to(server.config.port) as forger:
            await asyncio.sleep(0.1)
            assert await answers_to(forger, AWAY, 0.2) == [429] * 3
        await asyncio.sleep(1)  # it is seen to be gone when its rest is over
        async with Client.to(server.config.port) as client:
            await asyncio.sleep(0.1)
            assert await answers_to(client, AWAY, 0.2) == [429] * 3


async def test_who_asks_ahead_of_the_answers_waits_as_well() -> None:
    """R-84."""
    async with server_of(app, BOUNDS) as server, Client.to(server.config.port) as client:
        client.say(AWAY * 6)
        statuses = [(await client.answer(0.2))[0] for _ in range(3)]
        began = asyncio.get_running_loop().time()
        statuses += [(await client.answer())[0] for _ in range(3)]
        assert statuses == [429] * 6
        assert 0.8 < asyncio.get_running_loop().time() - began < 2


async def test_a_right_answer_ends_it() -> None:
    """Whoever asks for many callers, forgers among them, is no forger. A refusal for another reason ends nothing."""
    bounds = Bounds(turned_away=3, sweep_s=4)
    async with server_of(app, bounds) as server, Client.to(server.config.port) as client:
        await asyncio.sleep(0.3)  # its first sweep comes at once, and the next four seconds later
        requests = (*(AWAY, AWAY, GOOD) * 10, AWAY, AWAY, WRONG, AWAY)
        statuses: list[int] = []
        for request in requests:
            client.say(request)
            statuses.append((await client.answer())[0])
        assert statuses == [*[429, 429, 200] * 10, 429, 429, 401, 429]
        client.say(GOOD)
        with pytest.raises(TimeoutError):
            await client.answer(0.5)


async def test_a_trusted_proxy_never_rests() -> None:
    """Its connection is that of many clients."""
    async with server_of(app, BOUNDS) as server:
        server.server_state.trusted = TrustedProxies((ip_network("127.0.0.1/32"),))
        async with Client.to(server.config.port) as client:
            assert await answers_to(client, AWAY, 1) == [429] * 50


async def test_whoever_rests_is_answered_while_the_server_leaves() -> None:
    """R-102."""
    async with server_of(app, BOUNDS) as server, Client.to(server.config.port) as client:
        client.say(AWAY * 5)
        assert [(await client.answer(0.2))[0] for _ in range(3)] == [429] * 3
        server.should_exit = True
        assert [(await client.answer())[0] for _ in range(2)] == [429] * 2
        assert await client.end() == b""

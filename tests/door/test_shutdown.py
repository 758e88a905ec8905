"""A service that is told to leave loses no request: whoever got a connection gets an answer, everybody else is refused."""

import asyncio
import os
import signal
from pathlib import Path
from time import monotonic
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest

from app.context import Context
from app.door.server import GRACE_S
from app.flows.account.register_application import register_application
from app.oauth.actor import COMMAND_LINE
from tests.door.closed_loop import ClosedLoop
from tests.door.service import Service, holders, listening_inodes, serving
from tests.support.depth import DEPTH
from tests.support.history import add
from tests.support.people import World
from tests.support.proxy import proxy_to
from tests.support.raw import get, post

ROUNDS = 3 * DEPTH
ALIVE = get(b"/health/alive")
READY = get(b"/health/ready")


@pytest.mark.timeout(60 * ROUNDS)
@pytest.mark.parametrize(
    ("workers", "all_of_it", "rounds"),
    [(1, False, ROUNDS), (2, False, ROUNDS), (2, True, DEPTH)],
    ids=["one process", "two workers", "two workers and the supervisor"],
)
async def test_sigterm_under_load_loses_no_request(
    workers: int, *, all_of_it: bool, rounds: int, environment: dict[str, str], log: Path
) -> None:
    """R-102: every connection is refused or has its whole answer; none is reset, silent or cut."""
    for _ in range(rounds):
        async with serving(log, workers=workers, **environment) as service:
            load = ClosedLoop(service.port)
            await asyncio.sleep(0.7)
            service.tell(signal.SIGTERM, all_of_it=all_of_it)
            began = monotonic()
            fates = await load.refused()
            assert await service.gone() == 0
            assert monotonic() - began < GRACE_S
        assert fates.lost == []
        assert fates.refused == 50
        assert fates.answered > 50
        assert fates.last_answers > 0


@pytest.mark.parametrize("workers", [1, 2])
async def test_whoever_waits_in_the_queue_is_answered(
    workers: int, environment: dict[str, str], log: Path
) -> None:
    """R-102: the kernel took the connections while no process came to look at them."""
    async with serving(log, workers=workers, **environment) as service:
        for pid in service.workers():
            os.kill(pid, signal.SIGSTOP)
        waiting = [await service.connect() for _ in range(40)]
        for each in waiting:
            each.send(ALIVE)
        service.tell(signal.SIGTERM)
        await asyncio.sleep(0.3)
        for pid in service.workers():
            os.kill(pid, signal.SIGCONT)
        answers = [await each.answer() for each in waiting]
        assert {each.status for each in answers} == {200}
        assert await service.gone() == 0


@pytest.mark.parametrize("workers", [1, 2])
async def test_during_the_delay_everything_is_served_but_nothing_is_ready(
    workers: int, environment: dict[str, str], log: Path
) -> None:
    """R-102: a load balancer has the time to send its clients elsewhere. Only those who serve hold the socket."""
    async with serving(log, workers=workers, **environment, ROVITRACKER_SHUTDOWN_DELAY="5s") as service:
        serving_pids = set(service.workers())
        listening = listening_inodes(service.port)
        assert set(holders(listening)) == serving_pids | {service.pid}
        kept = await service.connect()
        assert (await kept.ask(READY)).status == 200
        service.tell(signal.SIGTERM)
        await asyncio.sleep(1)
        for _ in range(10):
            newcomer = await service.connect()
            answer = await newcomer.ask(READY)
            assert (answer.status, answer.document["status"]) == (503, "draining")
        assert holders(listening) == dict.fromkeys(serving_pids, True)
        alive = await kept.ask(ALIVE)
        assert (alive.status, alive.headers.get("connection")) == (200, None)
        assert await service.gone() == 0
        assert await kept.ended()


async def test_a_kept_connection_gets_a_last_answer_or_a_moment_and_an_end(
    environment: dict[str, str], log: Path
) -> None:
    """R-102: the last answer says that it is the last."""
    async with serving(log, workers=1, **environment) as service:
        asking, idle, fresh = [await service.connect() for _ in range(3)]
        for each in (asking, idle):
            assert (await each.ask(ALIVE)).headers.get("connection") is None
        service.tell(signal.SIGTERM)
        await asyncio.sleep(0.4)
        for each in (asking, fresh):
            answer = await each.ask(ALIVE)
            assert (answer.status, answer.headers["connection"]) == (200, "close")
            assert await each.ended()
        assert await idle.ended()
        assert await service.gone() == 0


async def test_answers_that_take_their_time_are_finished(
    database_url: str, environment: dict[str, str], log: Path
) -> None:
    """R-102: PostgreSQL accepts and never answers; the requests that wait for it are told so."""
    address = urlsplit(database_url)
    [folder] = parse_qs(address.query)["host"]
    async with proxy_to(str(Path(folder) / ".s.PGSQL.5432")) as proxy:
        query = urlencode({"host": Path(proxy.path).parent})
        through = {"ROVITRACKER_DATABASE_URL": address._replace(query=query).geturl()}
        async with serving(log, workers=1, **{**environment, **through}) as service:
            waiting = [await service.connect() for _ in range(5)]
            proxy.fall_silent()
            for each in waiting:
                each.send(READY)
            await asyncio.sleep(0.3)
            service.tell(signal.SIGTERM)
            answers = [await each.answer() for each in waiting]
            assert {(each.status, each.headers["connection"]) for each in answers} == {(503, "close")}
            assert await service.gone() == 0
            assert "Traceback" not in service.said()


async def test_a_body_that_is_under_way_is_taken_whole(
    context: Context, world: World, environment: dict[str, str], log: Path
) -> None:
    """R-102: readings of which half had been sent when the service was told to leave."""
    await add(context, world.member.customer_id, "P1")
    line = b'{"PIN":"P1","Location":{"Latitude":1.5,"Longitude":2.5,"datetime":"2026-05-04T12:00:00Z"}}\n'
    body = line * 2000
    async with serving(log, workers=1, **environment) as service:
        token = await telemetry_token(context, world, service)
        sent = post(
            body,
            b"Authorization: Bearer " + token.encode(),
            path=b"/api/v2/telemetry",
            content_type=b"application/x-ndjson",
        )
        sender = await service.connect()
        sender.send(sent[: len(sent) // 2])
        await asyncio.sleep(0.2)
        service.tell(signal.SIGTERM)
        await asyncio.sleep(0.8)
        sender.send(sent[len(sent) // 2 :])
        answer = await sender.answer()
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert answer.document["accepted"] == 2000
        assert await service.gone() == 0


async def telemetry_token(context: Context, world: World, service: Service) -> str:
    registered = await register_application(
        context,
        COMMAND_LINE,
        name="Gateway",
        company="RoviTracker",
        grants=("client_credentials",),
        scope=("telemetry:write",),
        customer_id=world.member.customer_id,
    )
    fields = {
        "grant_type": "client_credentials",
        "client_id": str(registered.client.id),
        "client_secret": str(registered.client_secret),
        "scope": "telemetry:write",
    }
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{service.port}") as http:
        answer = await http.post("/app/oauth2/token", data=fields)
    return str(answer.json()["access_token"])


@pytest.mark.parametrize("half", [READY[:-2], post(b"a=b")[:-1]], ids=["head", "body"])
async def test_half_a_request_does_not_hold_it(half: bytes, environment: dict[str, str], log: Path) -> None:
    """R-102, R-74: its rest may never come, so it is told 408 and the service leaves."""
    async with serving(log, workers=1, **environment) as service:
        drip = await service.connect()
        drip.send(half)
        await asyncio.sleep(0.2)
        service.tell(signal.SIGTERM)
        assert (await drip.answer()).status == 408
        assert await service.gone(within_s=6) == 0


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_second_ctrl_c_ends_it_at_once(workers: int, environment: dict[str, str], log: Path) -> None:
    async with serving(log, workers=workers, **environment, ROVITRACKER_SHUTDOWN_DELAY="1m") as service:
        service.tell(signal.SIGINT, all_of_it=True)
        await asyncio.sleep(1)
        assert service.process.returncode is None
        service.tell(signal.SIGINT, all_of_it=True)
        assert await service.gone(within_s=5) == 0

"""Three times more than a slow store carries: answered in time or told 503, nothing lost or doubled, at once itself again."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import asyncpg
import orjson
import pytest

from app.embedded import Embedded, attach
from app.embedded.removal import remove
from bench.applications import register_applications
from bench.check import check_exchanges
from bench.codes import CODE_LIFE_S, Stores, pack_for_service, write_exchanges
from bench.generator import generate, load_of
from bench.records import pack_answer, read_requests, write_requests
from bench.seed import Service
from bench.serving import free_port, serving

OFFERED = 1500  # a second
SECONDS = 6
SLOW = """
CREATE FUNCTION be_slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.004); RETURN NEW; END $$;
CREATE TRIGGER be_slow BEFORE INSERT ON classic_token FOR EACH ROW EXECUTE FUNCTION be_slow();
"""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[tuple[Service, Embedded]]:
    service = Service(tmp_path, free_port(), {"CODE_LIFETIME": f"{CODE_LIFE_S}s"})
    with attach(service.data_dir) as embedded:
        yield service, embedded
    remove(service.data_dir)


@asynccontextmanager
async def slow_tokens(database_url: str) -> AsyncIterator[None]:
    """Each token takes PostgreSQL 4 ms, so two workers with a batch in flight each get at most 500 a second."""
    owner = await asyncpg.connect(database_url)
    await owner.execute(SLOW)
    try:
        yield
    finally:
        await owner.execute("DROP FUNCTION be_slow CASCADE")
        await owner.close()


@pytest.mark.timeout(180)
async def test_overload_is_shed_and_over_within_a_second(
    service: tuple[Service, Embedded], tmp_path: Path
) -> None:
    """R-94."""
    served, embedded = service
    stores = Stores(embedded.database_url, embedded.redis_url, pack_for_service, has_customers=True)
    registered = await asyncio.to_thread(register_applications, served, embedded.database_url, 2)
    requests = tmp_path / "requests"
    await asyncio.to_thread(write_exchanges, stores, registered.applications, requests, OFFERED * SECONDS + 1)
    *codes, last = read_requests(requests)
    command = [*served.command, "serve", "--workers", "2"]
    ready = f"{served.url}/health/ready"
    with serving(command, url=ready, log=tmp_path / "log", folder=tmp_path, environment=served.environment):
        async with slow_tokens(embedded.database_url):
            answers = await asyncio.to_thread(offer, served.url, codes, rate=OFFERED)
            assert {status for status, _ in answers.values()} <= {200, 503}
            assert {orjson.loads(body)["error"] for status, body in answers.values() if status == 503} == {
                "temporarily_unavailable"
            }
            granted = sum(status == 200 for status, _ in answers.values())
            assert granted > 100 * SECONDS  # what the store can do is done
            await asyncio.sleep(1)
            began = time.monotonic()
            assert (await asyncio.to_thread(offer, served.url, [last]))[0][0] == 200
            assert time.monotonic() - began < 0.5
        # Whoever was turned away comes again: each code gives its one token, and none has given two.
        turned_away = [position for position, (status, _) in answers.items() if status == 503]
        assert turned_away
        again = await asyncio.to_thread(offer, served.url, [codes[position] for position in turned_away])
    assert {status for status, _ in again.values()} == {200}
    answers |= {turned_away[position]: answer for position, answer in again.items()}
    write_requests(tmp_path / "all", codes)
    (tmp_path / "answers").write_bytes(b"".join(pack_answer(each, *answers[each]) for each in answers))
    checked = await asyncio.to_thread(
        check_exchanges, embedded.database_url, tmp_path / "all", tmp_path / "answers"
    )
    assert checked == len(answers)


def offer(url: str, requests: list[bytes], *, rate: float | None = None) -> dict[int, tuple[int, bytes]]:
    """Each request once; what was answered, by its position."""
    answers: dict[int, tuple[int, bytes]] = {}

    def keep(position: int, status: int, body: bytes) -> None:
        answers[position] = status, body

    load = load_of(url, requests, once=True)
    if rate is not None:
        load = replace(load, rate=rate, connections=1024)
    outcome = generate(load, keep)
    assert not outcome.errors
    # Of a schedule, what found no free connection in time is not sent.
    assert len(answers) == len(requests) - outcome.unsent
    # Half a second in each of two queues, a statement of as many rows as a batch may have, and a busy machine's share.
    assert outcome.latency_ms["max"] < 5000
    return answers

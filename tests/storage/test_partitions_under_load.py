"""Partitions that are past are detached and dropped while tokens are issued, renewed and asked about, and nobody notices."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from app.context import Context
from app.main import create_app
from app.storage.schema.partitions import drop_past_partitions
from bench.ground.database import drop_database
from tests.conftest import make_database, make_settings
from tests.support.browser import Browser
from tests.support.changing import until
from tests.support.families import begin
from tests.support.people import Strict

ROUNDS = 4
AT_ONCE = 4

PAST = """
CREATE TABLE strict_token_{day:%Y%m%d} PARTITION OF strict_token
FOR VALUES FROM (uuid_at('{day:%Y-%m-%d}Z')) TO (uuid_at('{next:%Y-%m-%d}Z'));
INSERT INTO strict_token (id, bucket, digest, application_id, scope, approved_at, issued_at, expires_at)
VALUES (uuid_at('{day:%Y-%m-%d} 12:00Z'), 0, sha256('x'), gen_random_uuid(), 'aemp:read', '{day:%Y-%m-%d}Z', '{day:%Y-%m-%d}Z',
        '{day:%Y-%m-%d} 13:00Z')
"""


@pytest.fixture
async def url(servers: tuple[str, str]) -> AsyncIterator[str]:
    name = f"partitions_{uuid4().hex[:12]}"
    yield await make_database(servers[0], name)
    await drop_database(servers[0], name)


async def test_partitions_are_dropped_under_load_and_no_request_fails(
    url: str, redis_url: str, tmp_path: Path
) -> None:
    """R-108: in the table that the load writes into and reads from."""
    app = create_app(make_settings(url, redis_url, tmp_path))
    owner = await asyncpg.connect(url)
    dropped: list[str] = []
    statuses: list[int] = []
    async with app.router.lifespan_context(app), Browser(app) as browser:
        strict = await Strict.register(app.state.context)
        ended = asyncio.Event()
        working = [
            asyncio.create_task(live(app.state.context, strict, browser, ended, statuses))
            for _ in range(AT_ONCE)
        ]
        for number in range(ROUNDS):
            await until(partial(has_grown, statuses, len(statuses) + 2 * AT_ONCE))
            day = datetime(2024, 5, 1, tzinfo=UTC) + timedelta(days=number)
            await owner.execute(PAST.format(day=day, next=day + timedelta(days=1)))
            table = f"strict_token_{day:%Y%m%d}"
            async with asyncio.timeout(60):
                while table not in dropped:  # a reader at the wrong moment leaves it for the next run
                    dropped += (await drop_past_partitions(url)).dropped
            assert await owner.fetchval("SELECT to_regclass($1)", table) is None
        ended.set()
        await asyncio.gather(*working)
    await owner.close()
    assert len(dropped) == ROUNDS
    assert len(statuses) > AT_ONCE * ROUNDS
    assert set(statuses) == {200}


def has_grown(statuses: list[int], beyond: int) -> bool:
    return len(statuses) > beyond


async def live(
    context: Context, strict: Strict, browser: Browser, ended: asyncio.Event, statuses: list[int]
) -> None:
    """Renew a family and ask about it until the end, and note the statuses."""
    token = await begin(context, strict)
    while not ended.is_set():
        answer = await strict.refresh(browser, token)
        statuses.append(answer.status_code)
        pair = answer.json()
        token = pair["refresh_token"]
        asked = {**strict.credentials, "token": pair["access_token"]}
        told = await browser.http.post("/app/oauth2/introspect", data=asked)
        statuses.append(told.status_code if told.json()["active"] else 0)

"""A worker that is lost takes its own customers' tokens along, and nobody else's."""

import asyncio
from collections import Counter
from random import Random

import httpx2
import pytest

from tests.distributed.ground import CitusGround, laid_out_on
from tests.distributed.nodes import NoCitusError, citus_programs
from tests.faults.supplies import supplies_for

EXCHANGES = 24


async def statuses(client: httpx2.AsyncClient, ground: CitusGround) -> Counter[int]:
    """What the exchanges of so many customers' codes are answered, one after the other."""
    supplies = await supplies_for(ground, Random(1))  # noqa: S311  # it must come again
    try:
        made = [await supplies.code(strict=False) for _ in range(EXCHANGES)]
        asked = [application.exchange(code) for application, code in made]
    finally:
        await supplies.close()
    url = f"{ground.instances[0].url}/app/oauth2/token"
    return Counter([(await client.post(url, data=each)).status_code for each in asked])


async def test_those_of_the_others_are_served_meanwhile() -> None:
    try:
        programs = citus_programs()
    except NoCitusError as error:
        pytest.skip(f"not shown: tokens on several PostgreSQL servers; {error}")
    async with (
        laid_out_on(programs, workers=2, instances=1, processes=1) as ground,
        httpx2.AsyncClient(timeout=20) as client,
    ):
        assert await statuses(client, ground) == {200: EXCHANGES}
        await asyncio.to_thread(ground.servers.nodes[1].kill)
        lost = await statuses(client, ground)
        assert await ground.instances[0].ready()
        assert set(lost) == {200, 503}
        await asyncio.to_thread(ground.servers.nodes[1].start)
        assert await statuses(client, ground) == {200: EXCHANGES}

"""The life of a signing key: made once, published before it signs, followed, sealed anew, gone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
import orjson
import pytest
from joserfc.jws import extract_compact

from app.context import Context, open_context
from app.flows.upkeep.signing_keys import (
    SigningKeyError,
    keep_signing_keys,
    list_signing_keys,
    read_key_set,
    rotate_signing_key,
    sign_introspection,
)
from app.oauth.actor import COMMAND_LINE
from app.oauth.answer import INACTIVE
from app.oauth.keys import derive_keys
from app.oauth.signing import KEPT_FOR
from app.storage.postgres.database import SERVICE_ROLE
from app.stores import Stores
from bench.ground.database import drop_database
from tests.conftest import make_database, make_settings
from tests.support.changing import until, within_a_second

OLD, NEW = "0123456789abcdef" * 4, "fedcba9876543210" * 4
LEAD = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class House:
    """A database of one test's own, which no service has opened yet."""

    url: str
    redis_url: str
    data_dir: Path

    @asynccontextmanager
    async def process(self, *secrets: str) -> AsyncIterator[Context]:
        settings = make_settings(
            self.url, self.redis_url, self.data_dir, secret_keys=",".join(secrets or (OLD,))
        )
        stores = Stores(self.url, self.url, self.url, self.redis_url, SERVICE_ROLE)
        async with open_context(settings, stores) as context:
            context.changes.listen(self.url)
            await until(lambda: context.changes.current)
            yield context

    async def owner(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.url)
        try:
            rows: list[asyncpg.Record] = await connection.fetch(statement, *arguments)
            return rows
        finally:
            await connection.close()


@pytest.fixture
async def house(servers: tuple[str, str], redis_url: str, tmp_path: Path) -> AsyncIterator[House]:
    name = f"keys_{uuid4().hex[:12]}"
    yield House(await make_database(servers[0], name), redis_url, tmp_path)
    await drop_database(servers[0], name)


async def published(context: Context) -> list[str]:
    return [key["kid"] for key in orjson.loads(await read_key_set(context))["keys"]]


async def signing(context: Context) -> str:
    """Name of the key that an answer is signed with."""
    text = await sign_introspection(context, INACTIVE, audience="me")
    return str(extract_compact(text).headers()["kid"])


def later(context: Context, delay: timedelta) -> Context:
    """The same process when that time has passed."""
    return replace(context, now=lambda: context.now() + delay)


async def test_of_processes_that_start_at_once_one_makes_the_first_key(house: House) -> None:
    """R-105: whoever asks first, for the set, for a signature, or by upkeep."""
    async with AsyncExitStack() as stack:
        contexts = [await stack.enter_async_context(house.process()) for _ in range(4)]
        await asyncio.gather(
            *(work(context) for context in contexts for work in (published, signing, keep_signing_keys))
        )
        (kid,) = await published(contexts[0])
        assert {await signing(context) for context in contexts} == {kid}
    (event,) = await house.owner(
        "SELECT actor_kind, detail FROM audit_event WHERE event = 'signing_key.made'"
    )
    assert event["actor_kind"] == "service"
    assert orjson.loads(event["detail"])["kid"] == kid


async def test_new_key_is_published_before_it_signs_and_the_old_one_stays(house: House) -> None:
    async with house.process() as context, house.process() as other:
        first = await signing(context)
        assert await signing(other) == first
        before = context.now()
        new = await rotate_signing_key(context, COMMAND_LINE)
        assert abs(new.begins_at - before - LEAD) < timedelta(seconds=2)

        async def is_published() -> bool:
            return await published(other) == [first, new.kid]

        await within_a_second(is_published)
        assert await published(context) == [first, new.kid]
        for process in (context, other):
            assert await signing(process) == first
            assert await signing(later(process, LEAD + timedelta(seconds=2))) == new.kid
            assert await published(later(process, LEAD + KEPT_FOR - timedelta(minutes=1))) == [first, new.kid]
            assert await published(later(process, LEAD + KEPT_FOR + timedelta(minutes=1))) == [new.kid]
        assert [stage for _, stage in await list_signing_keys(context)] == ["signs", "waits"]
        with pytest.raises(SigningKeyError, match=f"{new.kid} begins to sign at"):
            await rotate_signing_key(context, COMMAND_LINE)


async def test_known_key_is_gone_at_once(house: House) -> None:
    """It is gone even while a rotation is under way, since its finder may have that key too."""
    async with house.process() as context, house.process() as other:
        await signing(other)
        await rotate_signing_key(context, COMMAND_LINE)
        new = await rotate_signing_key(context, COMMAND_LINE, at_once=True)

        async def is_alone() -> bool:
            return (await published(other), await signing(other)) == ([new.kid], new.kid)

        await within_a_second(is_alone)
        assert await keep_signing_keys(context) == 2
    assert [row["kid"] for row in await house.owner("SELECT kid FROM signing_key")] == [new.kid]


async def test_of_two_rotations_at_once_one_takes_place(house: House) -> None:
    async with house.process() as context, house.process() as other:
        await signing(context)
        outcomes = await asyncio.gather(
            rotate_signing_key(context, COMMAND_LINE),
            rotate_signing_key(other, COMMAND_LINE),
            return_exceptions=True,
        )
        assert [isinstance(each, SigningKeyError) for each in outcomes].count(True) == 1
        assert len(await published(context)) == 2


async def test_rotation_is_audited(house: House) -> None:
    async with house.process() as context:
        new = await rotate_signing_key(context, COMMAND_LINE)
        assert await signing(context) == new.kid  # the first has nobody to wait for
    (event,) = await house.owner(
        "SELECT actor_kind, detail FROM audit_event WHERE event = 'signing_key.made'"
    )
    assert event["actor_kind"] == "command line"
    assert orjson.loads(event["detail"]) == {
        "kid": new.kid,
        "begins_at": f"{new.begins_at:%Y-%m-%dT%H:%M:%SZ}",
    }


async def test_upkeep_deletes_what_is_published_no_longer_and_nothing_else(house: House) -> None:
    """R-108."""
    async with house.process() as context:
        first = await signing(context)
        new = await rotate_signing_key(context, COMMAND_LINE)
        assert await keep_signing_keys(context) == 0
        await house.owner("UPDATE signing_key SET leaves_at = clock_timestamp() WHERE kid = $1", first)
        assert await keep_signing_keys(context) == 1
        assert [key.kid for key, _ in await list_signing_keys(context)] == [new.kid]


async def test_secret_key_can_be_taken_away_after_upkeep_with_a_newer_one(house: House) -> None:
    """R-107: what it sealed is sealed anew, and the signing key stays the same."""
    async with house.process(OLD) as context:
        kid = await signing(context)
    async with house.process(NEW, OLD) as context:
        await keep_signing_keys(context)
    async with house.process(NEW) as context:
        await keep_signing_keys(context)
        assert await signing(context) == kid
        assert await published(context) == [kid]
    (row,) = await house.owner("SELECT sealed_with FROM signing_key")
    assert row["sealed_with"] == derive_keys((NEW,)).code_key_name


async def test_lost_secret_keys_cost_the_signing_key_and_no_verification(house: House) -> None:
    """R-107: a new one signs, and what the lost one signed is verified as before."""
    async with house.process(OLD) as context:
        lost = await signing(context)
    async with house.process(NEW) as context:
        found = await signing(context)
        assert found != lost
        assert await published(context) == [lost, found]
        leaves_at: datetime | None = (await list_signing_keys(context))[0][0].leaves_at
        assert leaves_at is not None
        assert leaves_at - context.now() > KEPT_FOR - timedelta(minutes=1)
    async with house.process(OLD) as context:  # one that was left behind goes on with what it can open
        assert await signing(context) == lost


async def test_private_half_of_another_row_signs_nothing(house: House) -> None:
    """Whoever may write the table still cannot make one key sign under another's name."""
    async with house.process() as context:
        first = await signing(context)
        new = await rotate_signing_key(context, COMMAND_LINE)
        await house.owner(
            "UPDATE signing_key k SET sealed = o.sealed FROM signing_key o WHERE k.kid = $1 AND o.kid = $2",
            new.kid,
            first,
        )

        async def goes_on_with_the_first() -> bool:
            return await signing(later(context, LEAD + timedelta(seconds=2))) == first

        await within_a_second(goes_on_with_the_first)

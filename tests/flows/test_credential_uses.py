"""When each secret and key was used last: noted in memory, written once an hour at most, and shown to its owner."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from app.context import Context
from app.flows.account.change_application import rotate_secret
from app.flows.account.register_application import RegisteredApplication, register_application
from app.flows.developer.credential_uses import list_keys, write_uses, write_uses_for_ever
from app.flows.token.authenticate import authenticate_client
from app.oauth.actor import COMMAND_LINE
from app.oauth.assertion import ASSERTION_TYPE, parse_assertion
from app.oauth.errors import OAuthError
from app.oauth.request import Credentials
from app.oauth.token_string import secret_digest
from app.process.credential_uses import CredentialUses
from app.storage.people.application_changes import select_live_secrets
from tests.support.assertions import claims_of, key_pair, register_keyed, signed
from tests.support.families import HERE
from tests.support.stores import context_through_proxy
from tests.web.services import unreachable_database

HOUR = timedelta(hours=1)


def by_secret(registered: RegisteredApplication, secret: str | None = None) -> Credentials:
    offered = secret or registered.client_secret
    assert offered is not None
    return Credentials(str(registered.client.id), secret_digest(offered), "client_secret_post")


@pytest.fixture
async def registered(context: Context) -> RegisteredApplication:
    return await register_application(context, COMMAND_LINE, name="Sitewise", company="Sitewise Ltd")


@pytest.fixture
def process(context: Context) -> Context:
    """A process of its own, for which it is half past ten."""
    half_past = datetime(2026, 6, 3, 10, 30, tzinfo=UTC)
    return replace(context, credential_uses=CredentialUses(), now=lambda: half_past)


def later(process: Context, by: timedelta) -> Context:
    now = process.now() + by
    return replace(process, now=lambda: now)


async def used(context: Context, registered: RegisteredApplication) -> list[datetime | None]:
    """The last use of each secret, the present one's first."""
    return [each.used_at for each in await select_live_secrets(context.database, registered.client.id)]


async def test_use_is_known_to_the_hour_once_it_is_written(
    process: Context, registered: RegisteredApplication
) -> None:
    await authenticate_client(process, by_secret(registered), HERE)
    assert await used(process, registered) == [None]
    await write_uses(process)
    [at] = await used(process, registered)
    assert at == datetime(2026, 6, 3, 10, tzinfo=UTC)
    await authenticate_client(later(process, 2 * HOUR), by_secret(registered), HERE)
    await write_uses(later(process, 2 * HOUR))
    assert await used(process, registered) == [at + 2 * HOUR]


async def test_older_use_of_another_process_changes_nothing(
    process: Context, registered: RegisteredApplication
) -> None:
    await authenticate_client(process, by_secret(registered), HERE)
    await write_uses(process)
    behind = replace(later(process, -3 * HOUR), credential_uses=CredentialUses())
    await authenticate_client(behind, by_secret(registered), HERE)
    await write_uses(behind)
    assert await used(process, registered) == [datetime(2026, 6, 3, 10, tzinfo=UTC)]


async def test_each_secret_has_its_own_last_use(process: Context, registered: RegisteredApplication) -> None:
    await authenticate_client(process, by_secret(registered), HERE)
    new = await rotate_secret(process, COMMAND_LINE, str(registered.client.id), timedelta(days=7))
    await write_uses(process)
    assert await used(process, registered) == [None, datetime(2026, 6, 3, 10, tzinfo=UTC)]
    afternoon = later(process, 5 * HOUR)
    await authenticate_client(afternoon, by_secret(registered, new), HERE)
    await write_uses(afternoon)
    [present, leaving] = await used(process, registered)
    assert present == datetime(2026, 6, 3, 15, tzinfo=UTC)
    assert leaving == datetime(2026, 6, 3, 10, tzinfo=UTC)


async def test_wrong_secret_is_no_use(process: Context, registered: RegisteredApplication) -> None:
    with pytest.raises(OAuthError):
        await authenticate_client(process, by_secret(registered, "wrong"), HERE)
    assert process.credential_uses.take(process.now()) == {}


async def test_a_thousand_uses_of_an_hour_are_written_once(
    context: Context, database_url: str, registered: RegisteredApplication
) -> None:
    async with context_through_proxy(context, database_url, connections=1) as (through, proxy):
        await authenticate_client(through, by_secret(registered), HERE)
        await write_uses(through)
        before = proxy.statements_asked()
        for _ in range(1000):
            through.credential_uses.note(
                (registered.client.id, by_secret(registered).secret_digest or b""), through.now()
            )
            await write_uses(through)
        assert proxy.statements_asked() == before


@pytest.mark.parametrize("named", ["named", "unnamed"])
async def test_each_key_has_its_own_last_use(context: Context, named: str) -> None:
    """Whether or not the assertion says by which key it was signed."""
    keys = [key_pair("EC"), key_pair("EC", 1)]
    keyed = await register_keyed(context, *keys)
    process = replace(context, credential_uses=CredentialUses())
    header: dict[str, Any] = {"kid": keys[1].thumbprint()} if named == "named" else {}
    text = signed(keys[1], claims_of(str(keyed.client.id)), **header)
    assertion = parse_assertion(ASSERTION_TYPE, text)
    by_key = Credentials(str(keyed.client.id), None, "private_key_jwt", assertion)
    await authenticate_client(process, by_key, HERE)
    await write_uses(process)
    assert [each.used_at is not None for each in await list_keys(process, keyed.client)] == [False, True]


async def test_what_cannot_be_written_waits(process: Context, registered: RegisteredApplication) -> None:
    await authenticate_client(process, by_secret(registered), HERE)
    async with unreachable_database() as database:
        with capture_logs() as logs:
            await write_uses(replace(process, database=database))
    told = [each["event"] for each in logs if "secrets" in each["event"]]
    assert told == ["uses of secrets wait for the database"]
    assert await used(process, registered) == [None]
    await write_uses(process)
    assert await used(process, registered) == [datetime(2026, 6, 3, 10, tzinfo=UTC)]


async def test_a_process_that_stops_writes_what_is_left(
    process: Context, registered: RegisteredApplication
) -> None:
    stopping = asyncio.Event()
    task = asyncio.create_task(write_uses_for_ever(process, stopping))
    await asyncio.sleep(0)
    await authenticate_client(process, by_secret(registered), HERE)
    stopping.set()
    process.credential_uses.due.set()
    await task
    assert await used(process, registered) == [datetime(2026, 6, 3, 10, tzinfo=UTC)]


def test_memory_holds_no_more_than_what_was_used_in_the_hour() -> None:
    uses, now = CredentialUses(), datetime(2026, 6, 3, 10, 30, tzinfo=UTC)
    for number in range(100):
        uses.note((UUID(int=number), bytes(32)), now)
    assert len(uses.take(now)) == 100
    uses.note((UUID(int=1), bytes(32)), now)
    assert uses.take(now) == {}
    uses.take(now + HOUR)
    uses.note((UUID(int=1), bytes(32)), now)
    assert len(uses.take(now)) == 1

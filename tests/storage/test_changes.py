"""An end is heard within a second, and nothing is relied on whose end may not have been heard."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from time import monotonic
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

import asyncpg
import pytest

from app.oauth.token_string import new_id
from app.storage.postgres.changes import BELIEVED_FOR_S, Changes
from app.storage.postgres.remembered import Remembered
from tests.support.browser import Browser
from tests.support.changing import until
from tests.support.people import World
from tests.support.proxy import Proxy, proxy_to


@pytest.fixture
async def changes(database_url: str) -> AsyncIterator[Changes]:
    changes = Changes()
    changes.listen(database_url)
    await until(lambda: changes.current)
    yield changes
    await changes.close()


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


# Each as psql would do it: the triggers tell, whoever acts.
ENDINGS = {
    "a classic token": "UPDATE classic_token SET revoked_at = now() WHERE id = $1",
    "an earlier end": "UPDATE classic_token SET expires_at = now() WHERE id = $1",
    "its grant": "UPDATE authorization_grant SET revoked_at = now() WHERE id = (SELECT grant_id FROM classic_token WHERE id = $1)",
    "its application": "UPDATE application SET status = 'suspended' WHERE id = (SELECT application_id FROM classic_token WHERE id = $1)",
    "its customer": "UPDATE customer SET disabled_at = now() WHERE id = (SELECT customer_id FROM classic_token WHERE id = $1)",
    "the pair": "UPDATE connection SET cut_at = clock_timestamp() WHERE (customer_id, application_id) = (SELECT customer_id, application_id FROM classic_token WHERE id = $1)",
    "the row itself": "DELETE FROM classic_token WHERE id = $1",
}


@pytest.mark.parametrize("ending", ENDINGS)
async def test_whatever_ends_a_token_ends_what_is_remembered_of_it(
    ending: str, world: World, browser_token: str, owner: asyncpg.Connection
) -> None:
    """R-16, O-76: within a second, done by anybody on the database."""
    gathered = world.context.gathered
    token_id = await owner.fetchval(
        "SELECT id FROM classic_token WHERE digest = sha256($1)", browser_token.encode()
    )
    await until(lambda: world.context.changes.current)
    await gathered.classic_tokens.ask(token_id)
    assert gathered.classic_tokens.recall(token_id)
    await owner.execute(ENDINGS[ending], token_id)
    assert await until(lambda: gathered.classic_tokens.recall(token_id) is None) < 1
    stored = await gathered.classic_tokens.find(token_id)
    assert stored is None or not stored.active


@pytest.fixture
async def browser_token(world: World, browser: Browser) -> str:
    return await world.token(browser)


async def test_renewing_tells_nothing(
    browser_token: str, changes: Changes, owner: asyncpg.Connection
) -> None:
    before = changes.number
    await owner.execute(
        "UPDATE classic_token SET used_at = now() WHERE digest = sha256($1)", browser_token.encode()
    )
    other = new_id()
    await owner.execute("SELECT pg_notify('rovitracker_changes', $1)", str(other))
    await until(lambda: changes.since(before, (other,)))
    assert changes.number == before + 1


async def test_answer_read_before_a_change_is_worth_nothing_after_it() -> None:
    """The fill race: a barrier between the look-up and the remembering of its answer, and the change in between."""
    changes = Changes()
    changes.believed_until = monotonic() + 60
    read, go_on = asyncio.Event(), asyncio.Event()
    subject = new_id()

    async def ask(_key: UUID) -> str:
        answer = "active"  # read from the database at this moment
        read.set()
        await go_on.wait()
        return answer

    remembered = Remembered(ask, changes, rests_on=lambda _value: ((subject,), 60.0), most=10)
    asking = asyncio.create_task(remembered.ask(subject))
    await read.wait()
    changes.note(subject)  # its revocation is heard while the answer is on its way
    go_on.set()
    assert await asking == "active"  # right when it was read
    assert remembered.recall(subject) is None
    read.clear()
    await remembered.ask(subject)
    assert remembered.recall(subject) == "active"


@pytest.fixture
async def listener_proxy(database_url: str) -> AsyncIterator[tuple[Changes, Proxy]]:
    address = urlsplit(database_url)
    [folder] = parse_qs(address.query)["host"]
    async with proxy_to(str(Path(folder) / ".s.PGSQL.5432")) as proxy:
        changes = Changes()
        changes.listen(address._replace(query=urlencode({"host": Path(proxy.path).parent})).geturl())
        await until(lambda: changes.current)
        yield changes, proxy
        await changes.close()


async def test_black_holed_listener_is_not_believed(
    listener_proxy: tuple[Changes, Proxy],
) -> None:
    """The connection stands and says nothing: what is remembered is given up before a revocation is a second old."""
    changes, proxy = listener_proxy

    async def ask(_key: str) -> str:
        return "active"

    remembered = Remembered(ask, changes, rests_on=lambda _value: (("subject",), 60.0), most=10)
    await remembered.ask("key")
    assert remembered.recall("key")
    proxy.fall_silent()
    assert await until(lambda: remembered.recall("key") is None) <= BELIEVED_FOR_S + 0.2
    assert not changes.current


async def test_reconnected_listener_forgets_what_it_may_have_missed(
    listener_proxy: tuple[Changes, Proxy], owner: asyncpg.Connection
) -> None:
    changes, _ = listener_proxy
    before = changes.number
    ended = await owner.fetchval(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE application_name = 'rovitracker changes' AND datname = current_database()"
    )
    assert ended >= 1
    await until(lambda: not changes.current)
    await until(lambda: changes.current)
    assert changes.since(before, ("anything",))


async def test_what_is_remembered_is_bounded_in_number_and_age() -> None:
    """R-109."""
    changes = Changes()
    changes.believed_until = monotonic() + 60

    async def ask(key: int) -> int | None:
        return key or None

    remembered = Remembered(ask, changes, rests_on=lambda _value: ((), 0.05), most=100)
    for key in range(1000):
        await remembered.ask(key)
    assert len(remembered._answers) == 100
    assert remembered.recall(999) == 999
    assert 0 not in remembered._answers  # that nothing is there is never remembered
    await asyncio.sleep(0.06)
    assert remembered.recall(999) is None


async def test_subjects_are_bounded_and_overflow_forgets_all() -> None:
    changes = Changes()
    changes.note("early")
    before = changes.number
    for number in range(60_000):
        changes.note(number)
    assert len(changes._last) <= 50_000
    assert changes.since(before, ("untouched",))


async def test_nothing_is_remembered_without_a_listener() -> None:
    changes = Changes()

    async def ask(_key: str) -> str:
        return "active"

    remembered = Remembered(ask, changes, rests_on=lambda _value: ((), 60.0), most=10)
    await remembered.ask("key")
    assert remembered.recall("key") is None

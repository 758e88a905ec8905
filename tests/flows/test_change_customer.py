"""A new password ends what the old one opened, however closely the two cross."""

import asyncio
import hashlib
from datetime import timedelta

import pytest

from app.context import Context
from app.flows.account.add_customer import CustomerError
from app.flows.account.change_customer import disable_customer, enable_customer, set_password
from app.flows.account.sign_in import read_session
from app.oauth.actor import COMMAND_LINE
from app.storage.people.people import select_sign_in, update_password
from app.storage.people.sessions import NewSession, delete_sessions_of, insert_session
from tests.support.changing import until_somebody_waits
from tests.support.people import PASSWORD, World, session_of

NEW_PASSWORD = "another horse, another battery"


async def test_a_new_password_ends_the_sessions_of_the_old_one(context: Context, world: World) -> None:
    cookies = [await session_of(context, email=world.member.email, password=PASSWORD) for _ in range(2)]
    assert all([await read_session(context, cookie) for cookie in cookies])
    _, ended = await set_password(
        context, COMMAND_LINE, world.member.email, NEW_PASSWORD, cut_applications=True
    )
    assert ended == 2
    assert not any([await read_session(context, cookie) for cookie in cookies])
    assert await session_of(context, email=world.member.email, password=PASSWORD) is None
    assert await session_of(context, email=world.member.email, password=NEW_PASSWORD)


async def test_a_sign_in_that_checked_the_old_password_opens_no_session_beside_the_new_one(
    context: Context, world: World
) -> None:
    """R-56: the password was right when it was checked, and is no more when the session would begin."""
    hashed = await context.passwords.hash(NEW_PASSWORD)
    async with context.database.transaction() as changing:
        await update_password(changing, world.member.id, hashed)
        await delete_sessions_of(changing, world.member.id)
        signing_in = asyncio.create_task(session_of(context, email=world.member.email, password=PASSWORD))
        await until_somebody_waits(context, "person")
    assert await signing_in is None
    assert await sessions_of(world) == 0


async def test_a_session_that_begins_just_before_a_new_password_is_ended_by_it(
    context: Context, world: World
) -> None:
    """R-56: the other order; the new password waits for the session, and finds it."""
    found = await select_sign_in(context.database, world.member.email)
    assert found is not None
    digest = hashlib.sha256(world.member.email.encode()).digest()
    async with context.database.transaction() as signing_in:
        begun = NewSession(digest, world.member.id, found.password_hash, False, False, "", "")
        assert await insert_session(signing_in, begun, timedelta(hours=1))
        change = set_password(context, COMMAND_LINE, world.member.email, NEW_PASSWORD, cut_applications=False)
        changing = asyncio.create_task(change)
        await until_somebody_waits(context, "person")
    assert (await changing)[1] == 1
    assert await sessions_of(world) == 0


async def test_a_disabled_account_is_disabled_once_and_enabled_once(context: Context, world: World) -> None:
    email = world.member.email
    await disable_customer(context, COMMAND_LINE, email)
    with pytest.raises(CustomerError, match="disabled already"):
        await disable_customer(context, COMMAND_LINE, email)
    assert await session_of(context, email=email, password=PASSWORD) is None
    await enable_customer(context, COMMAND_LINE, email)
    with pytest.raises(CustomerError, match="not disabled"):
        await enable_customer(context, COMMAND_LINE, email)
    assert await session_of(context, email=email, password=PASSWORD)


async def sessions_of(world: World) -> int:
    [row] = await world.context.database.rows(
        "SELECT count(*)::integer AS n FROM browser_session WHERE person_id = $1", world.member.id
    )
    count: int = row["n"]
    return count

"""PostgreSQL goes back to the moment before a mistake: a base backup and the archived log, as docs/operators.md says."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.main import create_app
from app.storage.schema.migrations import apply_migrations, read_migrations
from tests.conftest import make_settings
from tests.failover.servers import Postgres
from tests.support.browser import Browser
from tests.support.changing import until, until_true
from tests.support.people import Strict, World, pair_of


@asynccontextmanager
async def served(url: str, redis_url: str, folder: Path) -> AsyncIterator[tuple[Any, Browser]]:
    app = create_app(make_settings(url, redis_url, folder))
    async with app.router.lifespan_context(app), Browser(app) as browser:
        await until(lambda: app.state.context.changes.current)
        yield app.state.context, browser


@pytest.mark.timeout(180)
async def test_a_database_goes_back_to_the_moment_before_a_mistake(
    postgres: tuple[Postgres, Postgres], redis_url: str, tmp_path: Path
) -> None:
    """What was answered before is there, what came after is not, and the service works on it at once."""
    first, second = postgres
    archive = first.home / "archive"
    archive.mkdir()
    if first.record.account is not None:
        os.chown(archive, first.record.account.uid, first.record.account.gid)
    for each in postgres:
        each.stop()
    first.start(archive_mode="on", archive_command=f"cp %p {archive}/%f")
    await apply_migrations(first.url, read_migrations())
    async with served(first.url, redis_url, tmp_path / "first") as (context, browser):
        world, strict = await World.make(context), await Strict.register(context)
        old = await world.token(browser)
        second.copy_from(first)
        young, revoked = [await world.token(browser) for _ in range(2)]
        pair = await strict.pair(browser)
        await browser.http.post(
            "/app/oauth2/revoke",
            data={"client_id": world.client_id, "client_secret": world.client_secret, "token": revoked},
        )
        moment = await first.tell("SELECT clock_timestamp()")
        await asyncio.sleep(0.05)
        late = await world.token(browser)
        await first.tell("DELETE FROM classic_token RETURNING 1")
        assert await world.introspect(browser, old) == {"active": False}
        name = await first.tell("SELECT pg_walfile_name(pg_switch_wal())")

        async def archived() -> bool:
            return bool(await first.tell(f"SELECT last_archived_wal >= '{name}' FROM pg_stat_archiver"))

        await until_true(archived, patience_s=30)
    first.stop()
    (second.folder / "recovery.signal").touch()
    second.start(
        restore_command=f"cp {archive}/%f %p",
        recovery_target_time=moment.isoformat(),
        recovery_target_action="promote",
    )

    async def takes_writes() -> bool:
        return not await second.tell("SELECT pg_is_in_recovery()")

    await until_true(takes_writes, patience_s=30)
    async with served(second.url, redis_url, tmp_path / "second") as (context, browser):
        world, strict = replace(world, context=context), replace(strict, context=context)
        for token, active in ((old, True), (young, True), (revoked, False), (late, False)):
            assert (await world.introspect(browser, token))["active"] is active
        assert pair_of(await strict.refresh(browser, pair.refresh)).access
        assert (await world.introspect(browser, await world.token(browser)))["active"] is True

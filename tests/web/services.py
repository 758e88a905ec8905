"""More processes of the same service: on other clocks, keys and stores, beside the one every test shares."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from fastapi import FastAPI

from app.context import Context
from app.main import create_app
from app.process.pages import Pages
from app.process.reads import Reads
from app.process.refused_requests import RefusedRequests
from app.settings import Settings
from app.storage.postgres.changes import Changes
from app.storage.postgres.database import Database, open_database
from app.storage.postgres.gather import Bounds
from app.storage.token.gathered import Gathered, gather_statements
from app.storage.valkey.valkey import Valkey
from app.throttling.guesses import NetworkLevels
from tests.support.browser import ORIGIN, Browser

_PAGE_MEMORY = 1024 * 1024


class Services:
    """Makes services that differ from the shared one in what is named."""

    def __init__(self, settings: Settings, context: Context) -> None:
        self._settings = settings
        self.context = context
        self._made: list[Gathered] = []

    def like(self, **changes: Any) -> FastAPI:
        app = create_app(self._settings)
        app.state.context = replace(
            self.context,
            **{
                "network_levels": NetworkLevels(),
                "reads": Reads(),
                "refused_requests": RefusedRequests(),
                "pages": Pages(self.context.changes, most_bytes=_PAGE_MEMORY),
                **changes,
            },
        )
        app.state.demo = None
        return app

    def later(self, delay: timedelta) -> FastAPI:
        """One whose clock is ahead."""
        return self.like(now=lambda: self.context.now() + delay)

    def under(self, **changes: Any) -> FastAPI:
        """One with another policy."""
        return self.like(policy=replace(self.context.policy, **changes))

    def lasting(self, **changes: timedelta) -> FastAPI:
        """One whose codes and tokens live for another time."""
        return self.under(lifetimes=replace(self.context.policy.lifetimes, **changes))

    def gathered(self, database: Database, **changes: timedelta) -> Gathered:
        """Statements of the token path on another database, or with other lifetimes."""
        policy = self.context.policy
        made = gather_statements(
            database,
            Changes(),
            bounds=Bounds(queue=10),
            most_tokens=0,
            audience=policy.audience,
            lifetimes=replace(policy.lifetimes, **changes),
        )
        self._made.append(made)
        return made

    async def close(self) -> None:
        for made in self._made:
            await made.close()

    def without_valkey(self) -> FastAPI:
        return self.like(valkey=Valkey("unix:///nowhere/valkey.sock", connections=1, most_waiting=1000))


@asynccontextmanager
async def unreachable_database() -> AsyncIterator[Database]:
    database = await open_database("postgresql://nobody@/nothing?host=/nowhere", connections=1)
    try:
        yield database
    finally:
        await database.close()


def same_browser(browser: Browser, app: FastAPI, *, base_url: str = ORIGIN) -> Browser:
    """This browser, its cookies with it, in front of another process."""
    moved = Browser(app, base_url=base_url)
    for cookie in browser.http.cookies.jar:
        moved.http.cookies.jar.set_cookie(cookie)
    return moved

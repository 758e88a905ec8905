"""An answer to a program that a store makes late is called off, and what is said then has the form of its address."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from time import monotonic

import httpx2
import pytest

from app.door.bounds import Bounds
from app.settings import Settings
from app.web.paths import FLEET_V2, INTROSPECT, LOGIN, REVOKE, TELEMETRY, TOKEN, USERINFO
from app.web.table import is_bounded
from tests.door.serving import serving
from tests.support.approvals import waiting_code
from tests.support.browser import Browser
from tests.support.changing import until_true
from tests.support.people import World
from tests.support.proxy import Proxy
from tests.support.refusals import assert_unavailable
from tests.support.stores import context_through_proxy
from tests.web.services import Services

# The product's bound, ten times as fast: a statement alone may take six times as long.
SOON = Bounds(answer_s=0.2, sweep_s=0.05)


@dataclass(frozen=True, slots=True)
class Late:
    """A service behind its own edge, whose way to PostgreSQL is the proxy."""

    http: httpx2.AsyncClient
    proxy: Proxy
    world: World
    token: str

    @property
    def secret(self) -> dict[str, str]:
        return {"client_id": self.world.client_id, "client_secret": self.world.client_secret}

    async def exchange(self) -> httpx2.Response:
        code = (await waiting_code(self.world)).text
        return await self.http.post(TOKEN, data={**self.secret, "code": code})

    async def introspect(self) -> httpx2.Response:
        return await self.http.post(INTROSPECT, data={**self.secret, "token": self.token})

    async def revoke(self) -> httpx2.Response:
        return await self.http.post(REVOKE, data={**self.secret, "token": "made up"})

    async def read(self) -> httpx2.Response:
        return await self.http.get(f"{FLEET_V2}/1", headers={"Authorization": f"Bearer {self.token}"})


@pytest.fixture(params=[True, False], ids=["front", "framework"])
async def late(
    request: pytest.FixtureRequest, settings: Settings, database_url: str, browser: Browser, world: World
) -> AsyncIterator[Late]:
    token = await world.token(browser)
    services = Services(settings.model_copy(update={"asgi_front": request.param}), world.context)
    async with context_through_proxy(world.context, database_url) as (through, proxy):
        app = services.like(
            database=through.database, gathered=through.gathered, background=through.background
        )
        async with (
            serving(app, SOON) as port,
            httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http,
        ):
            yield Late(http, proxy, world, token)


@pytest.mark.parametrize("ask", [Late.exchange, Late.introspect, Late.revoke], ids=lambda ask: ask.__name__)
async def test_an_answer_of_the_token_path_is_called_off(
    late: Late, ask: Callable[[Late], Awaitable[httpx2.Response]]
) -> None:
    """R-88: its form is that of RFC 6749 section 5.2."""
    late.proxy.fall_silent()
    began = monotonic()
    answer = await ask(late)
    assert 0.2 <= monotonic() - began < 1
    assert_unavailable(answer)


async def test_a_page_of_the_fleet_is_called_off(late: Late) -> None:
    """R-88: its form is that of AEMP."""
    late.proxy.fall_silent()
    began = monotonic()
    answer = await late.read()
    assert 0.2 <= monotonic() - began < 1
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert answer.headers["content-type"].startswith("application/xml")
    assert "temporarily_unavailable" in answer.text


async def test_a_store_that_answers_again_is_asked_on_the_same_connection(late: Late) -> None:
    """Nothing is lost with an answer that was called off."""
    late.proxy.fall_silent()
    assert (await late.introspect()).status_code == 503
    late.proxy.speak()

    async def is_active() -> bool:
        answer = await late.introspect()
        return answer.status_code == 200 and bool(answer.json()["active"])

    await until_true(is_active, patience_s=5)


def test_programs_are_answered_in_time_and_people_and_long_documents_are_not_called_off() -> None:
    assert all(
        map(is_bounded, (TOKEN, INTROSPECT, REVOKE, USERINFO, FLEET_V2, f"{FLEET_V2}/1", "/api/Fleet"))
    )
    assert not any(map(is_bounded, (TELEMETRY, LOGIN, "/app/oauth2/authorize", "/docs", "/")))

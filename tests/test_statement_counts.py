"""How many statements and commands a request costs its stores, counted on the wire. A change of a number is a decision."""

import asyncio
import hmac
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from fastapi import FastAPI

from app.context import Context
from app.main import create_app
from app.oauth.token_string import mint
from app.settings import Settings
from app.storage.people.signing_keys import remember_signing_keys
from app.storage.postgres.changes import Changes
from app.throttling.failures import Failures
from tests.support.approvals import waiting_code
from tests.support.browser import Browser
from tests.support.changing import until
from tests.support.families import begin
from tests.support.moving import Former
from tests.support.people import Strict, World, pair_of
from tests.support.proxy import Proxy
from tests.support.references import without_reference
from tests.support.stores import context_through_proxy, gathered_on


@dataclass(frozen=True, slots=True)
class Counted:
    """A service of its own behind a proxy that counts."""

    app: FastAPI
    proxy: Proxy
    world: World
    token: str

    async def settle(self) -> int:
        """Statements so far, with what followed the answers."""
        await self.app.state.context.background.settle()
        return self.proxy.statements_asked()


async def warmed(app: FastAPI, world: World, context: Context) -> str:
    """A request of each kind, so that no statement of a new connection (SET ROLE) is counted; a token."""
    strict = await Strict.register(context)
    async with Browser(app) as browser:
        spent = pair_of(await strict.exchange(browser, (await waiting_code(strict)).text)).refresh
        await strict.refreshed(browser, spent)
        await strict.refresh(browser, spent)
        token = (await world.exchange(browser, (await waiting_code(world)).text)).json()["access_token"]
        await world.introspect(browser, token)
    return str(token)


@pytest.fixture
async def counted(world: World, settings: Settings, database_url: str) -> AsyncIterator[Counted]:
    async with context_through_proxy(world.context, database_url, connections=1) as (context, proxy):
        app = create_app(settings)
        app.state.context = context
        token = await warmed(app, world, context)
        yield Counted(app, proxy, replace(world, context=context), token)


async def test_a_token_costs_two_statements_and_one_that_follows(counted: Counted) -> None:
    """The application, the grant with its token; after the answer the surplus of the pair."""
    code = await waiting_code(counted.world)
    before = await counted.settle()
    async with Browser(counted.app) as browser:
        assert (await counted.world.exchange(browser, code.text)).status_code == 200
    assert await counted.settle() - before == 3


async def test_a_strict_code_and_a_refresh_cost_two_statements_each_and_nothing_follows(
    counted: Counted,
) -> None:
    """The application; the grant with both tokens, or the spent token with its successor and the access token."""
    strict = await Strict.register(counted.world.context)
    code = await waiting_code(strict)
    async with Browser(counted.app) as browser:
        before = await counted.settle()
        pair = pair_of(await strict.exchange(browser, code.text))
        assert await counted.settle() - before == 2
        before = await counted.settle()
        pair = await strict.refreshed(browser, pair.refresh)
        assert await counted.settle() - before == 2


async def test_a_crowd_of_refreshes_shares_its_statements(counted: Counted) -> None:
    """Each of a family of its own: the first goes alone, those that came meanwhile together."""
    strict = await Strict.register(counted.world.context)
    tokens = [await begin(counted.world.context, strict) for _ in range(20)]
    async with Browser(counted.app) as browser:
        before = await counted.settle()
        answers = await asyncio.gather(*(strict.refresh(browser, token) for token in tokens))
    assert {answer.status_code for answer in answers} == {200}
    assert await counted.settle() - before <= 6


async def test_a_refused_refresh_token_costs_one_more_look_and_rubbish_none(counted: Counted) -> None:
    """R-22: what is not well-formed is not asked for; what is refused is looked at in a new snapshot."""
    strict = await Strict.register(counted.world.context)
    async with Browser(counted.app) as browser:
        for token, statements in ((mint("rt", "s", 7).text, 3), ("rubbish", 1)):
            before = await counted.settle()
            assert (await strict.refresh(browser, token)).status_code == 400
            assert await counted.settle() - before == statements


async def test_a_refused_secret_costs_one_statement(counted: Counted) -> None:
    before = await counted.settle()
    async with Browser(counted.app) as browser:
        answer = await counted.world.exchange(browser, "rovi_ac_x", client_secret="wrong")
    assert answer.status_code == 401
    assert await counted.settle() - before == 1


FAILURES: dict[str, dict[str, str | None]] = {
    "wrong secret": {"client_secret": "wrong"},
    "no secret": {"client_secret": None},
    "unknown": {"client_id": "01900000-0000-7000-8000-000000000000"},
    "unknown, no secret": {"client_id": "01900000-0000-7000-8000-000000000000", "client_secret": None},
    "deleted": {},
    "pending": {},
}


async def test_every_failed_authentication_costs_and_tells_the_same(
    counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """O-45, O-46: one statement and one comparison of digests, so that time tells no more than the answer does."""
    compared, told = 0, set()

    def counting(one: bytes, other: bytes, compare: Callable[..., bool] = hmac.compare_digest) -> bool:
        nonlocal compared
        compared += 1
        return compare(one, other)

    for name, changes in FAILURES.items():
        status = name if name in ("deleted", "pending") else "active"
        await counted.world.context.database.count(
            "UPDATE application SET status = $2 WHERE id = $1", counted.world.registered.client.id, status
        )
        before, compared = await counted.settle(), 0
        async with Browser(counted.app) as browser:
            with monkeypatch.context() as patched:
                patched.setattr(hmac, "compare_digest", counting)
                answer = await counted.world.exchange(browser, "rovi_ac_x", **changes)
        assert (await counted.settle() - before, compared) == (1, 1), name
        headers = {header: value for header, value in answer.headers.items() if header != "x-request-id"}
        told.add((answer.status_code, without_reference(answer), *headers.items()))
    assert len(told) == 1


async def test_an_introspection_costs_two_statements_and_rubbish_one(counted: Counted) -> None:
    """R-22: the application, the token; a string that cannot be a token is not asked for."""
    async with Browser(counted.app) as browser:
        mistyped = counted.token[:9] + counted.token[9:].swapcase()
        for token, statements in ((counted.token, 2), ("rubbish", 1), (mistyped, 1)):
            before = await counted.settle()
            await counted.world.introspect(browser, token)
            assert await counted.settle() - before == statements


async def test_a_token_of_a_former_system_costs_two_statements_and_one_that_follows(counted: Counted) -> None:
    """R-22: the application, the token, and once a day its use; only the first where no such token is accepted."""
    off, former = counted.app.state.context, await Former.make(counted.world.context)
    end = off.now() + timedelta(days=1)
    gathered = gathered_on(off, off.database, None, end)
    on = replace(off, policy=replace(off.policy, legacy_tokens_until=end), gathered=gathered)
    async with Browser(counted.app) as browser:
        for context, token, statements in (
            (on, "unknown", None),  # by which its connections become the service
            (off, former.token, 1),
            (on, former.token, 3),
            (on, former.token, 2),
        ):
            counted.app.state.context = context
            before = await counted.settle()
            fields = {**former.credentials, "token": token}
            answer = await browser.http.post("/app/oauth2/introspect", data=fields)
            assert answer.json()["active"] is (context is on and token == former.token)
            assert statements in (None, await counted.settle() - before)
    await gathered.close()


@pytest.fixture
async def remembering(world: World, settings: Settings, database_url: str) -> AsyncIterator[Counted]:
    """The same with its memory on."""
    changes = Changes()
    changes.listen(database_url)
    async with context_through_proxy(world.context, database_url, connections=1) as (through, proxy):
        context = replace(
            through,
            changes=changes,
            gathered=gathered_on(through, through.database, changes),
            signing_keys=remember_signing_keys(through.database, through.keys, changes),
        )
        app = create_app(settings)
        app.state.context = context
        await until(lambda: changes.current)
        token = await warmed(app, world, context)
        yield Counted(app, proxy, replace(world, context=context), token)
        await context.gathered.close()
    await changes.close()


async def test_what_is_remembered_costs_no_statement(remembering: Counted) -> None:
    """A token costs its own insert and the look at its pair's number, an introspection and the guard nothing."""
    code = await waiting_code(remembering.world)
    async with Browser(remembering.app) as browser:
        before = await remembering.settle()
        assert (await remembering.world.exchange(browser, code.text)).status_code == 200
        assert await remembering.settle() - before == 2
        before = await remembering.settle()
        assert (await remembering.world.introspect(browser, remembering.token))["active"] is True
        assert await remembering.settle() - before == 0
        answer = await browser.get("/api/v2/Fleet/1", Authorization=f"Bearer {remembering.token}")
        assert answer.status_code == 200
        assert await remembering.settle() - before == 1  # the page, which sets its view itself


async def test_a_failed_authentication_costs_a_statement_though_the_application_is_remembered(
    remembering: Counted,
) -> None:
    """O-45, R-26: one as for an unknown application, which never is; the right secret costs none."""
    async with Browser(remembering.app) as browser:
        for changes in ({}, *FAILURES.values()):
            fields = {"client_id": remembering.world.client_id, "token": "x", **changes}
            if "client_secret" not in fields:
                fields["client_secret"] = remembering.world.client_secret
            before = await remembering.settle()
            sent = {name: value for name, value in fields.items() if value is not None}
            answer = await browser.http.post("/app/oauth2/introspect", data=sent)
            assert (answer.status_code, await remembering.settle() - before) == (
                (401, 1) if changes else (200, 0)
            )


async def test_a_flood_of_wrong_secrets_is_no_flood_of_statements(remembering: Counted) -> None:
    """R-84: above the limit of an address they wait in its lane, as unknown applications do."""
    context = replace(remembering.world.context, failures=Failures(a_minute=3))
    remembering.app.state.context = context
    fields = {"client_id": remembering.world.client_id, "client_secret": "wrong", "token": "x"}
    async with Browser(remembering.app) as browser:

        async def guess() -> int:
            return (await browser.http.post("/app/oauth2/introspect", data=fields)).status_code

        for _ in range(5):
            await guess()
        before = await remembering.settle()
        assert set(await asyncio.gather(*(guess() for _ in range(60)))) == {429}
        assert await remembering.settle() - before <= 8
        right = await browser.http.post(
            "/app/oauth2/introspect", data={**fields, "client_secret": remembering.world.client_secret}
        )
        assert right.status_code == 200


async def test_a_refresh_costs_one_statement_once_the_application_is_remembered(
    remembering: Counted,
) -> None:
    """One round trip, whichever kind of strict application."""
    for public in (False, True):
        strict = await Strict.register(remembering.world.context, public=public)
        async with Browser(remembering.app) as browser:
            pair = pair_of(await strict.exchange(browser, (await waiting_code(strict)).text))
            before = await remembering.settle()
            pair = await strict.refreshed(browser, pair.refresh)
            assert await remembering.settle() - before == 1


async def test_a_signed_answer_costs_a_statement_once(remembering: Counted) -> None:
    """RFC 9701: the keys are remembered like tokens and applications are."""
    headers = {"Accept": "application/token-introspection+jwt"}
    world = remembering.world
    fields = {
        "client_id": world.client_id,
        "client_secret": world.client_secret,
        "token": remembering.token,
    }
    async with Browser(remembering.app) as browser:
        for statements in (1, 0):
            before = await remembering.settle()
            answer = await browser.http.post("/app/oauth2/introspect", data=fields, headers=headers)
            assert answer.headers["content-type"] == headers["Accept"]
            assert await remembering.settle() - before == statements


async def test_a_fleet_page_costs_the_token_and_one_statement(counted: Counted) -> None:
    """The page sets the view of its customer itself."""
    before = await counted.settle()
    async with Browser(counted.app) as browser:
        answer = await browser.get("/api/v2/Fleet/1", Authorization=f"Bearer {counted.token}")
    assert answer.status_code == 200
    assert await counted.settle() - before == 2


async def test_a_crowd_shares_its_statements(counted: Counted) -> None:
    """When a hundred come at once, the first goes alone, and the others go together."""
    before = await counted.settle()
    application = counted.world.registered.client.id
    gathered = counted.world.context.gathered
    found = await asyncio.gather(*(gathered.applications.find(application) for _ in range(100)))
    assert all(found)
    assert await counted.settle() - before <= 2

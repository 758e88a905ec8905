"""Introspection and revocation on the wire (RFC 7662, RFC 7009)."""

from dataclasses import replace
from uuid import uuid4

import asyncpg
import httpx2
import pytest

from app.context import Context
from app.oauth.token_string import mint, mint_client_secret, new_id, secret_digest
from app.storage.people.applications import insert_application, insert_client_secret
from app.storage.people.audit import AuditEvent
from tests.support.browser import Browser
from tests.support.changing import change
from tests.support.people import World
from tests.web.services import Services, unreachable_database
from tests.web.told import error_as_json

INTROSPECT = "/app/oauth2/introspect"
REVOKE = "/app/oauth2/revoke"
INACTIVE = {"active": False}


async def ask(browser: Browser, path: str, world: World, **fields: str) -> httpx2.Response:
    credentials = {"client_id": world.client_id, "client_secret": world.client_secret}
    return await browser.http.post(path, data={**credentials, **fields})


async def test_a_live_token_is_described_with_the_right_types(browser: Browser, world: World) -> None:
    """O-98, O-101, O-104."""
    token = await world.token(browser)
    answer = await ask(browser, INTROSPECT, world, token=token, token_type_hint="refresh_token")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    document = answer.json()
    assert document["active"] is True
    assert document["client_id"] == world.client_id
    assert document["sub"] == str(world.member.id)
    assert document["account"] == {"id": str(world.member.customer_id), "name": world.member.customer_name}
    assert document["scope"] == "aemp:read"
    assert document["token_type"] == "Bearer"
    assert document["aud"] == "http://localhost:8000/api"
    assert document["iss"] == "http://localhost:8000"
    assert document["exp"] - document["iat"] == 365 * 86_400
    assert isinstance(document["exp"], int)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "rovi_at_c" + "0" * 55,
        "a" * 10_000,
        mint("at", "c", 1).text,
        mint("at", "s", 1).text,
        mint("rt", "s", 1).text,
    ],
    ids=["empty", "short", "wrong checksum", "long", "unknown", "unknown strict", "refresh"],
)
async def test_whatever_is_not_a_live_token_is_inactive_and_nothing_more(
    token: str, browser: Browser, world: World
) -> None:
    """O-77, O-98, O-102, R-22."""
    answer = await ask(browser, INTROSPECT, world, token=token)
    if token:
        assert answer.json() == INACTIVE
    else:
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_malformed_tokens_are_judged_without_a_store(world: World, services: Services) -> None:
    """R-22: the answer needs no database once the caller is known, so none can be flooded with rubbish."""
    async with unreachable_database() as database:
        gathered = services.gathered(database)
        app = services.like(gathered=replace(gathered, applications=services.context.gathered.applications))
        async with Browser(app) as browser:
            assert (await ask(browser, INTROSPECT, world, token="rubbish" * 1000)).json() == INACTIVE
            unknown = mint("at", "c", 1).text
            assert (await ask(browser, INTROSPECT, world, token=unknown)).status_code == 503


async def test_tokens_need_no_valkey(browser: Browser, world: World, services: Services) -> None:
    """R-87: without it only new approvals and their codes wait."""
    token = await world.token(browser)
    async with Browser(services.without_valkey()) as other:
        assert (await world.introspect(other, token))["active"] is True
        read = await other.get("/api/v2/Fleet/1", Authorization=f"Bearer {token}")
        assert read.status_code == 200
        assert (await ask(other, REVOKE, world, token=token)).status_code == 200
    assert await world.introspect(browser, token) == INACTIVE


@pytest.mark.parametrize("path", [INTROSPECT, REVOKE])
async def test_the_caller_must_prove_who_it_is(path: str, browser: Browser, world: World) -> None:
    """O-87, O-89, O-99, O-100, O-106, R-21."""
    token = await world.token(browser)
    for fields in (
        {},
        {"client_id": world.client_id},
        {"client_id": world.client_id, "client_secret": "wrong"},
    ):
        answer = await browser.http.post(path, data={**fields, "token": token})
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert answer.headers["www-authenticate"] == 'Basic realm="RoviTracker"'
    assert (await browser.http.get(path)).status_code == 405
    assert (await world.introspect(browser, token))["active"] is True


async def test_another_application_sees_and_revokes_nothing(
    browser: Browser, world: World, context: Context
) -> None:
    """O-90, O-105, R-18: the answers are those for a token that never was."""
    other = await World.make(context)
    token = await world.token(browser)
    assert (await ask(browser, INTROSPECT, other, token=token)).json() == INACTIVE
    foreign = await ask(browser, REVOKE, other, token=token)
    unknown = await ask(browser, REVOKE, other, token=mint("at", "c", 1).text)
    assert (foreign.status_code, foreign.content) == (unknown.status_code, unknown.content) == (200, b"{}")
    assert (await world.introspect(browser, token))["active"] is True


async def test_a_resource_server_sees_tokens_for_its_audience_only(
    browser: Browser, world: World, context: Context, database_url: str
) -> None:
    """O-105; one audience has one resource server, so the AEMP routes' own is freed again afterwards."""
    token = await world.token(browser)
    for audience, sees in ((context.policy.audience, True), (f"https://{uuid4()}.example/api", False)):
        server = await resource_server(context, world, audience)
        answer = (await ask(browser, INTROSPECT, server, token=token)).json()
        assert answer["active"] is sees
        owner = await asyncpg.connect(database_url)
        await owner.execute(
            "UPDATE application SET audience = NULL WHERE id = $1", server.registered.client.id
        )
        await owner.close()


async def test_a_suspended_resource_server_is_told_nothing(
    browser: Browser, world: World, context: Context, database_url: str
) -> None:
    token = await world.token(browser)
    server = await resource_server(context, world, f"https://{uuid4()}.example/api")
    owner = await asyncpg.connect(database_url)
    await owner.execute(
        "UPDATE classic_token SET audience = $2 WHERE application_id = $1",
        world.registered.client.id,
        server.registered.client.audience,
    )
    await owner.close()
    for status, sees in (("active", True), ("suspended", False)):
        await change(
            context, "UPDATE application SET status = $2 WHERE id = $1", server.registered.client.id, status
        )
        assert (await ask(browser, INTROSPECT, server, token=token)).json()["active"] is sees


async def resource_server(context: Context, world: World, audience: str) -> World:
    secret = mint_client_secret()
    client = replace(world.registered.client, id=new_id(), audience=audience, grants=frozenset())
    await insert_application(context.database, client, None)
    await insert_client_secret(context.database, client.id, slot=1, digest=secret_digest(secret))
    return replace(world, registered=replace(world.registered, client=client, client_secret=secret))


async def test_a_revoked_token_is_dead_and_stays_revocable(browser: Browser, world: World) -> None:
    """O-91, O-92, O-94, O-95: hints do not matter, a second time is no error, nor is what never was."""
    kept = await world.token(browser)
    for hint in ("access_token", "refresh_token", "nonsense"):
        token = await world.token(browser)
        for _ in range(2):
            answer = await ask(browser, REVOKE, world, token=token, token_type_hint=hint)
            assert (answer.status_code, answer.content) == (200, b"{}")
        assert await world.introspect(browser, token) == INACTIVE
        read = await browser.get("/api/v2/Fleet/1", Authorization=f"Bearer {token}")
        assert read.status_code == 401
    for unknown in ("x", mint("at", "c", 1).text, mint("rt", "s", 1).text, await world.code(browser)):
        answer = await ask(browser, REVOKE, world, token=unknown)
        assert (answer.status_code, answer.content) == (200, b"{}")
    assert (await world.introspect(browser, kept))["active"] is True


async def test_a_revocation_is_answered_for_libraries_that_parse_every_body(
    browser: Browser, world: World
) -> None:
    """O-95: the body is to be ignored, yet simple-oauth2 fails when it is not JSON."""
    answer = await ask(browser, REVOKE, world, token=await world.token(browser))
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {}


@pytest.mark.parametrize(
    ("statement", "undo"),
    [
        (
            "UPDATE application SET status = 'suspended' WHERE id = $1",
            "UPDATE application SET status = 'active' WHERE id = $1",
        ),
        (
            "UPDATE customer SET disabled_at = now() WHERE id = $2",
            "UPDATE customer SET disabled_at = NULL WHERE id = $2",
        ),
    ],
    ids=["suspended application", "disabled customer"],
)
async def test_tokens_rest_on_application_and_customer(
    statement: str, undo: str, browser: Browser, world: World, context: Context
) -> None:
    """R-20, O-103: inactive while it lasts, active again afterwards."""
    token = await world.token(browser)
    client_id, customer_id = world.registered.client.id, world.member.customer_id
    for step, active in ((statement, False), (undo, True)):
        await change(context, step.replace("$2", "$1"), customer_id if "customer" in step else client_id)
        assert (await world.introspect(browser, token))["active"] is active


async def test_an_expired_token_is_inactive(browser: Browser, world: World, context: Context) -> None:
    """O-103: by the database's clock."""
    token = await world.token(browser)
    await change(
        context,
        "UPDATE classic_token SET expires_at = clock_timestamp() WHERE application_id = $1",
        world.registered.client.id,
    )
    assert await world.introspect(browser, token) == INACTIVE


async def test_use_renews_a_classic_token_once_a_day_and_never_a_revoked_one(
    browser: Browser, world: World, context: Context
) -> None:
    token, revoked = await world.token(browser), await world.token(browser)
    await ask(browser, REVOKE, world, token=revoked)
    age = "UPDATE classic_token SET used_at = used_at - interval '2 days', expires_at = expires_at - interval '2 days' WHERE application_id = $1"
    await change(context, age, world.registered.client.id)
    before = (await world.introspect(browser, token))["exp"]
    await world.introspect(browser, revoked)
    await context.background.settle()
    after = (await world.introspect(browser, token))["exp"]
    assert isinstance(before, int)
    assert isinstance(after, int)
    assert 2 * 86_400 - 60 < after - before < 2 * 86_400 + 60
    await context.background.settle()
    assert (await world.introspect(browser, token))["exp"] == after
    rows = await context.database.rows(
        "SELECT used_at > now() - interval '1 day' AS fresh FROM classic_token WHERE application_id = $1 ORDER BY id",
        world.registered.client.id,
    )
    assert [row["fresh"] for row in rows] == [True, False]


async def test_a_strangers_question_renews_nothing(browser: Browser, world: World, context: Context) -> None:
    """A caller uses a token only if it may know of it."""
    stranger = await World.make(context)
    token = await world.token(browser)
    before = (await world.introspect(browser, token))["exp"]
    await change(
        context,
        "UPDATE classic_token SET used_at = used_at - interval '2 days' WHERE application_id = $1",
        world.registered.client.id,
    )
    context.changes.note(world.registered.client.id)  # else the token would be remembered as just used
    assert (await ask(browser, INTROSPECT, stranger, token=token)).json() == INACTIVE
    await context.background.settle()
    rows = await context.database.rows(
        "SELECT used_at < now() - interval '1 day' AS untouched FROM classic_token WHERE application_id = $1",
        world.registered.client.id,
    )
    assert [row["untouched"] for row in rows] == [True]
    assert (await world.introspect(browser, token))["exp"] == before


def test_audit_events_have_no_place_for_a_token() -> None:
    assert not [name for name in AuditEvent.__dataclass_fields__ if "token" in name or "secret" in name]


@pytest.mark.parametrize(
    ("fields", "content_type", "status"),
    [
        ({}, "application/x-www-form-urlencoded", 400),
        ({"token": ""}, "application/x-www-form-urlencoded", 400),
        ({"token_type_hint": "access_token"}, "application/x-www-form-urlencoded", 400),
        ({"token": "x"}, "application/json", 415),
        ({"token": "x"}, "text/plain", 415),
    ],
    ids=str,
)
async def test_only_a_form_with_a_token_is_answered(
    fields: dict[str, str], content_type: str, status: int, browser: Browser, world: World
) -> None:
    """O-87, O-88, O-98: and what is refused is told as JSON."""
    form = httpx2.QueryParams({"client_id": world.client_id, "client_secret": world.client_secret, **fields})
    for path in (INTROSPECT, REVOKE):
        answer = await browser.http.post(path, content=str(form), headers={"Content-Type": content_type})
        assert (answer.status_code, error_as_json(answer)) == (status, "invalid_request")
        for method in ("GET", "PUT", "DELETE"):
            refused = await browser.http.request(method, path)
            assert (refused.status_code, refused.headers["allow"]) == (405, "POST")

"""Tokens, client ids and secrets of a former system work until the day that ends them, and end like ours before."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from hashlib import pbkdf2_hmac
from urllib.parse import quote
from uuid import uuid4

import httpx2
import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI

from app.context import Context
from app.flows.account.change_application import change_status, rotate_secret
from app.flows.account.change_customer import disable_customer
from app.flows.account.register_application import register_application
from app.flows.approval.connections import disconnect_application, list_connections
from app.flows.fleet.count_reads import write_reads
from app.flows.token.revoke_token import revoke_any_token
from app.oauth.actor import COMMAND_LINE
from app.oauth.token_string import id_of_digest, mint, secret_digest
from app.process.passwords import Passwords
from app.storage.postgres.changes import Changes
from app.throttling.failures import Failures
from tests.support.browser import Browser
from tests.support.changing import as_owner, until, within_a_second
from tests.support.moving import DOCUMENTED, Former, digest_of
from tests.support.people import REDIRECT_URI, reads
from tests.support.stores import context_through_proxy, gathered_on
from tests.web.services import Services

FLEET = "/api/v2/Fleet/1"
INACTIVE = {"active": False}


@dataclass(frozen=True, slots=True)
class Moving:
    """A process that accepts tokens of a former system, and remembers them."""

    app: FastAPI
    context: Context
    services: Services

    def under(self, **changes: object) -> FastAPI:
        return self.services.like(
            **{"policy": self.context.policy, "gathered": self.context.gathered, **changes}
        )


@pytest.fixture
async def moving(services: Services, database_url: str) -> AsyncIterator[Moving]:
    """Its own process: it hears of changes as any other does."""
    shared = services.context
    end = shared.now() + timedelta(days=30)
    changes = Changes()
    changes.listen(database_url)
    policy = replace(shared.policy, legacy_tokens_until=end)
    gathered = gathered_on(shared, shared.database, changes, end)
    app = services.like(policy=policy, gathered=gathered, changes=changes)
    await until(lambda: changes.current)
    yield Moving(app, app.state.context, services)
    await gathered.close()
    await changes.close()


@pytest.fixture
async def visitor(moving: Moving) -> AsyncIterator[Browser]:
    async with Browser(moving.app) as browser:
        yield browser


async def introspect(browser: Browser, token: str, **credentials: str) -> httpx2.Response:
    return await browser.http.post("/app/oauth2/introspect", data={"token": token, **credentials})


async def test_the_documented_token_goes_on_working(moving: Moving, visitor: Browser) -> None:
    """O-103, O-105: it reads its customer's machines, and its application is told of it by the client_id it knows."""
    former = await Former.make(moving.context, token=DOCUMENTED)
    try:
        assert await reads(visitor, DOCUMENTED)
        told = (await introspect(visitor, DOCUMENTED, **former.credentials)).json()
        assert told.pop("exp") <= moving.context.now().timestamp() + 30 * 86_400
        assert told == {
            "active": True,
            "scope": "aemp:read",
            "client_id": former.client_id,
            "token_type": "Bearer",
            "sub": former.client_id,
            "account": {
                "id": str(former.world.member.customer_id),
                "name": former.world.member.customer_name,
            },
            "aud": moving.context.policy.audience,
            "iss": moving.context.policy.issuer,
            "jti": str(id_of_digest(secret_digest(DOCUMENTED))),
        }
        stranger = {"client_id": former.world.client_id, "client_secret": former.world.client_secret}
        assert (await introspect(visitor, DOCUMENTED, **stranger)).json() == INACTIVE
    finally:  # another test may bring the same
        await moving.context.database.count(
            "UPDATE legacy_token SET revoked_at = now() WHERE id = $1",
            id_of_digest(secret_digest(DOCUMENTED)),
        )


async def test_a_resource_server_is_told_of_it(moving: Moving, visitor: Browser, database_url: str) -> None:
    """O-105."""
    former = await Former.make(moving.context, issued_at="2024-05-04T12:00:00Z")
    audience = moving.context.policy.audience
    server = await register_application(
        moving.context, COMMAND_LINE, name="Watcher", company="Ours", audience=audience
    )
    credentials = {"client_id": str(server.client.id), "client_secret": str(server.client_secret)}
    try:
        told = (await introspect(visitor, former.token, **credentials)).json()
        assert (told["client_id"], told["iat"]) == (former.client_id, 1_714_824_000)
    finally:  # one audience has one resource server
        await as_owner(database_url, "UPDATE application SET audience = NULL WHERE id = $1", server.client.id)


async def test_before_it_is_switched_on_and_after_its_end_no_store_is_asked(
    moving: Moving, database_url: str
) -> None:
    """R-22."""
    former = await Former.make(moving.context)
    async with context_through_proxy(moving.context, database_url, connections=1) as (through, proxy):
        end = moving.context.policy.legacy_tokens_until
        gathered = gathered_on(through, through.database, None, end)
        off = replace(through.policy, legacy_tokens_until=None)
        for policy, later, asks in (
            (through.policy, timedelta(0), True),
            (through.policy, timedelta(days=30), False),
            (off, timedelta(0), False),
        ):
            app = moving.services.like(
                policy=policy,
                database=through.database,
                gathered=gathered,
                now=lambda later=later: moving.context.now() + later,
            )
            async with Browser(app) as browser:
                before = proxy.statements_asked()
                assert await reads(browser, former.token) is asks
                assert await reads(browser, "made-up") is False
                assert (proxy.statements_asked() > before) is asks
        await gathered.close()


async def test_what_is_remembered_ends_with_the_day_too(moving: Moving, visitor: Browser) -> None:
    former = await Former.make(moving.context)
    assert await reads(visitor, former.token)
    late = moving.under(now=lambda: moving.context.now() + timedelta(days=30))
    async with Browser(late) as browser:
        assert not await reads(browser, former.token)


async def agrees(browser: Browser, token: str, lives: object) -> bool:
    return await reads(browser, token) is lives


async def test_it_is_remembered_like_a_token_of_ours(moving: Moving, visitor: Browser) -> None:
    former = await Former.make(moving.context)
    for _ in range(2):  # the first use is written down, and what changes is forgotten
        assert await reads(visitor, former.token)
        await moving.context.background.settle()
    remembered = moving.context.gathered.legacy_tokens.recall(id_of_digest(secret_digest(former.token)))
    assert remembered is not None
    await write_reads(moving.context)
    [connection] = await list_connections(moving.context, former.world.member.customer_id)
    assert connection.application.client.client_id == former.client_id
    assert connection.connection.reads_30_days == 2


async def test_its_application_ends_it_in_every_process(moving: Moving, visitor: Browser) -> None:
    """O-93, O-94, R-16: asked at one process, refused by another within a second; another application ends nothing."""
    former = await Former.make(moving.context)
    assert await reads(visitor, former.token)
    elsewhere = moving.services.like(policy=moving.context.policy)  # hears by another connection
    stranger = {"client_id": former.world.client_id, "client_secret": former.world.client_secret}
    async with Browser(elsewhere) as other:
        for credentials, lives in ((stranger, True), (former.credentials, False)):
            answer = await other.http.post("/app/oauth2/revoke", data={"token": former.token, **credentials})
            assert answer.status_code == 200

            await within_a_second(partial(agrees, visitor, former.token, lives))
    assert (await introspect(visitor, former.token, **former.credentials)).json() == INACTIVE
    event = await moving.context.database.row(
        "SELECT actor_kind FROM audit_event WHERE event = 'token.revoked' AND customer_id = $1",
        former.world.member.customer_id,
    )
    assert event is not None
    assert event["actor_kind"] == "application"


@pytest.mark.parametrize("by", ["customer", "application", "account", "operator", "owner"])
async def test_it_ends_like_any_other_within_a_second(
    by: str, moving: Moving, visitor: Browser, services: Services
) -> None:
    """R-2, R-16, R-19: changed beside the process that remembers it."""
    former = await Former.make(moving.context)
    assert await reads(visitor, former.token)
    beside, member = services.context, former.world.member
    if by == "customer":
        row = await beside.database.row(
            "SELECT id FROM application WHERE former_client_id = $1", former.client_id
        )
        assert row is not None
        await disconnect_application(beside, COMMAND_LINE, member.customer_id, row["id"])
    elif by == "application":
        await change_status(beside, COMMAND_LINE, former.client_id, "suspend")
    elif by == "account":
        await disable_customer(beside, COMMAND_LINE, member.email)
    elif by == "operator":
        assert await revoke_any_token(beside, COMMAND_LINE, former.token)
    else:
        await beside.database.count(
            "UPDATE legacy_token SET revoked_at = now() WHERE id = $1",
            id_of_digest(secret_digest(former.token)),
        )

    async def is_refused() -> bool:
        return not await reads(visitor, former.token)

    await within_a_second(is_refused)


async def test_a_customer_sees_the_connection_while_its_token_is_accepted(
    moving: Moving, services: Services
) -> None:
    former = await Former.make(moving.context, issued_at="2024-05-04T12:00:00Z")
    customer_id = former.world.member.customer_id
    [connected] = await list_connections(moving.context, customer_id)
    assert connected.application.client.client_id == former.client_id
    assert f"{connected.connection.connected_at:%Y-%m-%d}" == "2024-05-04"
    assert await list_connections(services.context, customer_id) == ()


async def test_its_own_end_comes_first(moving: Moving, visitor: Browser) -> None:
    soon = moving.context.now() + timedelta(seconds=0.6)
    former = await Former.make(moving.context, expires_at=soon.isoformat())
    assert await reads(visitor, former.token)

    async def is_refused() -> bool:
        return not await reads(visitor, former.token)

    await within_a_second(is_refused)


@pytest.mark.parametrize("token", ["1|odd:token", "x" * 300, "{uuid}", "a=b&c%20d"])
async def test_a_token_of_any_form_is_taken(
    token: str, moving: Moving, visitor: Browser, browser: Browser
) -> None:
    """Where none is accepted, what is no token68 of RFC 6750 stays malformed."""
    former = await Former.make(moving.context, token=f"{token}{uuid4().hex[:8]}")
    assert await reads(visitor, former.token)
    refused = await browser.get(FLEET, Authorization=f"Bearer {former.token}")
    assert refused.status_code == (401 if former.token.isalnum() else 400)


async def test_a_string_that_begins_like_ours_is_never_a_former_token(
    moving: Moving, visitor: Browser
) -> None:
    """R-22: not even one that was imported, so a mistyped token of ours is asked of no store."""
    text = mint("at", "c", 7).text[:-1] + "!"
    former = await Former.make(moving.context, token=text)
    assert not await reads(visitor, former.token)


async def test_made_up_tokens_are_counted_and_end_in_a_lane(moving: Moving) -> None:
    """R-84: more than the limit are answered 429, before the framework too, and a remembered token is not."""
    former = await Former.make(moving.context)
    app = moving.under(failures=Failures(a_minute=3), changes=moving.context.changes)
    async with Browser(app) as browser:
        assert await reads(browser, former.token)

        async def guess(_: int) -> int:
            return (await browser.get(FLEET, Authorization=f"Bearer {uuid4().hex}")).status_code

        assert {await guess(number) for number in range(4)} == {401}
        assert set(await asyncio.gather(*map(guess, range(30)))) == {401, 429}
        assert await reads(browser, former.token)


async def introspect_by(browser: Browser, token: str, authorization: str) -> httpx2.Response:
    headers = {"Authorization": authorization}
    return await browser.http.post("/app/oauth2/introspect", data={"token": token}, headers=headers)


def basic(client_id: str, secret: str) -> str:
    return "Basic " + b64encode(f"{client_id}:{secret}".encode()).decode()


async def test_a_former_client_id_is_known_in_the_body_and_encoded_in_basic(
    moving: Moving, visitor: Browser
) -> None:
    """RFC 6749 section 2.3.1: a colon would end the id, so it is percent-encoded."""
    client_id, secret = f"acme:fleet/1+{uuid4().hex[:8]}&%", "a+b/c=="
    former = await Former.make(moving.context, client_id=client_id, secret=secret)
    assert (await introspect(visitor, former.token, **former.credentials)).json()["active"] is True
    encoded = quote(client_id, safe="")
    for sent in (quote(secret, safe=""), secret):  # many programs encode nothing, but the id must be
        told = await introspect_by(visitor, former.token, basic(encoded, sent))
        assert told.json()["client_id"] == client_id, sent
    for wrong in ("a b/c==", "a%2Bb", "%"):
        assert (await introspect_by(visitor, former.token, basic(encoded, wrong))).status_code == 401, wrong
    sparing = Failures(a_minute=3)
    async with Browser(moving.under(failures=sparing)) as other:
        for _ in range(5):  # the right secret counts as no failure, whichever way it is sent
            assert (await introspect_by(other, former.token, basic(encoded, secret))).status_code == 200
    assert not sparing._levels


async def test_the_id_of_a_former_application_is_no_client_id(moving: Moving, visitor: Browser) -> None:
    former = await Former.make(moving.context)
    statement = "SELECT id FROM application WHERE former_client_id = $1"
    [row] = await moving.context.database.rows(statement, former.client_id)
    answer = await introspect(visitor, "x", client_id=str(row["id"]), client_secret=former.secret)
    assert answer.status_code == 401


async def test_a_former_application_gets_tokens_of_ours_under_its_client_id(
    moving: Moving, visitor: Browser
) -> None:
    """The documented flow: only the token's form changes."""
    former = await Former.make(moving.context)
    world = former.world
    query = {"client_id": former.client_id, "redirect_uri": REDIRECT_URI}
    page = await world.consent_page(visitor, **query)
    answer = await visitor.submit(page, {"decision": "approve"}, action="/consent")
    code = str(httpx2.URL(answer.headers["location"]).params["code"])
    token = (await world.exchange(visitor, code, **former.credentials)).json()["access_token"]
    assert token.startswith("rovi_at_c")
    assert (await introspect(visitor, token, **former.credentials)).json()["client_id"] == former.client_id


def pbkdf2(secret: str) -> str:
    digest = b64encode(pbkdf2_hmac("sha256", secret.encode(), b"salt", 20_000)).decode()
    return f"pbkdf2_sha256$20000$salt${digest}"


async def test_a_slow_hash_is_verified_once_and_then_replaced(moving: Moving, visitor: Browser) -> None:
    """R-24: afterwards only the digest is stored, and no hash is computed any more."""
    secret = "former secret, 50% off"
    for slow_hash in (PasswordHasher(memory_cost=1024, time_cost=1).hash(secret), pbkdf2(secret)):
        former = await Former.make(moving.context, secret=secret, secret_hash=slow_hash)
        wrong = {**former.credentials, "client_secret": "wrong"}
        assert (await introspect(visitor, former.token, **wrong)).status_code == 401
        assert await secrets_of(moving.context, former) == [(None, slow_hash)]
        for _ in range(2):
            assert (await introspect(visitor, former.token, **former.credentials)).json()["active"] is True
        assert await secrets_of(moving.context, former) == [(digest_of(secret), None)]
        assert (await introspect(visitor, former.token, **wrong)).status_code == 401


SECRETS = """\
SELECT encode(s.digest, 'hex') AS digest, s.slow_hash
FROM client_secret s JOIN application a ON a.id = s.application_id WHERE a.former_client_id = $1"""


async def secrets_of(context: Context, former: Former) -> list[tuple[str | None, str | None]]:
    """The digest and the slow hash of each secret that the former application has here."""
    rows = await context.database.rows(SECRETS, former.client_id)
    return [(row["digest"], row["slow_hash"]) for row in rows]


class Counting(Passwords):
    """Counts what is hashed."""

    hashed = 0

    async def matches_slow_hash(self, slow_hash: str, secret: str, *, asker: str) -> bool:
        self.hashed += 1
        return await super().matches_slow_hash(slow_hash, secret, asker=asker)


async def test_guesses_at_a_slow_hash_are_limited_before_they_are_hashed(moving: Moving) -> None:
    """R-60, R-84."""
    former = await Former.make(moving.context, secret_hash=pbkdf2("former secret"))
    passwords = Counting(threads=1)
    app = moving.under(failures=Failures(a_minute=3), passwords=passwords)
    async with Browser(app) as browser:
        for number in range(8):
            answer = await introspect(browser, "x", **{**former.credentials, "client_secret": f"{number}"})
            assert answer.status_code == (401 if number < 3 else 429)
    assert passwords.hashed == 4
    async with Browser(app, address="127.0.0.2") as elsewhere:
        assert (await introspect(elsewhere, former.token, **former.credentials)).json()["active"] is True
    passwords.close()


async def test_one_caller_cannot_take_all_places_for_hashing(moving: Moving) -> None:
    """R-60: what finds no place is told to come back, and is never called wrong."""
    former = await Former.make(moving.context, secret_hash=pbkdf2("former secret"))
    passwords = Passwords(threads=1)
    async with Browser(moving.under(passwords=passwords)) as browser:
        answers = await asyncio.gather(
            *(introspect(browser, former.token, **former.credentials) for _ in range(8))
        )
    assert {answer.status_code for answer in answers} <= {200, 503}
    assert [answer.status_code for answer in answers].count(200) >= 5
    passwords.close()


async def test_a_rotated_secret_leaves_a_slow_hash_behind_it(moving: Moving, visitor: Browser) -> None:
    former = await Former.make(moving.context, secret_hash=pbkdf2("former secret"))
    from_now_on = await rotate_secret(moving.context, COMMAND_LINE, former.client_id, timedelta(days=7))
    for secret in (from_now_on, former.secret):
        told = await introspect(visitor, former.token, client_id=former.client_id, client_secret=secret)
        assert told.json()["active"] is True

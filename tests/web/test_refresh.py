"""The refresh token grant on the wire (RFC 6749 section 6): rotation for every client, and every refusal."""

import base64
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.context import Context
from app.flows.account.change_application import change_status
from app.flows.account.change_customer import disable_customer, enable_customer
from app.oauth.actor import COMMAND_LINE
from app.oauth.token_string import compose, mint
from tests.support.browser import Browser
from tests.support.changing import as_owner, change
from tests.support.families import events, forge, read
from tests.support.people import Pair, Strict, pair_of, reads
from tests.support.references import without_reference
from tests.support.refusals import assert_unavailable, error_of
from tests.web.services import Services, unreachable_database

INACTIVE = {"active": False}


@pytest.fixture(params=[False, True], ids=["confidential", "public"])
async def strict(request: pytest.FixtureRequest, context: Context) -> Strict:
    return await Strict.register(context, public=request.param)


@pytest.fixture
async def pair(browser: Browser, strict: Strict) -> Pair:
    return await strict.pair(browser)


SCOPES_AND_ENDS = """\
SELECT scope, expires_at - issued_at AS idle, absolute_expires_at - approved_at AS absolute
FROM refresh_token WHERE application_id = $1 ORDER BY issued_at"""


async def scopes_and_ends(strict: Strict) -> list[tuple[str, timedelta, timedelta]]:
    """Each refresh token's scope, its life, and its family's from the approval, in the order of issue."""
    rows = await strict.context.database.rows(SCOPES_AND_ENDS, strict.registered.client.id)
    return [(row["scope"], row["idle"], row["absolute"]) for row in rows]


async def test_refresh_gives_a_new_pair_and_spends_the_old_token(
    browser: Browser, strict: Strict, pair: Pair
) -> None:
    """O-54, O-55 (strict), O-56, O-57, O-60, O-61, O-132: for confidential and for public applications alike."""
    answer = await strict.refresh(browser, pair.refresh)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"
    document = answer.json()
    assert set(document) == {"access_token", "token_type", "type", "expires_in", "scope", "refresh_token"}
    assert document["token_type"] == document["type"] == "Bearer"
    assert (document["expires_in"], document["scope"]) == (3600, "aemp:read")
    new = pair_of(answer)
    assert len({*pair, *new}) == 4
    assert [await reads(browser, each.access) for each in (pair, new)] == [True, True]
    newest = new
    for _ in range(3):
        newest = await strict.refreshed(browser, newest.refresh)
    assert await reads(browser, newest.access)


async def test_family_ends_at_its_absolute_end_and_each_token_earlier(
    browser: Browser, strict: Strict, pair: Pair
) -> None:
    """O-133: idle from each use, absolute from the approval, by the database's clock."""
    await strict.refreshed(browser, pair.refresh)
    month, year = timedelta(days=30), timedelta(days=365)
    assert await scopes_and_ends(strict) == [("aemp:read", month, year)] * 2


@pytest.mark.parametrize("column", ["expires_at", "absolute_expires_at"])
async def test_a_token_past_its_end_is_refused(
    column: str, browser: Browser, strict: Strict, pair: Pair, database_url: str
) -> None:
    """O-43, O-133: plainly, and nothing else of the family is touched."""
    moved = "expires_at = clock_timestamp()"
    if column == "absolute_expires_at":
        moved += ", absolute_expires_at = clock_timestamp()"
    await as_owner(database_url, f"UPDATE refresh_token SET {moved} WHERE id = $1", read(pair.refresh).id)
    assert error_of(await strict.refresh(browser, pair.refresh)) == "invalid_grant"
    assert await reads(browser, pair.access)


async def test_no_refresh_outlives_the_family(
    browser: Browser, strict: Strict, pair: Pair, database_url: str
) -> None:
    """Near the absolute end a successor has only what is left."""
    await as_owner(
        database_url,
        "UPDATE refresh_token SET absolute_expires_at = clock_timestamp() + interval '1 hour' WHERE id = $1",
        read(pair.refresh).id,
    )
    await strict.refreshed(browser, pair.refresh)
    [_, (_, idle, _)] = await scopes_and_ends(strict)
    assert timedelta(minutes=59) < idle <= timedelta(hours=1)


# ---- Who asks ----


async def test_confidential_application_proves_itself_first(browser: Browser, context: Context) -> None:
    """O-44, O-46, O-53, O-60: by either method, and a wrong secret spends nothing."""
    strict = await Strict.register(context)
    pair = await strict.pair(browser)
    for wrong in ({"client_secret": None}, {"client_secret": "wrong"}):
        assert error_of(await strict.refresh(browser, pair.refresh, **wrong), 401) == "invalid_client"
    basic = base64.b64encode(f"{strict.client_id}:{strict.client_secret}".encode()).decode()
    answer = await browser.http.post(
        "/app/oauth2/token",
        data={"grant_type": "refresh_token", "refresh_token": pair.refresh},
        headers={"Authorization": f"Basic {basic}"},
    )
    assert answer.status_code == 200, answer.text


async def test_another_application_learns_and_ends_nothing(
    browser: Browser, strict: Strict, pair: Pair
) -> None:
    """O-60, R-18: its answer is that for a token that never was, whether the token is spent or not; an event remains."""
    other = await Strict.register(strict.context)
    unknown = await other.refresh(browser, mint("rt", "s", 7).text)
    assert error_of(unknown) == "invalid_grant"
    unspent = await other.refresh(browser, pair.refresh)
    new = await strict.refreshed(browser, pair.refresh)
    spent = await other.refresh(browser, pair.refresh)
    assert len({without_reference(answer) for answer in (unspent, spent, unknown)}) == 1
    assert await reads(browser, new.access)
    assert await events(strict) == ["refresh_token.replay_refused"] * 2
    assert (await strict.refresh(browser, new.refresh)).status_code == 200


async def test_application_that_lost_the_grant_is_told_so(
    browser: Browser, strict: Strict, pair: Pair
) -> None:
    """O-41."""
    await change(
        strict.context,
        "UPDATE application SET grants = '{authorization_code}' WHERE id = $1",
        strict.registered.client.id,
    )
    assert error_of(await strict.refresh(browser, pair.refresh)) == "unauthorized_client"


# ---- What is asked ----


# Made once for all: the processes of a run must name their tests alike.
UNKNOWN = compose("rt", "s", UUID("01900000-0000-7000-8000-000000000007"), bytes(20)).text


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"refresh_token": None}, "invalid_request"),
        ({"refresh_token": ""}, "invalid_request"),
        ({"refresh_token": "rubbish"}, "invalid_grant"),
        ({"refresh_token": UNKNOWN}, "invalid_grant"),
        ({"scope": "fleet:write"}, "invalid_scope"),
        ({"scope": "aemp:read fleet:write"}, "invalid_scope"),
        ({"scope": "AEMP:READ"}, "invalid_scope"),
        ({"scope": 'aemp"read'}, "invalid_scope"),
        ({"resource": "https://elsewhere.example/api"}, "invalid_target"),
        ({"grant_type": None}, "invalid_request"),
    ],
    ids=str,
)
async def test_refusals_name_their_error_and_spend_nothing(
    changes: dict[str, str | None], error: str, browser: Browser, strict: Strict, pair: Pair
) -> None:
    """O-38, O-39, O-42, O-43, O-61, O-154, R-14."""
    answer = await strict.refresh(browser, **{"token": pair.refresh, **changes})
    assert error_of(answer) == error
    assert (await strict.refresh(browser, pair.refresh)).status_code == 200


async def test_a_narrower_scope_is_the_access_tokens_alone(
    browser: Browser, strict: Strict, pair: Pair, database_url: str
) -> None:
    """O-61, O-133, R-14: the successor keeps what the customer approved, so the next may ask for all of it again."""
    await as_owner(
        database_url,
        "UPDATE refresh_token SET scope = 'aemp:read fleet:write' WHERE id = $1",
        read(pair.refresh).id,
    )
    narrow = await strict.refresh(browser, pair.refresh, scope="aemp:read")
    assert narrow.json()["scope"] == "aemp:read"
    assert [scope for scope, _, _ in await scopes_and_ends(strict)] == ["aemp:read fleet:write"] * 2
    whole = await strict.refresh(browser, narrow.json()["refresh_token"])
    assert whole.json()["scope"] == "aemp:read fleet:write"
    swapped = await strict.refresh(browser, whole.json()["refresh_token"], scope="fleet:write aemp:read")
    assert swapped.json()["scope"] == "aemp:read fleet:write"


async def test_the_granted_resource_may_be_named(
    browser: Browser, strict: Strict, pair: Pair, database_url: str
) -> None:
    """O-154: the one that was granted, whichever it was, and no other."""
    api = strict.context.policy.audience
    named = pair_of(await strict.refresh(browser, pair.refresh, resource=api))
    elsewhere = "https://elsewhere.example/api"
    await as_owner(
        database_url,
        "UPDATE refresh_token SET audience = $2 WHERE id = $1",
        read(named.refresh).id,
        elsewhere,
    )
    assert error_of(await strict.refresh(browser, named.refresh, resource=api)) == "invalid_target"
    answer = await strict.refresh(browser, named.refresh, resource=elsewhere)
    assert answer.status_code == 200, answer.text
    assert not await reads(browser, answer.json()["access_token"])  # the API is not that resource


async def test_no_token_passes_for_another_kind(browser: Browser, strict: Strict, pair: Pair) -> None:
    """R-15: neither way, and nothing is spent by the attempt."""
    code = await strict.code(browser)
    assert not await reads(browser, pair.refresh)
    for text in (pair.access, code):
        assert error_of(await strict.refresh(browser, text)) == "invalid_grant"
    assert error_of(await strict.exchange(browser, pair.refresh)) == "invalid_grant"
    assert (await strict.refresh(browser, pair.refresh)).status_code == 200
    assert (await strict.exchange(browser, code)).status_code == 200


async def test_a_forged_secret_part_is_unknown_and_harms_nothing(
    browser: Browser, strict: Strict, pair: Pair
) -> None:
    """Whoever saw an id, which is no secret, can neither use the token nor end its family, spent or not."""
    forged = forge(pair.refresh)
    assert error_of(await strict.refresh(browser, forged)) == "invalid_grant"
    new = await strict.refreshed(browser, pair.refresh)
    assert error_of(await strict.refresh(browser, forged)) == "invalid_grant"
    assert await events(strict) == []
    assert await reads(browser, new.access)
    assert (await strict.refresh(browser, new.refresh)).status_code == 200


# ---- What it rests on ----


ENDINGS: dict[str, tuple[Any, Any]] = {
    "suspended application": (
        lambda strict: change_status(strict.context, COMMAND_LINE, strict.client_id, "suspend"),
        lambda strict: change_status(strict.context, COMMAND_LINE, strict.client_id, "resume"),
    ),
    "disabled customer": (
        lambda strict: disable_customer(strict.context, COMMAND_LINE, strict.member.email),
        lambda strict: enable_customer(strict.context, COMMAND_LINE, strict.member.email),
    ),
}


@pytest.mark.parametrize("ending", ENDINGS)
async def test_refresh_waits_for_what_it_rests_on(
    ending: str, browser: Browser, strict: Strict, pair: Pair
) -> None:
    """R-20: refused and unspent while it lasts, good again afterwards."""
    end, undo = ENDINGS[ending]
    await end(strict)
    assert error_of(await strict.refresh(browser, pair.refresh)) == "invalid_grant"
    await undo(strict)
    assert (await strict.refresh(browser, pair.refresh)).status_code == 200


async def test_without_postgresql_nothing_is_said_and_nothing_spent(
    browser: Browser, strict: Strict, pair: Pair, services: Services
) -> None:
    """O-64, R-17, R-90: 503, and afterwards the token is as good as before."""
    async with unreachable_database() as database:
        gathered = services.gathered(database)
        async with Browser(services.like(database=database, gathered=gathered)) as other:
            assert_unavailable(await strict.refresh(other, pair.refresh))
    assert (await strict.refresh(browser, pair.refresh)).status_code == 200


async def test_refreshing_needs_no_valkey(strict: Strict, pair: Pair, services: Services) -> None:
    """R-87."""
    async with Browser(services.without_valkey()) as other:
        assert (await strict.refresh(other, pair.refresh)).status_code == 200


# ---- Introspection ----


async def introspect(browser: Browser, asker: Strict, token: str) -> dict[str, Any]:
    answer = await browser.http.post("/app/oauth2/introspect", data={**asker.credentials, "token": token})
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


async def test_refresh_token_is_described_to_its_own_application(browser: Browser, context: Context) -> None:
    """O-101, O-102, O-104, O-105, R-21: without token_type, until it is spent; to others it does not exist."""
    strict = await Strict.register(context)
    other = await Strict.register(context)
    pair = await strict.pair(browser)
    described = await introspect(browser, strict, pair.refresh)
    issued_at = described.pop("iat")
    assert described == {
        "active": True,
        "scope": "aemp:read",
        "client_id": strict.client_id,
        "exp": issued_at + 30 * 86_400,
        "sub": str(strict.member.id),
        "account": {"id": str(strict.member.customer_id), "name": strict.member.customer_name},
        "aud": "http://localhost:8000/api",
        "iss": "http://localhost:8000",
        "jti": str(read(pair.refresh).id),
    }
    assert await introspect(browser, other, pair.refresh) == INACTIVE
    assert await introspect(browser, strict, forge(pair.refresh)) == INACTIVE
    new = await strict.refreshed(browser, pair.refresh)
    assert await introspect(browser, strict, pair.refresh) == INACTIVE
    assert (await introspect(browser, strict, new.refresh))["active"] is True


async def test_resource_server_sees_no_refresh_token(
    browser: Browser, context: Context, database_url: str
) -> None:
    """O-105: of its audience or not; the access tokens it does see."""
    strict = await Strict.register(context)
    pair = await strict.pair(browser)
    server = await Strict.register(context)
    own = "UPDATE application SET audience = $2 WHERE id = $1"
    await as_owner(database_url, own, server.registered.client.id, context.policy.audience)
    context.changes.note(server.registered.client.id)
    assert (await introspect(browser, server, pair.access))["active"] is True
    assert await introspect(browser, server, pair.refresh) == INACTIVE
    await as_owner(database_url, own, server.registered.client.id, None)


async def test_an_inactive_family_is_inactive_at_introspection(browser: Browser, context: Context) -> None:
    """O-103."""
    strict = await Strict.register(context)
    pair = await strict.pair(browser)
    await change_status(context, COMMAND_LINE, strict.client_id, "suspend")
    for token in pair:
        assert await introspect(browser, strict, token) == INACTIVE

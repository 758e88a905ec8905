"""private_key_jwt on the wire (RFC 7523): at token, introspection and revocation, and each of its refusals."""

import asyncio
import time
from base64 import b64encode
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from app.context import Context
from app.flows.account.change_application import change_application, change_status
from app.flows.account.register_application import RegisteredApplication, register_application
from app.oauth.actor import COMMAND_LINE
from app.oauth.assertion import ALGORITHMS, ASSERTION_TYPE
from app.storage.people.application_changes import ApplicationChanges
from app.storage.token.assertions import key_of
from app.throttling.failures import Failures
from tests.support.assertions import (
    KEY_OF,
    by_assertion,
    claims_of,
    fresh,
    jwks_of,
    key_pair,
    register_keyed,
    signed,
)
from tests.support.browser import ORIGIN, Browser
from tests.support.people import Strict, World, pair_of, reads
from tests.support.references import without_reference
from tests.support.refusals import assert_unavailable, error_of
from tests.web.services import Services
from tests.web.told import page_about

TOKEN = "/app/oauth2/token"
INTROSPECT = "/app/oauth2/introspect"
REVOKE = "/app/oauth2/revoke"
# The parameters of each endpoint, without the caller's proof.
ASKED = {
    TOKEN: {"grant_type": "client_credentials"},
    INTROSPECT: {"token": "rovi_at_x"},
    REVOKE: {"token": "rovi_at_x"},
}
NOBODY = "01900000-0000-7000-8000-000000000000"


@pytest.fixture
async def keyed(context: Context) -> RegisteredApplication:
    return await register_keyed(context)


async def ask(browser: Browser, fields: dict[str, str], path: str = TOKEN, **headers: str) -> httpx2.Response:
    return await browser.http.post(path, data={**ASKED[path], **fields}, headers=headers)


def refused(answer: httpx2.Response) -> tuple[int, bytes, str, str]:
    """Everything of a refusal that a caller could tell two causes apart by."""
    assert answer.status_code == 401, answer.text
    headers = answer.headers
    return (
        answer.status_code,
        without_reference(answer),
        headers["www-authenticate"],
        headers["cache-control"],
    )


async def test_application_lives_by_its_key_alone(browser: Browser, keyed: RegisteredApplication) -> None:
    """O-134, O-150: a token, what it is worth, its end; each with an assertion of its own and no client_id."""
    assert keyed.client_secret is None
    issued = await ask(browser, fresh(keyed))
    assert issued.status_code == 200, issued.text
    token = {"token": issued.json()["access_token"]}
    described = await ask(browser, {**fresh(keyed), **token}, INTROSPECT)
    assert described.json()["active"] is True
    assert described.json()["client_id"] == str(keyed.client.id)
    assert (await ask(browser, {**fresh(keyed), **token}, REVOKE)).status_code == 200
    assert (await ask(browser, {**fresh(keyed), **token}, INTROSPECT)).json() == {"active": False}


@pytest.fixture
async def strict(context: Context) -> Strict:
    """One that customers approve, and that proves itself by a key."""
    return await Strict.register(context, jwks=jwks_of(key_pair("EC")))


async def test_code_becomes_a_pair_and_the_pair_the_next(browser: Browser, strict: Strict) -> None:
    """O-60, O-134, O-150: PKCE and rotation are what they are for one with a secret."""
    keyed = strict.registered
    assert keyed.client_secret is None
    code = await strict.code(browser)
    pair = pair_of(await strict.exchange(browser, code, client_id=None, **fresh(keyed)))
    newer = pair_of(await strict.refresh(browser, pair.refresh, client_id=None, **fresh(keyed)))
    assert [await reads(browser, each.access) for each in (pair, newer)] == [True, True]
    assert error_of(await strict.refresh(browser, pair.refresh, **fresh(keyed))) == "invalid_grant"
    assert not await reads(browser, newer.access)


async def test_wrong_assertion_spends_neither_code_nor_refresh_token(
    browser: Browser, strict: Strict
) -> None:
    """O-53, O-60, O-150: the whole request sent again too, which holds an assertion that was used."""
    client_id, used = strict.client_id, fresh(strict.registered)
    wrong: tuple[dict[str, str], ...] = (
        {},
        by_assertion(signed(key_pair("EC", 1), claims_of(client_id))),
        by_assertion(signed(key_pair("EC"), claims_of(client_id, exp=int(time.time()) - 1))),
        used,
    )
    code = await strict.code(browser)
    await ask(browser, used, INTROSPECT)
    for fields in wrong:
        assert error_of(await strict.exchange(browser, code, **fields), 401) == "invalid_client"
    pair = pair_of(await strict.exchange(browser, code, **fresh(strict.registered)))
    for fields in wrong:
        assert error_of(await strict.refresh(browser, pair.refresh, **fields), 401) == "invalid_client"
    sent = fresh(strict.registered)
    newer = pair_of(await strict.refresh(browser, pair.refresh, **sent))
    assert error_of(await strict.refresh(browser, pair.refresh, **sent), 401) == "invalid_client"
    assert (await strict.refresh(browser, newer.refresh, **fresh(strict.registered))).status_code == 200


async def test_without_valkey_a_keyed_refresh_spends_nothing(
    browser: Browser, strict: Strict, services: Services
) -> None:
    """O-64, R-87: a refresh needs Valkey for the assertion alone, and ends before the token is touched."""
    pair = pair_of(await strict.exchange(browser, await strict.code(browser), **fresh(strict.registered)))
    async with Browser(services.without_valkey()) as down:
        assert_unavailable(await strict.refresh(down, pair.refresh, **fresh(strict.registered)))
    assert (await strict.refresh(browser, pair.refresh, **fresh(strict.registered))).status_code == 200


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_every_listed_algorithm_works(algorithm: str, browser: Browser, context: Context) -> None:
    """O-116, O-118."""
    keyed = await register_keyed(context, key_pair(KEY_OF[algorithm]))
    for path in ASKED:
        answer = await ask(browser, fresh(keyed, algorithm), path)
        assert answer.status_code == 200, answer.text


async def test_client_id_may_stand_beside_it(browser: Browser, keyed: RegisteredApplication) -> None:
    """O-150: the same; another one's is refused like everything else."""
    mine = {"client_id": str(keyed.client.id)}
    assert (await ask(browser, {**fresh(keyed), **mine})).status_code == 200
    refused(await ask(browser, {**fresh(keyed), "client_id": NOBODY}))


@pytest.mark.parametrize("path", ASKED)
async def test_assertion_is_good_once(path: str, browser: Browser, keyed: RegisteredApplication) -> None:
    """O-150: at this endpoint or another; introspection, which remembers questions, included."""
    fields = fresh(keyed)
    assert (await ask(browser, fields, path)).status_code == 200
    answers = {refused(await ask(browser, fields, other)) for other in (path, path, *ASKED)}
    assert len(answers) == 1
    assert (await ask(browser, fresh(keyed), path)).status_code == 200


async def test_of_many_at_once_on_two_processes_one_is_accepted(
    browser: Browser, keyed: RegisteredApplication, services: Services
) -> None:
    """O-150."""
    fields = fresh(keyed)
    async with Browser(services.like()) as other:
        answers = await asyncio.gather(*(ask(each, fields) for each in (browser, other) * 10))
    assert sorted(answer.status_code for answer in answers) == [200, *[401] * 19]


async def test_jti_is_the_applications_own(
    browser: Browser, context: Context, keyed: RegisteredApplication
) -> None:
    """Another's use of the same one uses up nothing here; the same one in another assertion does."""
    other = await register_keyed(context)
    jti = uuid4().hex
    for application in (keyed, other):
        assert (await ask(browser, fresh(application, jti=jti))).status_code == 200
    refused(await ask(browser, fresh(keyed, jti=jti, exp=int(time.time()) + 200)))


async def test_use_is_remembered_for_longer_than_the_assertion_is_good(
    browser: Browser, context: Context, keyed: RegisteredApplication
) -> None:
    """O-150, R-109: for as long as a process whose clock is behind takes it for good, and no longer."""
    jti = uuid4().hex
    assert (await ask(browser, fresh(keyed, jti=jti, exp=int(time.time()) + 200))).status_code == 200
    life_ms = await context.valkey._call("PTTL", key_of(keyed.client.id, jti))
    assert 250_000 < life_ms <= 260_000


@pytest.mark.parametrize("path", ASKED)
async def test_what_is_not_verified_uses_nothing_up(
    path: str, browser: Browser, keyed: RegisteredApplication
) -> None:
    """O-150: nobody without the key can spend an application's jti, or one it has yet to send."""
    claims = claims_of(str(keyed.client.id))
    forged = by_assertion(signed(key_pair("EC", 1), claims))
    for fields in (
        forged,
        by_assertion(signed(key_pair("EC"), {**claims, "aud": "https://elsewhere.example"})),
    ):
        refused(await ask(browser, fields, path))
    assert (await ask(browser, by_assertion(signed(key_pair("EC"), claims)), path)).status_code == 200


async def unlike(context: Context) -> dict[str, dict[str, str]]:
    """Every kind of wrong assertion, of applications there are and of one there is not."""
    keyed, secretive = await register_keyed(context), await World.make(context)
    public = await register_application(
        context, COMMAND_LINE, name="Phone", company="Sitewise Ltd", public=True
    )
    pending = await register_keyed(context)
    await change_status(context, COMMAND_LINE, str(pending.client.id), "delete")
    me, now_s = str(keyed.client.id), int(time.time())

    def by(
        client_id: str, *, number: int = 0, header: dict[str, Any] | None = None, **claims: Any
    ) -> dict[str, str]:
        return by_assertion(signed(key_pair("EC", number), claims_of(client_id, **claims), **(header or {})))

    return {
        "unknown": by(NOBODY),
        "not an id": by("me"),
        "deleted": by(str(pending.client.id)),
        "one with a secret": by(secretive.client_id),
        "public": by(str(public.client.id)),
        "another's key": by(me, number=1),
        "key of no name of its": by(me, header={"kid": "x"}),
        "another audience": by(me, aud="https://elsewhere.example"),
        "the endpoint for audience": by(me, aud=ORIGIN + TOKEN),
        "two audiences": by(me, aud=[ORIGIN, "https://elsewhere.example"]),
        "expired": by(me, exp=now_s - 1),
        "six minutes ahead": by(me, exp=now_s + 360),
        "without end": by(me, exp=None),
        "not yet": by(me, nbf=now_s + 60),
        "of tomorrow": by(me, iat=now_s + 86_400),
        "without jti": by(me, jti=None),
        "by another": by(me, iss=NOBODY),
        "for another": by(me, iss=NOBODY, sub=NOBODY),
        "critical header": by(me, header={"crit": ["exp"]}),
        "unsigned": by_assertion(signed(key_pair("EC"), claims_of(me), "none")),
        "RS256": by_assertion(signed(key_pair("RSA"), claims_of(me), "RS256")),
        "rubbish": by_assertion("x.y.z"),
        "no assertion": {"client_assertion_type": ASSERTION_TYPE, "client_id": me},
        "no type": {"client_assertion": by(me)["client_assertion"]},
        "another type": {
            **by(me),
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:saml2-bearer",
        },
    }


@pytest.mark.parametrize("path", ASKED)
async def test_no_answer_tells_what_was_wrong(path: str, browser: Browser, context: Context) -> None:
    """O-45, O-46, O-150: to the byte that of a wrong secret."""
    world = await World.make(context)
    wrong = {"client_id": world.client_id, "client_secret": "wrong"}
    expected = refused(await ask(browser, wrong, path))
    told = b'{"error":"invalid_client","error_description":"client authentication failed","error_uri":"%b","reference":""}'
    assert expected[1] == told % page_about("invalid_client").encode()
    for name, fields in (await unlike(context)).items():
        assert refused(await ask(browser, fields, path)) == expected, name


@pytest.mark.parametrize("path", ASKED)
async def test_two_ways_to_authenticate_are_no_way(
    path: str, browser: Browser, keyed: RegisteredApplication, world: World
) -> None:
    """O-47: a secret in body or header, or any other credentials, beside an assertion; which is not used up."""
    fields = fresh(keyed)
    pair = b64encode(f"{world.client_id}:{world.client_secret}".encode()).decode()
    answers = [
        await ask(browser, {**fields, "client_secret": "x"}, path),
        await ask(browser, {**fields, "client_secret": world.client_secret}, path),
        await ask(browser, fields, path, Authorization=f"Basic {pair}"),
        await ask(browser, fields, path, Authorization="Bearer x"),
    ]
    assert {(answer.status_code, answer.json()["error"]) for answer in answers} == {(400, "invalid_request")}
    assert (await ask(browser, fields, path)).status_code == 200


async def test_wrong_assertions_are_counted_and_the_right_one_is_never_held_back(
    services: Services, keyed: RegisteredApplication
) -> None:
    """O-50: like wrong secrets, an application from an address; those used before are among them."""
    used = fresh(keyed)
    async with Browser(services.like(failures=Failures(a_minute=3))) as browser:
        assert (await ask(browser, used)).status_code == 200
        wrong = by_assertion(signed(key_pair("EC", 1), claims_of(str(keyed.client.id))))
        answers = [await ask(browser, fields) for fields in (wrong, used, wrong, used)]
        assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
        assert answers[-1].headers["retry-after"]
        assert (await ask(browser, fresh(keyed))).status_code == 200


async def test_without_valkey_nobody_is_let_in_or_called_wrong(
    services: Services, keyed: RegisteredApplication, world: World, browser: Browser
) -> None:
    """O-64, R-87: whether it was used cannot be told; a wrong one is wrong, and a secret needs no Valkey."""
    fields = fresh(keyed)
    async with Browser(services.without_valkey()) as down:
        for path in ASKED:
            answer = await ask(down, fields, path)
            assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
            assert answer.headers["retry-after"]
        refused(await ask(down, by_assertion(signed(key_pair("EC", 1), claims_of(str(keyed.client.id))))))
        secret = {"client_id": world.client_id, "client_secret": world.client_secret}
        assert (await ask(down, secret, INTROSPECT)).json() == {"active": False}
    assert (await ask(browser, fields)).status_code == 200


async def test_new_keys_take_the_place_of_the_old_ones(
    browser: Browser, context: Context, keyed: RegisteredApplication
) -> None:
    """O-134: heard by every process, as any change of an application is."""
    client_id = str(keyed.client.id)
    new = key_pair("EC", 1)
    await change_application(context, COMMAND_LINE, client_id, ApplicationChanges(), jwks=jwks_of(new))
    refused(await ask(browser, fresh(keyed)))
    assert (await ask(browser, by_assertion(signed(new, claims_of(client_id))))).status_code == 200


async def test_keys_end_the_secret(browser: Browser, context: Context) -> None:
    """O-134: nothing weaker than the keys is left beside them."""
    registered = await register_application(
        context,
        COMMAND_LINE,
        name="Robot",
        company="Sitewise Ltd",
        kind="strict",
        grants=("client_credentials",),
    )
    client_id = str(registered.client.id)
    secret = {"client_id": client_id, "client_secret": str(registered.client_secret)}
    assert (await ask(browser, secret)).status_code == 200
    await change_application(
        context, COMMAND_LINE, client_id, ApplicationChanges(), jwks=jwks_of(key_pair("EC"))
    )
    refused(await ask(browser, secret))
    assert (await ask(browser, fresh(registered))).status_code == 200
    rows = await context.database.rows(
        "SELECT FROM client_secret WHERE application_id = $1", registered.client.id
    )
    assert rows == []


async def test_suspended_application_proves_itself_and_gets_nothing(
    browser: Browser, context: Context, keyed: RegisteredApplication
) -> None:
    await change_status(context, COMMAND_LINE, str(keyed.client.id), "suspend")
    answer = await ask(browser, fresh(keyed))
    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")


async def test_issuer_of_this_service_is_the_only_audience(
    services: Services, keyed: RegisteredApplication
) -> None:
    """O-150: an assertion made for another of our own addresses is as good as one for a stranger."""
    async with Browser(services.under(issuer="https://auth.rovitracker.example")) as browser:
        refused(await ask(browser, fresh(keyed)))
        right = await ask(browser, fresh(keyed, aud="https://auth.rovitracker.example"))
    assert right.status_code == 200


async def test_time_is_judged_by_the_services_clock(services: Services, keyed: RegisteredApplication) -> None:
    """O-150: one that was right when it was made is not for ever."""
    fields = fresh(keyed)
    async with Browser(services.later(timedelta(minutes=2))) as later:
        refused(await ask(later, fields))

"""The token endpoint on the wire: the documented request, every refusal, and what a second use does."""

import asyncio
import base64
import hashlib
import re
from collections.abc import Callable
from functools import reduce
from operator import and_, or_
from urllib.parse import quote

import pytest

from app.context import Context
from app.oauth import base62
from app.oauth.token_string import PATTERN, bucket_of, mint, parse
from tests.support.browser import Browser
from tests.support.people import CHALLENGE, REDIRECT_URI, VERIFIER, World
from tests.support.references import without_reference
from tests.support.refusals import assert_unavailable, error_of
from tests.web.services import Services, unreachable_database

TOKEN = "/app/oauth2/token"


async def test_documented_answer_has_both_names_of_the_type(browser: Browser, world: World) -> None:
    """O-54, O-55 (classic), O-56, O-57, O-75 (classic), O-86: without PKCE too."""
    answer = await world.exchange(browser, await world.code(browser))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"
    document = answer.json()
    assert set(document) == {"access_token", "token_type", "type", "expires_in", "scope"}
    assert document["token_type"] == document["type"] == "Bearer"
    assert document["expires_in"] == 365 * 86_400
    assert document["scope"] == "aemp:read"


async def test_the_token_carries_class_and_bucket(browser: Browser, world: World) -> None:
    """O-29; token strings."""
    text = await world.token(browser)
    token = parse(text)
    assert token is not None
    assert (token.kind, token.token_class) == ("at", "c")
    assert token.bucket == bucket_of(world.member.customer_id)
    assert re.fullmatch(PATTERN, text)


async def test_every_bit_of_codes_and_tokens_varies(browser: Browser, world: World) -> None:
    """O-29: 160 of them, so that none can be guessed from the others."""
    codes = [await world.code(browser) for _ in range(32)]
    tokens = [(await world.exchange(browser, code)).json()["access_token"] for code in codes]
    for texts in (codes, tokens):
        secrets = [base62.decode("0" + text[31:58]) for text in texts]
        assert reduce(or_, secrets) == 2**160 - 1
        assert reduce(and_, secrets) == 0


@pytest.mark.parametrize(
    "more",
    [
        {"grant_type": "authorization_code"},
        {"redirect_uri": REDIRECT_URI},
        {"grant_type": "authorization_code", "redirect_uri": REDIRECT_URI},
        {"grant_type": "", "scope": ""},
        {"something_else": "ignored"},
    ],
    ids="+".join,
)
async def test_standard_and_unknown_parameters_are_welcome(
    more: dict[str, str], browser: Browser, world: World
) -> None:
    """O-3, O-4, O-38, O-39 (classic), O-51: an empty value is absence, an unknown name is ignored."""
    answer = await world.exchange(browser, await world.code(browser), **more)
    assert answer.status_code == 200, answer.text


def quote_all(text: str) -> str:
    """Encode every byte: no client does, and all may."""
    return "".join(f"%{byte:02X}" for byte in text.encode())


@pytest.mark.parametrize("encode", [str, quote, quote_all], ids=["plain", "form-encoded", "all encoded"])
async def test_basic_authentication_works_encoded_or_not(
    encode: Callable[[str], str], browser: Browser, world: World
) -> None:
    """O-48, O-49: the characters of ids and secrets are the same either way."""
    pair = f"{encode(world.client_id)}:{encode(world.client_secret)}".encode()
    answer = await browser.http.post(
        TOKEN,
        data={"code": await world.code(browser)},
        headers={"Authorization": "Basic " + base64.b64encode(pair).decode()},
    )
    assert answer.status_code == 200, answer.text


async def test_credentials_twice_are_refused_and_the_code_is_not_burned(
    browser: Browser, world: World
) -> None:
    """O-47, O-53."""
    code = await world.code(browser)
    basic = base64.b64encode(f"{world.client_id}:{world.client_secret}".encode()).decode()
    answer = await browser.http.post(
        TOKEN,
        data={"code": code, "client_secret": world.client_secret},
        headers={"Authorization": f"Basic {basic}"},
    )
    assert error_of(answer) == "invalid_request"
    assert (await world.exchange(browser, code)).status_code == 200


async def test_wrong_and_unknown_credentials_get_the_same_answer_and_burn_nothing(
    browser: Browser, world: World
) -> None:
    """O-44, O-45, O-46, O-53."""
    code = await world.code(browser)
    changes: list[dict[str, str | None]] = [
        {"client_secret": world.client_secret.swapcase()},
        {"client_secret": None},
        {"client_id": "01900000-0000-7000-8000-000000000000"},
        {"client_id": "nobody"},
        {"client_id": None},
        {"client_id": world.client_id.upper()},
    ]
    answers = [await world.exchange(browser, code, **change) for change in changes]
    assert {error_of(answer, 401) for answer in answers} == {"invalid_client"}
    assert {answer.headers["www-authenticate"] for answer in answers} == {'Basic realm="RoviTracker"'}
    assert len({without_reference(answer) for answer in answers}) == 1
    assert (await world.exchange(browser, code)).status_code == 200


async def test_two_authorization_headers_are_refused_and_burn_nothing(browser: Browser, world: World) -> None:
    """O-47, R-77: a proxy may have judged one of them and we the other."""
    code = await world.code(browser)
    basic = base64.b64encode(f"{world.client_id}:{world.client_secret}".encode()).decode()
    answer = await browser.http.post(
        "/app/oauth2/token",
        content=f"code={code}",
        headers=[
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Authorization", f"Basic {basic}"),
            ("Authorization", "Basic eDp5"),
        ],
    )
    assert error_of(answer) == "invalid_request"
    assert (await world.exchange(browser, code)).status_code == 200


async def test_credentials_in_the_query_do_not_count(browser: Browser, world: World) -> None:
    """O-37."""
    answer = await browser.http.post(
        f"{TOKEN}?client_id={world.client_id}&client_secret={world.client_secret}",
        data={"code": await world.code(browser)},
    )
    assert error_of(answer, 401) == "invalid_client"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
async def test_other_methods_are_told_which_one(method: str, browser: Browser) -> None:
    """O-35."""
    answer = await browser.http.request(method, TOKEN)
    assert error_of(answer, 405) == "invalid_request"
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b'{"code":"x"}', 415),
        ("multipart/form-data; boundary=x", b"--x--", 415),
        ("text/plain", b"code=x", 415),
        (None, b"code=x", 415),
        ("application/x-www-form-urlencoded", b"", 400),
        ("application/x-www-form-urlencoded; charset=utf-16", b"code=x", 415),
        ("application/x-www-form-urlencoded", b"code=%ff", 400),
        ("application/x-www-form-urlencoded", b"code=%zz", 400),
        ("application/x-www-form-urlencoded", b"code=a&code=b", 400),
        ("application/x-www-form-urlencoded", b"code=a&code=a", 400),
        ("application/x-www-form-urlencoded", b"&".join(b"f%d=1" % n for n in range(200)), 400),
        ("application/x-www-form-urlencoded", b"code=" + b"a" * 20_000, 413),
    ],
)
async def test_malformed_bodies_are_invalid_requests(
    content_type: str | None, body: bytes, status: int, browser: Browser
) -> None:
    """O-36, O-38, O-57, O-58, R-34, R-75, R-76."""
    headers = {"Content-Type": content_type} if content_type else {}
    answer = await browser.http.post(TOKEN, content=body, headers=headers)
    assert error_of(answer, status) == "invalid_request"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code": None}, "invalid_request"),
        ({"code": None, "grant_type": "authorization_code"}, "invalid_request"),
        ({"code": "rubbish"}, "invalid_grant"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "implicit"}, "unsupported_grant_type"),
        ({"redirect_uri": REDIRECT_URI + "/"}, "invalid_grant"),
        ({"redirect_uri": REDIRECT_URI.upper()}, "invalid_grant"),
        ({"code_verifier": "v" * 43}, "invalid_grant"),
    ],
    ids=str,
)
async def test_refusals_name_their_error(
    changes: dict[str, str | None], error: str, browser: Browser, world: World
) -> None:
    """O-40, O-42, O-43, O-51, O-126, O-129, R-8."""
    fields = {"code": await world.code(browser), **changes}
    assert error_of(await world.exchange(browser, **fields)) == error


async def test_a_resource_is_the_one_there_is_or_nothing_is_taken(browser: Browser, world: World) -> None:
    """O-131, O-154: asked for with the link or with the code, the token is for it; another is refused, the code still good."""
    api = "http://localhost:8000/api"
    code = await world.code(browser, resource=api)
    refused = await world.exchange(browser, code, resource="https://elsewhere.example/api")
    assert error_of(refused) == "invalid_target"
    token = (await world.exchange(browser, code, resource=api)).json()["access_token"]
    assert (await world.introspect(browser, token))["aud"] == api


async def test_a_code_is_burned_by_a_wrong_redirect_uri(browser: Browser, world: World) -> None:
    code = await world.code(browser)
    assert (
        error_of(await world.exchange(browser, code, redirect_uri="https://evil.example/")) == "invalid_grant"
    )
    assert error_of(await world.exchange(browser, code)) == "invalid_grant"


async def test_another_applications_code_is_refused_and_burned(
    browser: Browser, world: World, context: Context
) -> None:
    """R-7, O-27."""
    other = await World.make(context)
    code = await world.code(browser)
    assert error_of(await other.exchange(browser, code)) == "invalid_grant"
    assert error_of(await world.exchange(browser, code)) == "invalid_grant"


async def test_a_second_use_revokes_what_the_first_gave(browser: Browser, world: World) -> None:
    """R-2, O-28."""
    code = await world.code(browser)
    token = (await world.exchange(browser, code)).json()["access_token"]
    assert (await world.introspect(browser, token))["active"] is True
    assert error_of(await world.exchange(browser, code)) == "invalid_grant"
    assert await world.introspect(browser, token) == {"active": False}


async def test_a_stranger_with_a_used_code_revokes_nothing(
    browser: Browser, world: World, context: Context
) -> None:
    """A replay by another application only leaves a trace: otherwise anyone could cut a connection."""
    other = await World.make(context)
    code = await world.code(browser)
    token = (await world.exchange(browser, code)).json()["access_token"]
    assert error_of(await other.exchange(browser, code)) == "invalid_grant"
    assert (await world.introspect(browser, token))["active"] is True


async def test_one_code_redeemed_by_many_at_once_gives_one_token(browser: Browser, world: World) -> None:
    """R-1, O-63: 100 parallel requests."""
    code = await world.code(browser)
    answers = await asyncio.gather(*(world.exchange(browser, code) for _ in range(100)))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 99
    assert {error_of(answer) for answer in answers if answer.status_code == 400} == {"invalid_grant"}


async def pkce_code(browser: Browser, world: World) -> str:
    return await world.code(browser, code_challenge=CHALLENGE, code_challenge_method="S256")


async def test_the_right_verifier_redeems(browser: Browser, world: World) -> None:
    """O-79, O-85, O-126."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
    assert digest == CHALLENGE
    answer = await world.exchange(browser, await pkce_code(browser, world), code_verifier=VERIFIER)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    "verifier", [None, "x" * 43, VERIFIER[:-1], VERIFIER + "~", CHALLENGE, "short", "x" * 129]
)
async def test_a_wrong_or_missing_verifier_is_refused(
    verifier: str | None, browser: Browser, world: World
) -> None:
    """R-10, O-78, O-84, O-126: a challenge that was sent is enforced."""
    answer = await world.exchange(browser, await pkce_code(browser, world), code_verifier=verifier)
    assert error_of(answer) == "invalid_grant"


@pytest.mark.parametrize("verifier", ["v" * 42, "v" * 129, "v" * 42 + "+", "é" * 43])
async def test_a_verifier_the_rfc_does_not_allow_is_refused_though_its_digest_fits(
    verifier: str, browser: Browser, world: World
) -> None:
    """O-78"""
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    code = await world.code(browser, code_challenge=digest, code_challenge_method="S256")
    assert error_of(await world.exchange(browser, code, code_verifier=verifier)) == "invalid_grant"


async def test_a_challenge_is_tied_to_its_code_and_not_readable_from_it(
    browser: Browser, world: World
) -> None:
    """O-83: of two codes each takes its own verifier, and nothing of the challenge stands in the code."""
    verifiers = ["one" * 20, "two" * 20]
    challenges = [
        base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        for verifier in verifiers
    ]
    for order, status in ((verifiers[::-1], 400), (verifiers, 200)):
        for challenge, verifier in zip(challenges, order, strict=True):
            code = await world.code(browser, code_challenge=challenge, code_challenge_method="S256")
            assert challenge not in code
            answer = await world.exchange(browser, code, code_verifier=verifier)
            assert answer.status_code == status, answer.text


async def test_the_newest_ten_tokens_of_a_pair_live(browser: Browser, world: World, context: Context) -> None:
    tokens = [await world.token(browser) for _ in range(12)]
    await context.background.settle()  # the answer comes first
    active = [(await world.introspect(browser, token))["active"] for token in tokens]
    assert active == [False, False] + [True] * 10


async def test_a_code_is_no_access_token_and_an_access_token_no_code(browser: Browser, world: World) -> None:
    """R-15."""
    code, token = await world.code(browser), await world.token(browser)
    assert await world.introspect(browser, code) == {"active": False}
    assert error_of(await world.exchange(browser, token)) == "invalid_grant"


async def test_a_well_formed_guess_is_refused_like_any_other(browser: Browser, world: World) -> None:
    guess = mint("ac", "c", bucket_of(world.member.customer_id)).text
    assert error_of(await world.exchange(browser, guess)) == "invalid_grant"


async def test_a_used_code_that_valkey_brings_back_is_still_used(
    browser: Browser, world: World, context: Context
) -> None:
    """R-6: a fail-over may restore a taken code; the grant's key decides, and the second use counts as one."""
    code = await world.code(browser)
    parsed = parse(code)
    assert parsed is not None
    key = f"rovi:{{{parsed.id.hex[:29]}}}:code"
    stored = await context.valkey._call("GET", key)
    assert isinstance(stored, bytes)
    token = (await world.exchange(browser, code)).json()["access_token"]
    await context.valkey.set_soon(key, stored, life_ms=60_000)
    assert error_of(await world.exchange(browser, code)) == "invalid_grant"
    assert await world.introspect(browser, token) == {"active": False}


async def test_without_valkey_a_code_is_neither_used_nor_wrong(
    world: World, browser: Browser, services: Services
) -> None:
    """O-64, R-17: a store that is down is not the caller's fault, and costs nobody a code."""
    code = await world.code(browser)
    async with Browser(services.without_valkey()) as other:
        assert_unavailable(await world.exchange(other, code))
    assert (await world.exchange(browser, code)).status_code == 200


async def test_without_postgresql_nothing_is_said_of_credentials_or_tokens(
    world: World, browser: Browser, services: Services
) -> None:
    """O-64, O-96, O-108, R-17, R-90: never invalid_client, never inactive, never a 200."""
    code, token = await world.code(browser), await world.token(browser)
    credentials = {"client_id": world.client_id, "client_secret": world.client_secret}
    async with unreachable_database() as database:
        app = services.like(database=database, gathered=services.gathered(database))
        async with Browser(app) as other:
            assert_unavailable(await world.exchange(other, code))
            for path in ("introspect", "revoke"):
                asked = {**credentials, "token": token}
                assert_unavailable(await other.http.post(f"/app/oauth2/{path}", data=asked))
            read = await other.get(
                "/api/v2/Fleet/1", Authorization=f"Bearer {token}", Accept="application/json"
            )
            assert read.status_code == 503
            assert read.headers["retry-after"]
            assert read.json()["code"] == "temporarily_unavailable"
    assert (await world.exchange(browser, code)).status_code == 200

"""invalid_grant names its cause to whoever proved itself, and says one thing to everybody else."""

from dataclasses import replace
from typing import Any

import httpx2
import pytest

from app.context import Context
from app.flows.account.change_application import change_status
from app.flows.account.change_customer import disable_customer
from app.oauth.actor import COMMAND_LINE
from app.oauth.token_string import bucket_of, compose, mint, parse
from app.storage.token.codes import keys_of, pack_approval
from tests.support.approvals import take_code
from tests.support.browser import Browser
from tests.support.changing import as_owner
from tests.support.families import forge, read
from tests.support.people import CHALLENGE, VERIFIER, Pair, Strict, World, pair_of
from tests.support.references import without_reference
from tests.support.refusals import error_of

ELSEWHERE = "https://sitewise.example/"
OTHER_VERIFIER = "x" * 43

TO_ANYBODY = "the {} is unknown, expired, used, revoked or not issued for this request"
UNKNOWN = "the code is unknown"
TAKEN = "the code has expired, or another request has taken it"
USED = "the code was used before, so all that came from it is revoked"
OTHER_ADDRESS = "redirect_uri is not the address that the code went to"
REVOKED = "the {} is revoked: the connection was ended"
SUSPENDED = "the application or the customer is suspended"


def told(answer: httpx2.Response) -> str:
    assert error_of(answer) == "invalid_grant"
    return str(answer.json()["error_description"])


@pytest.fixture
async def strict(context: Context) -> Strict:
    return await Strict.register(context)


@pytest.fixture
async def public(context: Context) -> Strict:
    return await Strict.register(context, public=True)


def with_another_secret_part(code: str) -> str:
    parsed = parse(code)
    assert parsed is not None
    return compose("ac", parsed.token_class, parsed.id, bytes(20)).text


async def used(browser: Browser, world: World) -> str:
    code = await world.code(browser)
    assert (await world.exchange(browser, code)).status_code == 200
    return code


async def past(browser: Browser, world: World) -> str:
    """A code that Valkey has let go."""
    code = await world.code(browser)
    assert await take_code(world.context.valkey, read(code).id) is not None
    return code


async def late(browser: Browser, world: World) -> str:
    """A code that Valkey has kept for too long."""
    code = await world.code(browser)
    approval = await take_code(world.context.valkey, read(code).id)
    assert approval is not None
    older = replace(approval, approved_at_us=approval.approved_at_us - 61_000_000)
    await world.context.valkey.set_soon(keys_of(approval.code_id)[1], pack_approval(older), life_ms=60_000)
    return code


async def disconnect(browser: Browser, _world: World) -> None:
    page = await browser.get("/app/account/applications")
    await browser.submit(page, {}, action="/disconnect")


async def suspend(_browser: Browser, world: World) -> None:
    await change_status(world.context, COMMAND_LINE, world.client_id, "suspend")


async def disable(_browser: Browser, world: World) -> None:
    await disable_customer(world.context, COMMAND_LINE, world.member.email)


# ---- Codes of applications that have a secret ----


@pytest.mark.parametrize("kind", ["classic", "strict"])
async def test_code_that_does_not_fit_is_told_why(
    kind: str, browser: Browser, world: World, strict: Strict
) -> None:
    """O-43, O-51, O-84: after the secret has proved who asks."""
    asker = strict if kind == "strict" else world
    other = await World.make(world.context)
    assert told(await asker.exchange(browser, await used(browser, asker))) == USED
    assert told(await asker.exchange(browser, await past(browser, asker))) == TAKEN
    assert told(await asker.exchange(browser, await late(browser, asker))) == "the code has expired"
    code = await asker.code(browser)
    assert told(await asker.exchange(browser, code, redirect_uri=ELSEWHERE)) == OTHER_ADDRESS
    assert told(await asker.exchange(browser, code)) == TAKEN
    code = await asker.code(browser)
    assert told(await other.exchange(browser, code)) == UNKNOWN
    assert told(await other.exchange(browser, code)) == UNKNOWN


async def test_verifier_is_told_apart_from_the_code(browser: Browser, world: World, strict: Strict) -> None:
    """O-84, O-126."""
    missing = await strict.exchange(browser, await strict.code(browser), code_verifier=None)
    assert told(missing) == "code_verifier is missing, and a code_challenge was sent"
    wrong = await strict.exchange(browser, await strict.code(browser), code_verifier=CHALLENGE)
    assert told(wrong) == "code_verifier does not fit the code_challenge"
    needless = await world.exchange(browser, await world.code(browser), code_verifier=VERIFIER)
    assert told(needless) == "code_verifier is sent, and no code_challenge was"


ENDINGS: dict[str, tuple[Any, str]] = {
    "disconnected": (disconnect, REVOKED.format("code")),
    "suspended application": (suspend, SUSPENDED),
    "disabled customer": (disable, SUSPENDED),
}


@pytest.mark.parametrize("public", [False, True], ids=["confidential", "public"])
@pytest.mark.parametrize("ending", ENDINGS)
async def test_code_whose_approval_fell_is_told_what_fell(
    ending: str, browser: Browser, context: Context, *, public: bool
) -> None:
    """O-43: the verifier has proved a public application by then."""
    asker = await Strict.register(context, public=public)
    await asker.pair(browser)  # so that there is a connection to end
    code = await asker.code(browser)
    end, text = ENDINGS[ending]
    await end(browser, asker)
    assert told(await asker.exchange(browser, code)) == text


# ---- What nobody is told who has not proved itself ----


@pytest.mark.parametrize("kind", ["classic", "strict", "public"])
async def test_wrong_secret_part_is_unknown_like_a_code_that_never_was(
    kind: str, browser: Browser, world: World, strict: Strict, public: Strict
) -> None:
    """O-43, R-7: whether the id is of a live code, a used one, one that has passed, or of none."""
    asker = {"classic": world, "strict": strict, "public": public}[kind]
    ids = [await asker.code(browser), await used(browser, asker), await past(browser, asker)]
    codes = [*map(with_another_secret_part, ids), mint("ac", "s", bucket_of(asker.member.customer_id)).text]
    answers = [await asker.exchange(browser, code) for code in (*codes, codes[0][:-1] + "~", "rubbish")]
    text = TO_ANYBODY.format("code") if kind == "public" else UNKNOWN
    assert {told(answer) for answer in answers} == {text}
    assert len({without_reference(answer) for answer in answers}) == 1


async def test_code_of_another_application_is_unknown_to_it_even_when_it_has_passed(
    browser: Browser, world: World
) -> None:
    """O-27, O-43: it is told no more of it than of a code that never was."""
    other = await World.make(world.context)
    codes = [await past(browser, world), await used(browser, world), await world.code(browser)]
    assert {told(await other.exchange(browser, code)) for code in codes} == {UNKNOWN}


async def test_public_application_without_the_right_verifier_is_told_nothing(
    browser: Browser, public: Strict
) -> None:
    """O-43, O-52, O-84: anybody can send its client_id, and a code may have been seen on the way."""
    other = await Strict.register(public.context, public=True)
    answers = []
    for verifier in (None, OTHER_VERIFIER, VERIFIER + "~"):
        for redirect_uri in (None, ELSEWHERE):
            for code in (await public.code(browser), await used(browser, public)):
                sent = {"code_verifier": verifier, "redirect_uri": redirect_uri}
                answers.append(await public.exchange(browser, code, **sent))
    answers.append(await public.exchange(browser, await past(browser, public)))
    answers.append(await other.exchange(browser, await public.code(browser)))
    assert {told(answer) for answer in answers} == {TO_ANYBODY.format("code")}
    assert len({without_reference(answer) for answer in answers}) == 1


async def test_public_application_is_told_why_once_its_verifier_is_right(
    browser: Browser, public: Strict
) -> None:
    """O-52."""
    code = await public.code(browser)
    assert told(await public.exchange(browser, code, redirect_uri=ELSEWHERE)) == OTHER_ADDRESS
    assert told(await public.exchange(browser, await used(browser, public))) == USED
    assert told(await public.exchange(browser, await late(browser, public))) == "the code has expired"


@pytest.mark.parametrize("wrong", [{"client_secret": "wrong"}, {"client_secret": None}], ids=str)
async def test_wrong_secret_is_told_nothing_of_the_code(
    wrong: dict[str, str | None], browser: Browser, world: World
) -> None:
    """O-45, O-53: and no code is touched."""
    code = await world.code(browser)
    codes = [code, await used(browser, world), await past(browser, world), "rubbish"]
    answers = [await world.exchange(browser, each, **wrong) for each in codes]
    assert {error_of(answer, 401) for answer in answers} == {"invalid_client"}
    assert len({without_reference(answer) for answer in answers}) == 1
    assert (await world.exchange(browser, code)).status_code == 200


# ---- Refresh tokens ----


async def ended_ones(browser: Browser, strict: Strict, database_url: str) -> dict[str, Pair]:
    """Refresh tokens that work no more, by why."""
    pairs = {name: await strict.pair(browser) for name in ("used", "revoked", "expired")}
    await strict.refreshed(browser, pairs["used"].refresh)
    await strict.revoke(browser, pairs["revoked"].refresh)
    over = "UPDATE refresh_token SET expires_at = clock_timestamp() WHERE id = $1"
    await as_owner(database_url, over, read(pairs["expired"].refresh).id)
    return pairs


async def test_refresh_token_that_works_no_more_is_told_why(
    browser: Browser, strict: Strict, database_url: str
) -> None:
    """O-43, O-60."""
    pairs = await ended_ones(browser, strict, database_url)
    answers = {name: told(await strict.refresh(browser, pair.refresh)) for name, pair in pairs.items()}
    assert answers == {
        "used": "the refresh token was used before, so all that came from it is revoked",
        "revoked": REVOKED.format("refresh token"),
        "expired": "the refresh token has expired",
    }
    pair = await strict.pair(browser)
    await suspend(browser, strict)
    assert told(await strict.refresh(browser, pair.refresh)) == SUSPENDED


@pytest.mark.parametrize("public", [False, True], ids=["confidential", "public"])
async def test_refresh_token_of_another_or_with_a_wrong_secret_part_is_unknown(
    browser: Browser, context: Context, database_url: str, *, public: bool
) -> None:
    """O-43, O-60: and a public application, which no verifier proves here, is told the same of all."""
    asker = await Strict.register(context, public=public)
    other = await Strict.register(context, public=public)
    pairs = await ended_ones(browser, asker, database_url)
    live = await asker.pair(browser)
    theirs = (await other.pair(browser)).refresh
    tokens = [forge(pair.refresh) for pair in (*pairs.values(), live)]
    tokens += [theirs, mint("rt", "s", 7).text, theirs[:-1] + "~", "rubbish"]
    if public:
        tokens += [pair.refresh for pair in pairs.values()]
    answers = [await asker.refresh(browser, token) for token in tokens]
    text = TO_ANYBODY.format("refresh token") if public else "the refresh token is unknown"
    assert {told(answer) for answer in answers} == {text}
    assert len({without_reference(answer) for answer in answers}) == 1
    assert pair_of(await asker.refresh(browser, live.refresh))

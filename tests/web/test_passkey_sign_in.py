"""Signing in with a passkey on the wire: who gets in, what is refused in one text, and what the audit trail tells."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx2
import orjson
import pytest
from fastapi import FastAPI

from app.throttling.guesses import GuessLimits
from tests.support.authenticator import PRESENT, Authenticator, text_of
from tests.support.browser import Browser, form_of, query_of
from tests.support.changing import as_owner, change
from tests.support.passkeys import (
    LOGIN_PASSKEY,
    REMOVE,
    SECURITY,
    add,
    answer_at_login,
    ask,
    sign_in_by,
)
from tests.support.people import PASSWORD, World
from tests.web.reading import words_of
from tests.web.services import Services, same_browser
from tests.web.test_second_factor import enrol
from tests.web.test_security import MANY, events_of, is_in, signed_in
from tests.web.test_sign_in import SESSION, set_cookies_of


@pytest.fixture
async def owner(app: FastAPI, world: World) -> AsyncIterator[Browser]:
    """The person in the browser in which passkeys are added."""
    async with Browser(app) as browser:
        yield await signed_in(browser, world)


@pytest.fixture
async def key(owner: Browser) -> Authenticator:
    return await add(owner)


async def causes_of(world: World) -> list[str]:
    return [event["cause"] for event in await events_of(world, "person.sign_in_failed")]


async def last_cause(world: World) -> str:
    """Also of a failure that names nobody."""
    [row] = await world.context.database.rows(
        "SELECT detail FROM audit_event WHERE event = 'person.sign_in_failed' ORDER BY id DESC LIMIT 1"
    )
    return str(orjson.loads(row["detail"])["cause"])


def refused(answer: httpx2.Response) -> str:
    assert answer.status_code == 400, answer.text
    assert SESSION not in set_cookies_of(answer)
    words = words_of(answer)
    assert "That passkey was not accepted" in words
    return words


async def test_a_passkey_signs_in_with_a_session_of_its_own(
    browser: Browser, key: Authenticator, world: World
) -> None:
    """R-55: a cookie planted before is worth nothing, and the browser is known from then on."""
    browser.http.cookies.set(SESSION, "planted", domain="localhost.local")
    answer = await sign_in_by(browser, key)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/app/account"
    assert {SESSION, "rovi_known"} <= set(set_cookies_of(answer))
    assert browser.http.cookies[SESSION] != "planted"
    assert await is_in(browser)
    event = (await events_of(world, "person.signed_in"))[-1]
    assert event["passkey"]
    assert "Not yet" not in words_of(await browser.get(SECURITY))


async def test_no_code_is_asked_after_it(browser: Browser, owner: Browser, world: World) -> None:
    """The authenticator verified the person: it is both factors."""
    app, _ = await enrol(owner, world)
    key = await add(owner, code=app.present())
    assert (await sign_in_by(browser, key)).status_code == 303
    assert await is_in(browser)


async def test_a_sign_in_leads_back_to_the_application(
    browser: Browser, key: Authenticator, world: World
) -> None:
    """O-125, R-58."""
    answer = await sign_in_by(browser, key, world.authorize_url())
    page = await browser.follow(answer)
    code = query_of(await browser.submit(page, {"decision": "approve"}, action="/consent"))["code"]
    assert (await world.exchange(browser, code)).status_code == 200


async def test_the_way_on_and_the_challenge_are_this_browsers(
    app: FastAPI, browser: Browser, key: Authenticator, world: World
) -> None:
    """R-43, R-44."""
    page, fields = await answer_at_login(browser, key)
    async with Browser(app) as other:
        own = await other.get("/app/login")
        assert (await other.submit(page, fields, action=LOGIN_PASSKEY)).status_code == 400
        refused(await other.submit(own, fields, action=LOGIN_PASSKEY))
        assert not await is_in(other)
    assert await last_cause(world) == "challenge too old"
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        assert (await browser.submit(page, fields, action=LOGIN_PASSKEY, **headers)).status_code == 403


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"origin": "https://evil.example"}, "wrong origin"),
        ({"origin": "http://localhost:8001"}, "wrong origin"),
        ({"origin": "https://localhost:8000"}, "wrong origin"),
        ({"crossOrigin": True}, "wrong origin"),
        ({"rp_id": "evil.example"}, "wrong relying party"),
        ({"flags": PRESENT}, "person not verified"),
        ({"challenge": text_of(bytes(32))}, "wrong challenge"),
        ({"type": "webauthn.create"}, "malformed answer"),
        ({"person": bytes(16)}, "passkey of somebody else"),
        ({"person": b""}, "passkey of somebody else"),
    ],
)
async def test_what_was_not_signed_for_this_page_is_refused(
    browser: Browser, key: Authenticator, world: World, changes: dict[str, Any], cause: str
) -> None:
    """One text for all; the trail tells which."""
    refused(await sign_in_by(browser, key, **changes))
    assert await causes_of(world) == [cause]


async def test_a_wrong_signature_and_an_unknown_passkey_look_alike(
    browser: Browser, key: Authenticator, world: World
) -> None:
    stranger = Authenticator(id=key.id, person=key.person)
    told = {refused(await sign_in_by(browser, stranger))}
    assert await causes_of(world) == ["wrong signature"]
    told.add(refused(await sign_in_by(browser, Authenticator(person=key.person))))
    assert await last_cause(world) == "unknown passkey"
    await change(
        world.context,
        "UPDATE customer SET disabled_at = clock_timestamp() WHERE id = $1",
        world.member.customer_id,
    )
    told.add(refused(await sign_in_by(browser, key)))
    assert (await causes_of(world))[-1] == "account disabled"
    assert len(told) == 1


@pytest.mark.parametrize(
    "answer",
    ["", "null", "[]", '{"rawId": []}', '{"rawId": "A", "response": null}', "[" * 7000, "\ud83d", "x" * 9000],
)
async def test_an_answer_that_is_none_is_refused_like_a_wrong_one(
    browser: Browser, world: World, answer: str
) -> None:
    page = await browser.get("/app/login")
    asked = await ask(browser, page, LOGIN_PASSKEY)
    fields = {"challenge": asked["challenge"], "answer": answer.encode(errors="replace").decode()}
    refused(await browser.submit(page, fields, action=LOGIN_PASSKEY))
    assert await last_cause(world) == "malformed answer"


async def test_an_answer_counts_once(
    app: FastAPI, browser: Browser, key: Authenticator, world: World, services: Services
) -> None:
    """In whichever process it comes again, and also for an authenticator that does not count."""
    page, fields = await answer_at_login(browser, key)
    async with same_browser(browser, app) as thief, same_browser(browser, services.like()) as next_door:
        answers = await asyncio.gather(
            *(each.submit(page, fields, action=LOGIN_PASSKEY) for each in (browser, thief, next_door))
        )
    assert sorted(each.status_code for each in answers) == [303, 400, 400]
    assert await causes_of(world) == ["answered before"] * 2


async def test_a_challenge_lives_five_minutes(
    browser: Browser, key: Authenticator, world: World, services: Services
) -> None:
    page, fields = await answer_at_login(browser, key)
    async with same_browser(browser, services.later(timedelta(minutes=5, seconds=2))) as later:
        refused(await later.submit(page, fields, action=LOGIN_PASSKEY))
    assert await last_cause(world) == "challenge too old"
    async with same_browser(browser, services.later(timedelta(minutes=4, seconds=55))) as later:
        assert (await later.submit(page, fields, action=LOGIN_PASSKEY)).status_code == 303


async def test_a_challenge_for_another_purpose_opens_nothing(
    browser: Browser, owner: Browser, key: Authenticator, world: World
) -> None:
    security = await owner.get(SECURITY)
    asked = await ask(owner, security, REMOVE)
    page = await browser.get("/app/login")
    fields = {"challenge": asked["challenge"], "answer": key.get(asked["options"])}
    refused(await browser.submit(page, fields, action=LOGIN_PASSKEY))
    assert await last_cause(world) == "challenge too old"


async def test_a_count_that_does_not_go_on_is_that_of_a_copy(
    browser: Browser, owner: Browser, world: World
) -> None:
    key = await add(owner, authenticator=Authenticator(counts=True))
    assert (await sign_in_by(browser, key)).status_code == 303
    for before in (1, 2):  # the same count again, then one less
        key.count -= before
        refused(await sign_in_by(browser, key))
    assert await causes_of(world) == ["count went back"] * 2
    key.count = 7
    assert (await sign_in_by(browser, key)).status_code == 303


async def test_a_removed_passkey_opens_nothing(
    browser: Browser, owner: Browser, key: Authenticator, world: World
) -> None:
    page, fields = await answer_at_login(browser, key)
    done = await owner.submit(await owner.get(SECURITY), {"password": PASSWORD}, action=REMOVE)
    assert done.status_code == 303
    refused(await browser.submit(page, fields, action=LOGIN_PASSKEY))
    assert await last_cause(world) == "unknown passkey"


async def test_no_session_outlives_the_removal_of_its_passkey(app: FastAPI, owner: Browser) -> None:
    """R-55, R-56: sign-ins that cross the removal end with it, whichever comes first."""
    for _ in range(4):
        key = await add(owner)
        async with Browser(app) as first, Browser(app) as second:
            waiting = [(each, *await answer_at_login(each, key)) for each in (first, second)]
            security = await owner.get(SECURITY)
            *answers, removed = await asyncio.gather(
                *(each.submit(page, fields, action=LOGIN_PASSKEY) for each, page, fields in waiting),
                owner.submit(security, {"password": PASSWORD}, action=REMOVE),
            )
            assert removed.status_code == 303
            assert {each.status_code for each in answers} <= {303, 400}
            assert not await is_in(first)
            assert not await is_in(second)
        assert await is_in(owner)


async def test_no_session_begins_by_what_was_checked_before_a_new_password(
    browser: Browser, key: Authenticator, world: World
) -> None:
    """A sign-in waits for a change under way, and then judges by it."""
    page, fields = await answer_at_login(browser, key)
    async with world.context.database.transaction() as transaction:
        await transaction.count("UPDATE person SET password_hash = 'x' WHERE id = $1", world.member.id)
        waiting = asyncio.create_task(browser.submit(page, fields, action=LOGIN_PASSKEY))
        await asyncio.sleep(0.3)
        assert not waiting.done()
    refused(await waiting)
    assert await causes_of(world) == ["changed meanwhile"]


async def test_a_passkey_of_another_host_is_unknown(
    browser: Browser, key: Authenticator, world: World, database_url: str
) -> None:
    await as_owner(
        database_url, "UPDATE passkey SET rp_id = 'old.example' WHERE person_id = $1", world.member.id
    )
    refused(await sign_in_by(browser, key))
    assert await last_cause(world) == "unknown passkey"


async def test_attempts_are_limited_by_network_and_the_owner_gets_in(
    services: Services, owner: Browser
) -> None:
    """R-51, R-53: a flood from one network ends in 429; the owner's own browser has a count of its own."""
    key = await add(owner)
    limited = services.under(guess_limits=GuessLimits(per_account=MANY, per_network=3))
    address = "198.51.100.77"
    async with Browser(limited, address=address) as stranger:
        for _ in range(3):
            refused(await sign_in_by(stranger, Authenticator(person=key.person)))
        flooded = await sign_in_by(stranger, Authenticator(person=key.person))
        assert flooded.status_code == 429
        assert int(flooded.headers["retry-after"]) > 0
        assert "That passkey was not accepted" in words_of(flooded)
        assert (await sign_in_by(stranger, key)).status_code == 429
    async with same_browser(owner, limited) as known:
        assert (await sign_in_by(known, key)).status_code == 303


async def test_a_right_passkey_is_no_attempt(services: Services, owner: Browser) -> None:
    key = await add(owner)
    limited = services.under(guess_limits=GuessLimits(per_account=MANY, per_network=2))
    for _ in range(5):
        async with Browser(limited, address="198.51.100.78") as browser:
            assert (await sign_in_by(browser, key)).status_code == 303


async def test_a_new_browser_is_told_by_mail_of_its_own(
    browser: Browser, key: Authenticator, world: World
) -> None:
    for _ in range(2):
        assert (await sign_in_by(browser, key)).status_code == 303
    rows = await world.context.database.rows(
        "SELECT template FROM mail WHERE recipient = $1 ORDER BY id", world.member.email
    )
    assert [row["template"] for row in rows] == ["passkey_added", "new_browser_passkey"]


async def test_the_form_is_hidden_until_script_runs(browser: Browser) -> None:
    """The password form works as before; one file of ours may run, and may ask nobody else."""
    page = await browser.get("/app/login")
    policy = page.headers["content-security-policy"]
    assert "script-src 'self'; connect-src 'self'" in policy
    assert "unsafe" not in policy
    [form] = [each for each in page.text.split("<form")[1:] if LOGIN_PASSKEY in each]
    assert " hidden>" in form.partition("\n")[0]
    script = await browser.get("/app/static/passkey.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert form_of(page, LOGIN_PASSKEY).hidden["flow"]

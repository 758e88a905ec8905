"""Every form that asks a person to prove who they are again takes a passkey in the place of password and code."""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI
from pyotp import TOTP

from app.web.pages.render import TEMPLATES
from tests.support.browser import Browser
from tests.support.passkeys import ADD, LOGIN_PASSKEY, NEW, REMOVE, SECURITY, add, ask, make_page, prove_by
from tests.support.people import World, join
from tests.web.reading import found, words_of
from tests.web.test_second_factor import enrol
from tests.web.test_security import events_of, signed_in

PROFILE, PEOPLE, SET_UP = "/app/account/profile", "/app/account/people", "/app/account/security/authenticator"
_ASKS = re.compile(r'name="password"|field\(\S+, "password", ')
Fields = Callable[[World, httpx2.Response], Awaitable[dict[str, str]]]


@pytest.fixture
async def person(browser: Browser, world: World) -> Browser:
    return await signed_in(browser, world)


async def nothing(_world: World, _page: httpx2.Response) -> dict[str, str]:
    return {}


async def new_email(world: World, _page: httpx2.Response) -> dict[str, str]:
    return {"email": f"new.{world.member.email}"}


async def new_owner(_world: World, page: httpx2.Response) -> dict[str, str]:
    return {"to": found(page, "//select[@name='to']/option/@value")[0]}


async def new_code(world: World, page: httpx2.Response) -> dict[str, str]:
    key = found(page, "//code[@class='key']/text()")[0].replace(" ", "")
    return {"new_code": TOTP(key).at(world.context.now())}


FORMS: list[tuple[str, str, Fields]] = [
    (PROFILE, "/profile/email", new_email),
    (PROFILE, "/profile/leave", nothing),
    (PROFILE, "/profile/close", nothing),
    (PEOPLE, "/transfer", new_owner),
    (SET_UP, SET_UP, new_code),
    (SECURITY, ADD, nothing),
]
every_form = pytest.mark.parametrize(("path", "action", "fields"), FORMS, ids=[each[1] for each in FORMS])


async def page_of(browser: Browser, world: World, path: str, action: str) -> httpx2.Response:
    """The page with the form, for an account whose people allow it."""
    await join(world, "owner" if action.endswith("leave") else "viewer")
    return await browser.get(path)


@every_form
async def test_a_passkey_proves_in_the_place_of_the_password(
    person: Browser, world: World, path: str, action: str, fields: Fields
) -> None:
    """Once: the same answer again, or at the form of another page, proves nothing."""
    key = await add(person)
    page = await page_of(person, world, path, action)
    typed = await fields(world, page)
    nobody = await person.submit(page, typed, action=action)
    assert nobody.status_code == 422
    assert "not your present password" in words_of(nobody)
    assert found(nobody, "//input[@aria-invalid='true']/@name") == ["password"]
    proof = await prove_by(person, key, page, action)
    done = await person.submit(page, {**typed, **proof}, action=action)
    assert done.status_code in (200, 303), words_of(done)
    [failed] = await events_of(world, "person.proof_failed")
    assert failed["cause"] == "wrong password"


@every_form
async def test_an_answer_for_one_form_proves_nothing_at_another(
    person: Browser, world: World, path: str, action: str, fields: Fields
) -> None:
    """It is bound to the session and to the form, by whose seal the service knows what it is for."""
    key = await add(person)
    page = await page_of(person, world, path, action)
    security = await person.get(SECURITY)
    other = await prove_by(person, key, security, REMOVE)
    refused = await person.submit(page, {**await fields(world, page), **other}, action=action)
    assert refused.status_code == 422
    assert "Your passkey was not accepted" in words_of(refused)
    [failed] = await events_of(world, "person.proof_failed")
    assert failed["cause"] == "challenge too old"
    # It was not used up: its own form takes it.
    assert (await person.submit(security, other, action=REMOVE)).status_code == 303


async def test_an_answer_that_was_used_proves_nothing_again(person: Browser, world: World) -> None:
    key = await add(person)
    page = await person.get(PROFILE)
    proof = {**await prove_by(person, key, page, "/profile/email"), **await new_email(world, page)}
    assert (await person.submit(page, proof, action="/profile/email")).status_code == 303
    again = await person.submit(page, proof, action="/profile/email")
    assert again.status_code == 422
    assert "Your passkey was not accepted" in words_of(again)


async def test_an_answer_of_another_session_proves_nothing(
    app: FastAPI, person: Browser, world: World
) -> None:
    key = await add(person)
    async with Browser(app) as elsewhere:
        await signed_in(elsewhere, world)
        page = await elsewhere.get(PROFILE)
        proof = await prove_by(elsewhere, key, page, "/profile/close")
    refused = await person.submit(await person.get(PROFILE), proof, action="/profile/close")
    assert refused.status_code == 422


async def test_no_form_of_ours_asks_for_a_password_without_offering_a_passkey(
    person: Browser, world: World
) -> None:
    """So does each that asks for a code; a form that the list above lacks would be found here."""
    app, _ = await enrol(person, world)
    await add(person, code=app.present())
    await join(world, "owner")
    proving = "//form[.//input[@name='password' or @name='code']]"
    expected = {PROFILE: 3, PEOPLE: 0, SECURITY: 5, "/app/operator/prove": 1}
    for path, count in expected.items():
        page = await person.get(path)
        assert len(found(page, proving)) == count
        assert found(page, f"{proving}[not(@data-passkey='get')]/@action") == []
        assert ("script-src 'self'" in page.headers["content-security-policy"]) == (
            count > 0 or path == PEOPLE
        )


def test_one_component_asks_for_every_proof() -> None:
    """Where nobody is signed in, and where a password is chosen, there is nothing to prove again."""
    folder = Path(TEMPLATES.environment.get_template("layout.html").filename or "").parent
    asking = {file.name for file in folder.glob("*.html") if _ASKS.search(file.read_text())}
    assert asking == {"_passkey.html", "login.html", "password_new.html", "invitation.html"}


async def test_a_page_has_a_script_only_where_a_passkey_is_asked_for(person: Browser, world: World) -> None:
    for path in (PROFILE, PEOPLE, SET_UP):
        assert "script" not in (await person.get(path)).text
    await add(person)
    await join(world, "viewer")
    for path in (PROFILE, PEOPLE, SET_UP):
        assert found(await person.get(path), "//script/@src")


@pytest.mark.parametrize(
    "answer",
    [
        "{}",
        "[]",
        "null",
        "1e999",
        '"\\u0000"',
        "[" * 8000,
        '{"rawId": 1, "response": 2}',
        '{"rawId": "", "response": {}}',
        '{"rawId": "AA", "response": {"userHandle": []}}',
        '{"rawId": "\\ud800", "response": {"userHandle": "\\u0000"}}',
        '{"rawId": "AAAA", "response": {"clientDataJSON": "e30", "authenticatorData": "AA", "signature": "AA"}}',
    ],
)
async def test_senseless_answers_are_refused_by_name_at_every_door(
    app: FastAPI, person: Browser, world: World, answer: str
) -> None:
    """R-110: to sign in, to prove, and to make a passkey."""
    await add(person)
    page = await person.get(PROFILE)
    asked = (await ask(person, page, "/profile/email"))["challenge"]
    fields = {"challenge": asked, "answer": answer, "email": f"new.{world.member.email}"}
    proved = await person.submit(page, fields, action="/profile/email")
    assert proved.status_code == 422
    assert "Your passkey was not accepted" in words_of(proved)
    made = await person.submit(await make_page(person), {"name": "Phone", "answer": answer}, action=NEW)
    assert made.status_code == 422
    assert "answer was not accepted" in words_of(made)
    async with Browser(app) as stranger:
        page = await stranger.get("/app/login")
        asked = (await ask(stranger, page, LOGIN_PASSKEY))["challenge"]
        refused = await stranger.submit(page, {"challenge": asked, "answer": answer}, action=LOGIN_PASSKEY)
    assert refused.status_code == 400
    assert "That passkey was not accepted" in words_of(refused)

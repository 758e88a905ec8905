"""Operators: a second factor always, shown again for what is sensitive, and roles that an admin gives and takes."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import httpx2
import pytest
from fastapi import FastAPI
from pyotp import TOTP

from app.context import Context
from app.flows.account.add_operator import OperatorError, add_operator
from app.flows.account.change_customer import set_password
from app.flows.account.change_email import stop_new_email
from app.flows.account.change_operator import disable_operator, set_operator_role
from app.flows.mail.links import mint_email_link
from app.oauth.actor import COMMAND_LINE, Actor
from app.storage.people.operators import select_operators
from app.storage.people.passkeys import select_passkeys_of
from app.storage.people.people import OperatorRole, Person
from tests.support.authenticator import Authenticator
from tests.support.browser import Browser
from tests.support.passkeys import ADD, REMOVE, add, ask, prove_by, sign_in_by
from tests.support.people import PASSWORD, World
from tests.web.reading import found, words_of

STAFF, ROLE, SWITCH = "/app/operator/staff", "/app/operator/staff/role", "/app/operator/staff/switch"
PROVE, AUTHENTICATOR = "/app/operator/prove", "/app/account/security/authenticator"


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator of a test, and the browser in front of them. key: of the authenticator app."""

    context: Context
    person: Person
    browser: Browser
    key: str = ""

    async def enrol(self) -> "Operator":
        """Set an app up, as the page that they are led to asks for."""
        page = await self.browser.get(AUTHENTICATOR)
        key = found(page, "//code[@class='key']/text()")[0].replace(" ", "")
        done = await self.browser.submit(
            page, {"new_code": TOTP(key).at(self.context.now()), "password": PASSWORD}, action=AUTHENTICATOR
        )
        assert done.status_code == 200, done.text
        await self.allow_code_again()
        return Operator(self.context, self.person, self.browser, key)

    async def allow_code_again(self) -> None:
        """A code counts once, and a test does not wait for the next."""
        await self.context.database.count(
            "UPDATE person SET totp_last_step = totp_last_step - 2 WHERE id = $1", self.person.id
        )

    async def prove(self, code: str | None = None) -> httpx2.Response:
        code = code or TOTP(self.key).at(self.context.now())
        return await self.browser.submit(await self.browser.get(PROVE), {"code": code}, action=PROVE)

    async def pass_time(self, minutes: int) -> None:
        await self.context.database.count(
            "UPDATE browser_session SET proved_at = proved_at - $2::interval WHERE person_id = $1",
            self.person.id,
            timedelta(minutes=minutes),
        )

    async def set_role(self, email: str, role: str) -> httpx2.Response:
        """By the form that adds somebody."""
        page = await self.browser.get(STAFF)
        [form] = [
            index for index, each in enumerate(found(page, "//form")) if each.xpath(".//input[@name='email']")
        ]
        hidden = {
            each.get("name"): each.get("value")
            for each in found(page, "//form")[form].xpath(".//input[@type='hidden']")
        }
        return await self.browser.http.post(ROLE, data={**hidden, "email": email, "role": role})

    async def role_of(self, email: str) -> str | None:
        """None for somebody who is no operator, or a disabled one."""
        listed = await select_operators(self.context.database)
        return next((each.role for each in listed if each.email == email and not each.disabled_at), None)


async def make(context: Context, role: OperatorRole, browser: Browser) -> Operator:
    person = await add_operator(
        context,
        COMMAND_LINE,
        email=f"olga.{uuid4().hex[:12]}@rovitracker.example",
        name="Olga Reyes",
        role=role,
        password=PASSWORD,
    )
    await browser.submit(
        await browser.get(STAFF), {"email": person.email, "password": PASSWORD}, action="/app/login"
    )
    return Operator(context, person, browser)


@pytest.fixture
async def fresh(app: FastAPI, context: Context) -> AsyncIterator[Operator]:
    """An admin who just signed in for the first time."""
    async with Browser(app) as browser:
        yield await make(context, "admin", browser)


@pytest.fixture
async def admin(fresh: Operator) -> Operator:
    return await fresh.enrol()


async def test_an_operator_without_second_factor_is_led_to_set_one_up(fresh: Operator) -> None:
    answer = await fresh.browser.get(STAFF)
    assert answer.headers["location"] == AUTHENTICATOR
    assert "Operators always have a second factor" in words_of(await fresh.browser.follow(answer))
    enrolled = await fresh.enrol()
    assert "The operators of RoviTracker" in words_of(await enrolled.browser.get(STAFF))


async def test_a_factor_that_was_turned_off_is_asked_for_again(admin: Operator) -> None:
    await admin.context.database.count(
        "UPDATE person SET totp_sealed = NULL, totp_sealed_with = NULL, totp_last_step = NULL WHERE id = $1",
        admin.person.id,
    )
    assert (await admin.browser.get(STAFF)).headers["location"] == AUTHENTICATOR


async def test_a_passkey_is_a_second_factor_too(app: FastAPI, fresh: Operator) -> None:
    device = await add(fresh.browser)
    listed = await select_operators(fresh.context.database)
    assert [each.second_factor for each in listed if each.person_id == fresh.person.id] == [True]
    assert (await fresh.browser.get(STAFF)).headers["location"] == PROVE, "the session had a password alone"
    page = await fresh.browser.get(PROVE)
    asked = await ask(fresh.browser, page, PROVE)
    fields = {"challenge": asked["challenge"], "answer": device.get(asked["options"])}
    assert (await fresh.browser.submit(page, fields, action=PROVE)).headers["location"] == STAFF
    again = await fresh.browser.submit(page, fields, action=PROVE)
    assert again.status_code == 422, "an answer counts once"
    async with Browser(app) as browser:
        await sign_in_by(browser, device)
        assert (await browser.get(STAFF)).status_code == 200


async def test_a_password_alone_replaces_no_passkey_of_an_operator(app: FastAPI, fresh: Operator) -> None:
    """Neither by an app of somebody else, nor by another passkey, nor by taking the passkey away, nor by a mailed link."""
    await add(fresh.browser)
    async with Browser(app) as thief:
        fields = {"email": fresh.person.email, "password": PASSWORD}
        await thief.submit(await thief.get(STAFF), fields, action="/app/login")
        page = await thief.get(AUTHENTICATOR)
        key = found(page, "//code[@class='key']/text()")[0].replace(" ", "")
        code = TOTP(key).at(fresh.context.now())
        taken = await thief.submit(page, {"new_code": code, "password": PASSWORD}, action=AUTHENTICATOR)
        assert taken.status_code == 422
        assert "An operator shows a passkey here" in words_of(taken)
        for action in (ADD, REMOVE):
            refused = await thief.submit(
                await thief.get("/app/account/security"), {"password": PASSWORD}, action=action
            )
            assert refused.status_code == 422
            assert "An operator shows a passkey here" in words_of(refused)
        assert (await thief.get(STAFF)).headers["location"] == PROVE
    await set_password(
        fresh.context, COMMAND_LINE, fresh.person.email, PASSWORD + " 2", cut_applications=True
    )
    assert len(await select_passkeys_of(fresh.context.database, fresh.person.id)) == 1


async def test_an_operator_with_passkeys_alone_proves_by_one_wherever_a_password_is_refused(
    app: FastAPI, fresh: Operator
) -> None:
    """A change of address, which could be a change of owner, and an app of their own."""
    device = await add(fresh.browser)
    profile, to = "/app/account/profile", f"new.{fresh.person.email}"
    async with Browser(app) as browser:
        fields = {"email": fresh.person.email, "password": PASSWORD}
        await browser.submit(await browser.get(STAFF), fields, action="/app/login")
        page = await browser.get(profile)
        refused = await browser.submit(page, {"email": to, "password": PASSWORD}, action="/profile/email")
        assert refused.status_code == 422
        assert "An operator shows a passkey here" in words_of(refused)
        proof = await prove_by(browser, device, page, "/profile/email")
        done = await browser.submit(page, {"email": to, **proof}, action="/profile/email")
        assert done.headers["location"] == f"{profile}?done=email"
        page = await browser.get(AUTHENTICATOR)
        key = found(page, "//code[@class='key']/text()")[0].replace(" ", "")
        code = TOTP(key).at(fresh.context.now())
        proof = await prove_by(browser, device, page, AUTHENTICATOR)
        assert (
            await browser.submit(page, {"new_code": code, **proof}, action=AUTHENTICATOR)
        ).status_code == 200
        assert (await browser.get(STAFF)).status_code == 200


async def test_a_stopped_change_of_address_keeps_an_operators_passkeys(fresh: Operator) -> None:
    """Whoever reads the old mailbox must not be rid of the second factor (R-59). Sessions end all the same."""
    context, person = fresh.context, fresh.person
    device = await add(fresh.browser)
    page = await fresh.browser.get("/app/account/profile")
    proof = await prove_by(fresh.browser, device, page, "/profile/email")
    await fresh.browser.submit(page, {"email": f"new.{person.email}", **proof}, action="/profile/email")
    [change] = await context.database.rows("SELECT id FROM email_change WHERE person_id = $1", person.id)
    assert await stop_new_email(context, await mint_email_link(context, change["id"], "old")) == "stopped"
    assert [each.credential_id for each in await select_passkeys_of(context.database, person.id)] == [
        device.id
    ]
    rows = await context.database.rows("SELECT FROM browser_session WHERE person_id = $1", person.id)
    assert rows == []
    mails = await context.database.rows("SELECT template FROM mail WHERE recipient = $1", person.email)
    assert "passkey_removed" not in {each["template"] for each in mails}


async def test_what_is_sensitive_asks_for_the_factor_after_ten_minutes(admin: Operator, world: World) -> None:
    email = world.member.email
    await admin.pass_time(11)
    assert (await admin.browser.get(STAFF)).status_code == 200, "looking goes on"
    assert (await admin.set_role(email, "support")).headers["location"] == PROVE
    assert await admin.role_of(email) is None
    wrong = await admin.prove("000000")
    assert wrong.status_code == 422
    assert found(wrong, "//input[@aria-invalid]/@name") == ["code"]
    assert (await admin.set_role(email, "support")).headers["location"] == PROVE
    assert (await admin.prove()).headers["location"] == STAFF
    assert (await admin.set_role(email, "support")).headers["location"] == f"{STAFF}?done=role"
    assert await admin.role_of(email) == "support"


async def test_another_persons_passkey_proves_nothing(app: FastAPI, admin: Operator, world: World) -> None:
    await add(admin.browser, code=await _code(admin))
    async with Browser(app) as browser:
        await browser.sign_in(await browser.get("/app/account/security"), world.member.email, PASSWORD)
        stranger: Authenticator = await add(browser)
    await admin.pass_time(11)
    page = await admin.browser.get(PROVE)
    asked = await ask(admin.browser, page, PROVE)
    options = {**asked["options"], "allowCredentials": []}
    fields = {"challenge": asked["challenge"], "answer": stranger.get(options)}
    assert (await admin.browser.submit(page, fields, action=PROVE)).status_code == 422
    assert (await admin.set_role(world.member.email, "support")).headers["location"] == PROVE


async def _code(admin: Operator) -> str:
    await admin.allow_code_again()
    return TOTP(admin.key).at(admin.context.now())


@pytest.mark.parametrize("role", ["support", "reviewer"])
async def test_only_an_admin_changes_operators(
    role: OperatorRole, app: FastAPI, context: Context, admin: Operator, world: World
) -> None:
    async with Browser(app) as browser:
        looker = await (await make(context, role, browser)).enrol()
        page = await looker.browser.get(STAFF)
        assert page.status_code == 200
        assert not found(page, "//form[contains(@action, '/operator/')]")
    with pytest.raises(OperatorError, match="only an admin"):
        await set_operator_role(context, looker.person.actor, world.member.email, "admin")
    with pytest.raises(OperatorError, match="only an admin"):
        await disable_operator(context, Actor("customer", world.member.id), admin.person.email)


async def test_a_customer_finds_no_door(browser: Browser, world: World) -> None:
    await browser.sign_in(await browser.get("/app/account/security"), world.member.email, PASSWORD)
    page = await browser.get(STAFF)
    assert page.status_code == 403
    assert "This page is for operators" in words_of(page)
    assert STAFF not in found(await browser.get("/app/account/security"), "//a/@href")


async def test_a_role_that_was_taken_away_ends_the_session(
    app: FastAPI, context: Context, admin: Operator
) -> None:
    async with Browser(app) as browser:
        other = await (await make(context, "reviewer", browser)).enrol()
        page = await admin.browser.get(STAFF)
        index = found(page, "//li//dd[1]/bdi/text()").index(other.person.email)
        form = found(page, f"//form[@action='{SWITCH}']")[index]
        hidden = {each.get("name"): each.get("value") for each in form.xpath(".//input")}
        done = await admin.browser.http.post(SWITCH, data=hidden)
        assert done.headers["location"] == f"{STAFF}?done=disabled"
        assert "Sign in" in words_of(await other.browser.get(STAFF))
    with pytest.raises(OperatorError, match="disabled operator"):
        await set_operator_role(context, admin.person.actor, other.person.email, "admin")


async def test_what_is_not_accepted_is_told_and_what_was_typed_is_kept(admin: Operator) -> None:
    refused = await admin.set_role("nobody.here@hillside.example", "support")
    assert refused.status_code == 404
    assert "Nobody signs in with nobody.here@hillside.example" in words_of(refused)
    assert found(refused, "//input[@name='email']/@value") == ["nobody.here@hillside.example"]
    assert (await admin.set_role("nobody.here@hillside.example", "boss")).status_code == 400


async def test_of_two_last_admins_who_disable_each_other_one_stays(
    app: FastAPI, context: Context, admin: Operator
) -> None:
    """And the host can do what no page does."""
    for each in await select_operators(context.database):
        if each.role == "admin" and not each.disabled_at and each.person_id != admin.person.id:
            await disable_operator(context, COMMAND_LINE, each.email)
    with pytest.raises(OperatorError, match="the only admin"):
        await set_operator_role(context, admin.person.actor, admin.person.email, "support")
    async with Browser(app) as browser:
        other = await make(context, "admin", browser)
    outcomes = await asyncio.gather(
        disable_operator(context, admin.person.actor, other.person.email),
        disable_operator(context, other.person.actor, admin.person.email),
        return_exceptions=True,
    )
    assert [type(each) for each in outcomes if isinstance(each, Exception)] == [OperatorError]
    left = admin if await admin.role_of(admin.person.email) else other
    await disable_operator(context, COMMAND_LINE, left.person.email)

"""The second factor on the wire: it is set up, asked after the password, used once, and turned off."""

import asyncio
from datetime import timedelta

import httpx2
import pytest
from fastapi import FastAPI
from pyotp import TOTP

from app.flows.account.second_factor import keep_totp_sealed, reset_second_factor
from app.oauth.actor import COMMAND_LINE
from app.oauth.keys import derive_keys
from app.throttling.guesses import GuessLimits
from tests.support.browser import Browser, query_of
from tests.support.people import PASSWORD, World
from tests.web.reading import found, words_of
from tests.web.services import Services
from tests.web.test_security import MANY, SECURITY, change, events_of, fault_of, is_in, signed_in

AUTHENTICATOR = "/app/account/security/authenticator"
CODE = "/app/login/code"
KEY = "//code[@class='key']/text()"
ASKED = "Enter a code"


class App:
    """An authenticator app. key: as the page shows it, to be typed."""

    def __init__(self, key: str, world: World) -> None:
        self.totp, self.world = TOTP(key.replace(" ", "")), world

    def present(self, ahead: int = 0) -> str:
        """The code of now, or of a step that many later."""
        return self.totp.at(self.world.context.now() + ahead * timedelta(seconds=30))


def codes_of(page: httpx2.Response) -> list[str]:
    return [str(code) for code in found(page, "//li/code/text()")]


async def enrol(browser: Browser, world: World) -> tuple[App, list[str]]:
    """Set an app up as a person does; the app and the recovery codes. The present code can be used again."""
    page = await browser.get(AUTHENTICATOR)
    app = App(found(page, KEY)[0], world)
    done = await browser.submit(page, {"new_code": app.present(), "password": PASSWORD}, action=AUTHENTICATOR)
    assert done.status_code == 200, done.text
    await world.context.database.count(
        "UPDATE person SET totp_last_step = totp_last_step - 2 WHERE id = $1", world.member.id
    )
    return app, codes_of(done)


async def password_step(browser: Browser, world: World, way: str = SECURITY) -> httpx2.Response:
    page = await browser.get(way)
    fields = {"email": world.member.email, "password": PASSWORD}
    return await browser.submit(page, fields, action="/app/login")


async def code_step(browser: Browser, page: httpx2.Response, code: str) -> httpx2.Response:
    return await browser.submit(page, {"code": code}, action=CODE)


@pytest.fixture
async def enrolled(app: FastAPI, world: World) -> tuple[App, list[str]]:
    async with Browser(app) as own:
        return await enrol(await signed_in(own, world), world)


async def test_an_app_is_set_up_by_a_code_of_it(app: FastAPI, browser: Browser, world: World) -> None:
    """Nothing is kept before, and the other sessions end, since they had no second factor."""
    async with Browser(app) as elsewhere:
        await signed_in(elsewhere, world)
        await signed_in(browser, world)
        _, codes = await enrol(browser, world)
        assert not await is_in(elsewhere)
    assert len(set(codes)) == 10
    shown = words_of(await browser.get(SECURITY))
    assert "10 of 10 recovery codes are left" in shown
    assert codes[0] not in shown
    assert (await browser.get(AUTHENTICATOR)).headers["location"] == SECURITY
    assert await events_of(world, "person.second_factor_on") == [{"person": str(world.member.id)}]


async def test_what_is_wrong_at_the_set_up_is_told_and_the_key_stays(browser: Browser, world: World) -> None:
    """So that nobody has to scan again."""
    page = await (await signed_in(browser, world)).get(AUTHENTICATOR)
    [key] = found(page, KEY)
    for code, password, said in (
        ("000000", PASSWORD, "This code is wrong"),
        ("", PASSWORD, "This code is wrong"),
        ("\N{ARABIC-INDIC DIGIT ONE}" * 6, PASSWORD, "This code is wrong"),
        (App(key, world).present(), "wrong", "not your present password"),
    ):
        page = await browser.submit(page, {"new_code": code, "password": password}, action=AUTHENTICATOR)
        assert said in fault_of(page)
        assert found(page, KEY) == [key]
    assert "Set up an authenticator app" in words_of(await browser.get(SECURITY))


async def test_the_picture_says_what_the_key_says(browser: Browser, world: World) -> None:
    """The outline is drawn inside its square, and another account gets another one."""
    page = await (await signed_in(browser, world)).get(AUTHENTICATOR)
    again = await browser.get(AUTHENTICATOR)
    [outline], [other] = (found(each, "//svg[@class='qr-code']/path/@d") for each in (page, again))
    assert outline != other
    size = int(found(page, "//svg[@class='qr-code']/rect/@width")[0])
    starts = [part.split("h")[0].split() for part in outline.split("M")[1:]]
    assert {int(axis) for start in starts for axis in start} <= set(range(4, size - 4))


async def test_a_code_is_asked_after_the_right_password_alone(
    browser: Browser, world: World, enrolled: tuple[App, list[str]]
) -> None:
    """R-54: a wrong password tells nothing of a second factor, and the right one opens nothing yet."""
    app, _ = enrolled
    page = await browser.get(SECURITY)
    wrong = await browser.submit(
        page, {"email": world.member.email, "password": "wrong"}, action="/app/login"
    )
    assert wrong.status_code == 400
    assert ASKED not in words_of(wrong)
    asked = await password_step(browser, world)
    assert ASKED in words_of(asked)
    assert "rovi_session" not in browser.http.cookies
    assert not await is_in(browser)
    answer = await code_step(browser, asked, app.present())
    assert answer.headers["location"] == SECURITY
    assert await is_in(browser)


async def test_the_way_back_to_the_application_is_kept(
    browser: Browser, world: World, enrolled: tuple[App, list[str]]
) -> None:
    asked = await password_step(browser, world, world.authorize_url())
    assert "to continue to Sitewise" in words_of(asked)
    assert "form-action" not in asked.headers["content-security-policy"]
    wrong = await code_step(browser, asked, "000000")
    consent = await browser.follow(await code_step(browser, wrong, enrolled[0].present()))
    answer = await browser.submit(consent, {"decision": "approve"}, action="/consent")
    assert "code" in query_of(answer)


async def test_a_code_works_once_and_so_does_every_earlier_one(
    app: FastAPI, browser: Browser, world: World, enrolled: tuple[App, list[str]]
) -> None:
    """R-59: of three at once one gets in; RFC 6238 section 5.2."""
    authenticator, _ = enrolled
    browsers = [Browser(app) for _ in range(3)]
    asked = [await password_step(each, world) for each in browsers]
    code = authenticator.present()
    answers = await asyncio.gather(
        *(code_step(each, page, code) for each, page in zip(browsers, asked, strict=True))
    )
    assert sorted(each.status_code for each in answers) == [303] + [422] * 2
    page = await password_step(browser, world)
    assert "was used already" in words_of(await code_step(browser, page, authenticator.present(-1)))
    for each in browsers:
        await each.http.aclose()


@pytest.mark.parametrize(("seconds", "status"), [(-60, 422), (30, 303), (60, 422)])
async def test_a_clock_may_be_a_step_apart(
    world: World, enrolled: tuple[App, list[str]], services: Services, seconds: int, status: int
) -> None:
    """The service's clock is moved, and the app's is not; RFC 6238 section 5.2."""
    code, present = enrolled[0].present(1), world.context.now().timestamp()
    # In the middle of a step, so that none of them ends meanwhile.
    ahead = timedelta(seconds=seconds + 30 - present % 30 + 15)
    async with Browser(services.later(ahead)) as browser:
        page = await password_step(browser, world)
        assert (await code_step(browser, page, code)).status_code == status


async def test_codes_are_guessed_five_times_and_no_more(
    app: FastAPI, world: World, enrolled: tuple[App, list[str]]
) -> None:
    """O-50, R-59, R-51: eight at once from eight networks; the count is exact."""
    authenticator, codes = enrolled
    browsers = [Browser(app, address=f"2001:db8:{number:x}::1") for number in range(8)]
    pages = [await password_step(each, world) for each in browsers]
    answers = await asyncio.gather(
        *(code_step(each, page, "000000") for each, page in zip(browsers, pages, strict=True))
    )
    assert sorted(each.status_code for each in answers) == [422] * 5 + [429] * 3
    limited = [await code_step(browsers[0], pages[0], code) for code in (authenticator.present(), codes[0])]
    assert [each.status_code for each in limited] == [429, 429]
    assert len({words_of(each) for each in (*answers, *limited)}) == 1
    assert all(int(each.headers["retry-after"]) > 0 for each in limited)
    for each in browsers:
        await each.http.aclose()


async def test_guesses_of_others_lock_nobody_out_of_a_known_browser(
    app: FastAPI, browser: Browser, world: World, enrolled: tuple[App, list[str]]
) -> None:
    """R-53: the attacker knows the password even."""
    authenticator, codes = enrolled
    assert (await code_step(browser, await password_step(browser, world), codes[0])).status_code == 303
    async with Browser(app, address="2001:db8:53::1") as attacker:
        page = await password_step(attacker, world)
        guesses = [(await code_step(attacker, page, "000000")).status_code for _ in range(6)]
        assert guesses == [422] * 5 + [429]
    page = await password_step(browser, world, "/app/login")
    assert (await code_step(browser, page, authenticator.present())).status_code == 303


async def test_a_recovery_code_signs_in_once(
    app: FastAPI, world: World, enrolled: tuple[App, list[str]]
) -> None:
    """Typed as people type it; of two at once one gets in."""
    _, codes = enrolled
    typed = f" {codes[3].upper().replace('-', ' ')} "
    browsers = [Browser(app) for _ in range(2)]
    pages = [await password_step(each, world) for each in browsers]
    answers = await asyncio.gather(
        *(code_step(each, page, typed) for each, page in zip(browsers, pages, strict=True))
    )
    assert sorted(each.status_code for each in answers) == [303, 422]
    assert [each["left"] for each in await events_of(world, "person.recovery_code_used")] == [9]
    for each in browsers:
        await each.http.aclose()


async def test_a_recovery_code_of_somebody_else_is_worth_nothing(
    app: FastAPI, browser: Browser, world: World, enrolled: tuple[App, list[str]]
) -> None:
    other = await World.make(world.context)
    async with Browser(app) as others:
        _, codes = await enrol(await signed_in(others, other), other)
    page = await password_step(browser, world)
    assert (await code_step(browser, page, codes[0])).status_code == 422
    assert enrolled[1] != codes


async def test_new_recovery_codes_replace_those_before(
    browser: Browser, world: World, enrolled: tuple[App, list[str]]
) -> None:
    authenticator, codes = enrolled
    await code_step(browser, await password_step(browser, world), codes[0])
    page = await browser.get(SECURITY)
    fields = {"password": PASSWORD, "code": authenticator.present()}
    renewed = codes_of(await browser.submit(page, fields, action="/recovery-codes"))
    assert len(renewed) == 10
    assert not {*renewed} & {*codes}
    page = await password_step(browser, world, "/app/login")
    assert (await code_step(browser, page, codes[1])).status_code == 422
    assert (await code_step(browser, page, renewed[1])).status_code == 303


async def test_it_is_asked_again_before_a_sensitive_change(
    browser: Browser, world: World, enrolled: tuple[App, list[str]]
) -> None:
    """A code that signed in changes nothing: it was used."""
    authenticator, codes = enrolled
    spent = authenticator.present()
    await code_step(browser, await password_step(browser, world), spent)
    assert "This code is wrong" in fault_of(await change(browser, PASSWORD, "another horse, another battery"))
    for action in ("/authenticator/off", "/recovery-codes"):
        page = await browser.get(SECURITY)
        refused = await browser.submit(page, {"password": PASSWORD, "code": spent}, action=action)
        assert "This code is wrong" in fault_of(refused)
        wrong = await browser.submit(page, {"password": "wrong", "code": codes[1]}, action=action)
        assert "not your present password" in fault_of(wrong)
    page = await browser.get(SECURITY)
    done = await browser.submit(page, {"password": PASSWORD, "code": codes[2]}, action="/authenticator/off")
    assert "turned off" in words_of(await browser.follow(done))
    assert (await password_step(browser, world, "/app/login")).status_code == 303
    assert await events_of(world, "person.second_factor_off") == [{"person": str(world.member.id)}]


async def test_a_password_step_is_worth_nothing_after_a_new_password(
    app: FastAPI, browser: Browser, world: World, enrolled: tuple[App, list[str]]
) -> None:
    """R-56"""
    authenticator, codes = enrolled
    asked = await password_step(browser, world)
    async with Browser(app) as own:
        await code_step(own, await password_step(own, world), codes[0])
        fields = {"password": PASSWORD, "new_password": "another horse, another battery", "code": codes[1]}
        await own.submit(await own.get(SECURITY), fields, action="/security/password")
    answer = await code_step(browser, asked, authenticator.present())
    assert answer.status_code == 400
    assert "sign in again" in words_of(answer)


async def test_a_password_step_cannot_be_finished_in_another_browser(
    app: FastAPI, browser: Browser, world: World, enrolled: tuple[App, list[str]]
) -> None:
    """R-44"""
    asked = await password_step(browser, world)
    async with Browser(app) as other:
        await other.get("/app/login")
        assert (await code_step(other, asked, enrolled[0].present())).status_code == 400
        assert "rovi_session" not in other.http.cookies


async def test_a_lost_factor_is_turned_off_on_the_host(
    app: FastAPI, browser: Browser, world: World, enrolled: tuple[App, list[str]]
) -> None:
    """The sessions end, the trail tells who did it, and the password alone signs in again."""
    async with Browser(app) as signed:
        await code_step(signed, await password_step(signed, world), enrolled[1][0])
        reset = await reset_second_factor(world.context, COMMAND_LINE, world.member.email)
        assert (reset.sessions, reset.passkeys) == (2, 0)
        assert not await is_in(signed)
    assert (await password_step(browser, world)).status_code == 303
    [row] = await world.context.database.rows(
        "SELECT actor_kind FROM audit_event WHERE event = 'person.second_factor_reset' AND customer_id = $1",
        world.member.customer_id,
    )
    assert row["actor_kind"] == "command line"
    [kept] = await world.context.database.rows(
        "SELECT count(*)::integer AS codes FROM recovery_code WHERE person_id = $1", world.member.id
    )
    assert kept["codes"] == 0


async def test_a_secret_follows_the_newest_secret_key(
    world: World, enrolled: tuple[App, list[str]], services: Services
) -> None:
    """So that the key before can be taken away; without any key that opens it, the recovery codes still work."""
    authenticator, codes = enrolled
    old, new = "0123456789abcdef" * 4, "fedcba9876543210" * 4
    both = services.like(keys=derive_keys((new, *_present_keys(services))))
    await keep_totp_sealed(both.state.context)
    only_new, other = (services.like(keys=derive_keys((key,))) for key in (new, old))
    async with Browser(other) as browser:
        page = await password_step(browser, world)
        assert (await code_step(browser, page, authenticator.present())).status_code == 503
        assert (await code_step(browser, page, codes[0])).status_code == 303
    async with Browser(only_new) as browser:
        page = await password_step(browser, world)
        assert (await code_step(browser, page, authenticator.present())).status_code == 303


def _present_keys(services: Services) -> tuple[str, ...]:
    return tuple(key.get_secret_value() for key in services._settings.secret_keys)


async def test_limits_of_the_password_are_not_those_of_the_code(
    services: Services, world: World, enrolled: tuple[App, list[str]]
) -> None:
    """A right password is refunded before the code is asked, else five good sign-ins would use it up."""
    _, codes = enrolled
    for code in codes[:4]:
        async with Browser(services.under(guess_limits=GuessLimits(2, MANY))) as browser:
            assert (await code_step(browser, await password_step(browser, world), code)).status_code == 303

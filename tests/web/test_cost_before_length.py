"""Lengths are judged before anything that costs more than they grow: who sends too much is told so, and nobody waits for it."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from uuid import UUID

import httpx2
import pytest
from fastapi import FastAPI

from app.context import Context
from app.flows.fleet.import_fleet import import_machines
from app.simulation.fleet import simulate_fleet
from tests.support.browser import Browser, form_of
from tests.support.people import PASSWORD, World
from tests.support.refusals import error_of
from tests.support.ticks import held_least
from tests.web.test_telemetry import Sender, hours, sender

MOST_HELD_S = 0.05
LOGIN = "/app/login"
JWT = "application/token-introspection+jwt"

# Texts of 62 KB and 125 KB: each dot below goes before every accent that stands there already.
ABOVE, BELOW = "\N{COMBINING ACUTE ACCENT}", "\N{COMBINING DOT BELOW}"
KB_62 = ABOVE * 15_500 + BELOW * 15_500
KB_30 = ABOVE * 7_500 + BELOW * 7_500
KB_125 = ABOVE * 31_250 + BELOW * 31_250


async def undisturbed(ask: Callable[[], Awaitable[httpx2.Response]]) -> httpx2.Response:
    """The answer, for which the loop was never held."""
    answer, held_s = await held_least(ask)
    assert held_s < MOST_HELD_S, f"the loop was held for {held_s:.3f} s"
    return answer


async def post_sign_in(browser: Browser, email: str, password: str) -> httpx2.Response:
    """The form as it stands in the page, its fields in bare UTF-8, which is shorter than encoded."""
    form = form_of(await browser.get(LOGIN), LOGIN)
    body = f"flow={form.hidden['flow']}&email={email}&password={password}".encode()
    return await browser.http.post(LOGIN, content=body)


async def test_password_of_62_kb_of_accents_is_refused_at_once(browser: Browser, world: World) -> None:
    """R-60, R-76, R-110: to compose its accents once held the loop for 2.4 seconds."""
    assert len(KB_62.encode()) == 62_000
    answer = await undisturbed(lambda: post_sign_in(browser, world.member.email, KB_62))
    assert answer.status_code == 413  # no form of ours is as long
    answer = await undisturbed(lambda: post_sign_in(browser, world.member.email, KB_30))
    assert answer.status_code == 400
    assert "A password has at most 1,000 characters." in answer.text
    assert KB_30[:2000] not in answer.text


async def test_ten_such_passwords_hold_up_nobody(app: FastAPI, browser: Browser, world: World) -> None:
    """R-60, R-76, R-110: ten of them once stopped the service for 17 seconds."""

    async def attack() -> httpx2.Response:
        answers = []
        for _ in range(10):
            answers.append(await post_sign_in(browser, world.member.email, KB_30))
            await asyncio.sleep(0)  # from a socket they come one by one, from within without a turn between
        assert {each.status_code for each in answers} == {400}
        return answers[0]

    await undisturbed(attack)
    async with Browser(app) as other:
        answer = await post_sign_in(other, world.member.email, PASSWORD.replace(" ", "+"))
        assert answer.status_code == 303


async def test_password_of_a_thousand_accents_is_only_wrong(browser: Browser, world: World) -> None:
    password = (ABOVE + BELOW) * 500
    answer = await undisturbed(lambda: post_sign_in(browser, world.member.email, password))
    assert (answer.status_code, "do not belong together" in answer.text) == (400, True)
    longer = await post_sign_in(browser, world.member.email, password + ABOVE)
    assert "A password has at most 1,000 characters." in longer.text


async def test_address_of_30_kb_of_accents_is_refused_at_once(browser: Browser) -> None:
    """R-76, R-110."""
    answer = await undisturbed(lambda: post_sign_in(browser, KB_30, "x"))
    assert answer.status_code == 400
    assert "An e-mail address has at most 254 characters." in answer.text


@pytest.fixture
async def own(context: Context, browser: Browser, world: World) -> Sender:
    return await sender(context, browser, world.member.customer_id)


def series_of(identifier: str) -> str:
    link = f"https://telematics.example/Fleet/Equipment/{identifier}/CumulativeFuelUsed/1"
    return f'{{"Links":[{{"rel":"self","href":"{link}"}}],"FuelUsed":[]}}'


@pytest.mark.parametrize(
    ("identifier", "told"),
    [
        (KB_125, "a link is longer than 8192 characters"),
        ("x" * 125_000, "a link is longer than 8192 characters"),
        (KB_125[:8_000], "a machine's identifier is longer than 255 characters"),
        (ABOVE * 256, "a machine's identifier is longer than 255 characters"),
    ],
    ids=["125 KB of accents", "125 KB of letters", "16 KB of accents", "256 accents"],
)
async def test_identifier_in_a_link_of_telemetry_is_refused_by_its_length(
    own: Sender, identifier: str, told: str
) -> None:
    """R-76, R-110: to compose 125 KB of accents once took 20 seconds."""
    body = series_of(identifier)
    answer = await undisturbed(lambda: own.send(body, **{"Content-Type": "application/json"}))
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/xml; charset=utf-8")
    assert f"The body cannot be read: {told}." in answer.text


async def test_identifier_of_255_accents_is_only_unknown(own: Sender) -> None:
    answer = await undisturbed(
        lambda: own.send(series_of(ABOVE * 255), **{"Content-Type": "application/json"})
    )
    assert (answer.status_code, answer.json()["accepted"]) == (200, 0)


async def test_identifier_of_125_kb_in_a_header_is_refused_by_its_length(own: Sender) -> None:
    """R-76, R-110."""
    machine = {"PIN": KB_125, **hours(7)}
    answer, held_s = await held_least(lambda: own.write(machine))
    assert held_s < MOST_HELD_S
    assert answer["rejected"] == [{"line": 1, "reason": "PIN is longer than 255 characters"}]


Ask = Callable[[Browser, str], Awaitable[httpx2.Response]]


def read(path: str = "/api/v2/Fleet/1", **headers: str | bytes) -> Ask:
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def ask(browser: Browser, token: str) -> httpx2.Response:
        sent = {"authorization": f"Bearer {token}", "accept": "application/json", **named}
        return await browser.http.get(path, headers=list(sent.items()))  # type: ignore[arg-type]  # bytes and texts both

    return ask


MEMBERS = "a/b;q=0.5," * 250_000
ACCENTS = "%CC%81" * 600 + "%CC%A3" * 600  # an address is 8 KiB at most

# The request that is sent, and the refusal it gets.
AT_THE_API = {
    "Accept of 250,000 members": (read(accept=MEMBERS), 431, "request_header_fields_too_large"),
    "the same without a token": (read(accept=MEMBERS, authorization=""), 401, "unauthorized"),
    "Accept-Encoding of 250,000": (
        read("/api/v2/Fleet/1", accept_encoding="a," * 250_000),
        431,
        "request_header_fields_too_large",
    ),
    "250,000 tags": (read(if_none_match='"a",' * 250_000), 431, "request_header_fields_too_large"),
    "4,000 parameters": (read("/api/v2/Fleet/1?" + "a&" * 4_000), 400, "invalid_request"),
    "identifier of 1,200 accents": (read(f"/api/v2/Fleet/Equipment/{ACCENTS}"), 404, "equipment_not_found"),
    "4,000 segments": (read("/api/v2/Fleet/Equipment" + "/a" * 4_000), 404, "not_found"),
    "page of 8,000 digits": (read("/api/v2/Fleet/" + "1" * 8_000), 404, "page_not_found"),
    "date of 3,000 digits": (
        read("/api/v2/Fleet/Equipment/x/Faults/" + "2" * 3_000 + "/2026-01-31T00:00:00Z"),
        404,
        "equipment_not_found",
    ),
    "token of a megabyte": (read(authorization="Bearer " + "a" * 1_000_000), 400, "invalid_request"),
}


@pytest.mark.parametrize(("ask", "status", "code"), AT_THE_API.values(), ids=AT_THE_API.keys())
async def test_what_is_too_long_for_the_api_is_refused_by_its_name(
    browser: Browser, world: World, ask: Ask, status: int, code: str
) -> None:
    """R-76, R-110: 250,000 members of one Accept once took 3.3 seconds."""
    token = await world.token(browser)
    await simulate_few(world.context, world.member.customer_id)
    answer = await undisturbed(lambda: ask(browser, token))
    assert answer.status_code == status, answer.text
    assert code in answer.text


async def simulate_few(context: Context, customer_id: UUID) -> None:
    """Enough machines for a page that is worth compressing."""
    machines = simulate_fleet(machines=5, days=1, interval_s=3600, seed=7, now=context.now())
    await import_machines(context, customer_id, tuple(machines))


async def test_accept_of_the_introspection_endpoint_is_bounded(browser: Browser, world: World) -> None:
    """R-76, R-110: 400,000 lines of it once took nine seconds, and 250,000 members three."""
    token = await world.token(browser)
    fields = {"client_id": world.client_id, "client_secret": world.client_secret, "token": token}

    def asked(headers: list[tuple[str, str]]) -> Callable[[], Awaitable[httpx2.Response]]:
        return lambda: browser.http.post("/app/oauth2/introspect", data=fields, headers=headers)

    plain = await undisturbed(asked([("accept", "a/b")] * 500))
    assert plain.json()["active"]
    refused = await undisturbed(asked([("accept", f"{JWT}," + "a," * 250_000)]))
    assert error_of(refused, 431) == "invalid_request"
    assert refused.json()["error_description"] == "the Accept header has more than 200 parts"


async def test_credentials_of_a_megabyte_are_refused_by_their_length(browser: Browser) -> None:
    """R-76."""
    answer = await undisturbed(
        lambda: browser.http.post(
            "/app/oauth2/token", data={"code": "a"}, headers={"Authorization": "Basic " + "YTpi" * 250_000}
        )
    )
    assert error_of(answer, 431) == "invalid_request"
    told = "the Authorization header is longer than 8192 characters"
    assert answer.json()["error_description"] == told


async def test_scope_of_many_words_is_refused_by_its_length(browser: Browser, world: World) -> None:
    """R-76."""
    answer = await world.exchange(browser, None, grant_type="client_credentials", scope="a " * 5_000 + "a")
    assert error_of(answer) in ("invalid_scope", "unauthorized_client")


async def test_quoted_cookie_of_16_kb_is_none_of_ours(browser: Browser) -> None:
    """R-76, R-110: to take its backslashes away once held the loop for half a second."""
    cookie = 'rovi_session="' + "\\" * 16_000 + '"'
    answer = await undisturbed(lambda: browser.http.get("/", headers={"Cookie": cookie}))
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "others", ["a=b; " * 3_000, 'a="' + "\\" * 16_000 + '"; ', 'rovi_session="' + "\\" * 16_000 + '"; ', "; "]
)
async def test_cookies_of_others_are_not_read(browser: Browser, world: World, others: str) -> None:
    """R-76, R-110: on a host with other services they come along, and are nobody's fault."""
    await browser.sign_in(await browser.get(LOGIN), world.member.email, PASSWORD)
    own = f"rovi_session={browser.http.cookies['rovi_session']}"
    for cookies in (f"{others}{own}", f"{own}; {others}"):
        page = await undisturbed(partial(browser.get, "/app/account/machines", Cookie=cookies))
        assert "No machine yet" in page.text


async def test_query_of_a_page_is_bounded(browser: Browser, world: World) -> None:
    """R-76."""
    await browser.sign_in(await browser.get(LOGIN), world.member.email, PASSWORD)
    for path in ("/app/account/machines", "/app/account/applications"):
        answer = await undisturbed(partial(browser.get, f"{path}?{'a&' * 4_000}"))
        assert answer.status_code == 400
        assert "More than 100 parameters, or more than 16384 bytes" in answer.text

"""The consent page and the decision taken on it: what the customer reads, and that the first decision stands."""

import asyncio
from datetime import timedelta
from uuid import UUID

import httpx2
import pytest
from fastapi import FastAPI
from markupsafe import escape
from redis.asyncio import Redis

from app.aemp.model.elements import ELEMENTS
from app.aemp.model.series import SERIES
from app.context import Context
from app.flows.account.add_customer import add_customer
from app.flows.account.register_application import register_application
from app.oauth.actor import COMMAND_LINE
from app.oauth.keys import derive_keys
from app.oauth.scope import opened_by
from app.oauth.token_string import parse
from app.settings import Settings
from app.storage.token.codes import keys_of
from tests.support.browser import ORIGIN, Browser, form_of, forms_of, query_of
from tests.support.changing import change
from tests.support.people import PASSWORD, REDIRECT_URI, World
from tests.support.refusals import error_of
from tests.web.reading import assert_only_our_scripts, attribute_names_of, attributes_of, tags_of, words_of
from tests.web.services import Services, same_browser
from tests.web.told import page_about

CONSENT = "/app/oauth2/consent"


async def decide(browser: Browser, page: httpx2.Response, decision: str) -> httpx2.Response:
    return await browser.submit(page, {"decision": decision}, action=CONSENT)


async def grants(world: World) -> int:
    statement = "SELECT count(*) AS grants FROM authorization_grant WHERE application_id = $1"
    [row] = await world.context.database.rows(statement, world.registered.client.id)
    return int(row["grants"])


async def test_page_says_who_asks_for_what_and_how_to_end_it(browser: Browser, world: World) -> None:
    """O-31"""
    page = await world.consent_page(browser)
    words = words_of(page)
    assert "Connect Sitewise to your RoviTracker account?" in words
    assert "made by Sitewise Rentals Ltd" in words
    assert "Signed in as Hillside Plant Hire" in words
    assert world.member.email in words
    assert "See your machines: name, make, model, serial number and position" in words
    assert "ends by itself after a year without use" in words
    assert "your browser goes to sitewise.example" in words
    assert f"{ORIGIN}/app/account/applications" in attributes_of(page, "a", "href")
    assert "You connected this application" not in words


# The word by which the page tells of each figure of a machine, and of each series.
SAID = {
    "AverageLoadFactorLast24": "engine load",
    "Location": "position",
    "CumulativeActiveRegenerationHours": "hours",
    "CumulativeIdleHours": "idle hours",
    "CumulativeIdleNonOperatingHours": "idle hours",
    "CumulativeNonproductiveIdleHours": "idle hours",
    "CumulativeLoadCount": "loads and payload",
    "CumulativeOperatingHours": "hours",
    "CumulativePowerTakeOffHours": "hours",
    "CumulativePayloadTotals": "loads and payload",
    "DEFRemaining": "exhaust fluid",
    "Distance": "distance",
    "EngineStatus": "engine state",
    "FuelUsed": "fuel",
    "FuelUsedLast24": "fuel",
    "FuelRemaining": "fuel",
    "MaximumSpeedLast24": "speed",
    "SwitchStatus": "switches",
    "FaultCode": "faults",
    "CautionCode": "faults",
}


async def test_page_says_everything_that_the_scope_opens(browser: Browser, world: World) -> None:
    """O-31, R-46: every figure there is, and how far back."""
    opened = {element.name for element in ELEMENTS} | {series.element.name for series in SERIES}
    assert set(SAID) == opened
    lines = [line.lower() for line in opened_by(["aemp:read"])]
    words = words_of(await world.consent_page(browser)).lower()
    assert all(line in words for line in lines)
    assert not {name for name, said in SAID.items() if said not in " ".join(lines)}
    kept = await world.context.database.rows(
        "SELECT DISTINCT extract(epoch FROM keep)::int / 86400 AS days FROM retention "
        "WHERE name IN ('reading', 'position', 'fault')"
    )
    assert [f"of the last {row['days']} days" in words for row in kept] == [True]


async def test_page_names_the_lifetimes_in_force(services: Services, world: World) -> None:
    """O-31: what is set, not what is the default."""
    shorter = services.lasting(classic_idle=timedelta(days=30), classic_absolute=timedelta(days=365))
    async with Browser(shorter) as browser:
        words = words_of(await world.consent_page(browser))
    assert "ends by itself after 30 days without use, and after a year at the latest" in words


async def test_page_shows_the_logo_as_we_serve_it(browser: Browser, context: Context) -> None:
    """O-31, R-67"""
    png = bytes.fromhex("89504e470d0a1a0a") + b"not decoded here"
    world = await World.make(context)
    digest = UUID(int=7).bytes * 2
    await context.database.count(
        "INSERT INTO application_logo (digest, png) VALUES ($1, $2) ON CONFLICT DO NOTHING", digest, png
    )
    await change(
        context, "UPDATE application SET logo_digest = $2 WHERE id = $1", world.registered.client.id, digest
    )
    page = await world.consent_page(browser)
    source = attributes_of(page, "img", "src")
    assert source == [f"/app/logo/{digest.hex()}.png"]
    assert (await browser.get(source[0])).content == png


async def test_page_names_an_earlier_connection(browser: Browser, world: World) -> None:
    await world.token(browser)
    assert f"You connected this application on {world.context.now():%-d %B %Y}" in words_of(
        await world.consent_page(browser)
    )


async def test_page_does_not_name_a_connection_of_another_customer(
    app: FastAPI, browser: Browser, world: World
) -> None:
    await world.token(browser)
    other = await World.make(world.context)
    async with Browser(app) as stranger:
        page = await stranger.sign_in(await stranger.get(world.authorize_url()), other.member.email, PASSWORD)
    assert "You connected this application" not in words_of(page)


@pytest.mark.parametrize(
    "name",
    [
        '<script>alert("x")</script>',
        '"><img src=x onerror=alert(1)>',
        "{{ 7 * 7 }} &amp; 'Söhne'",
        "שלום עולם",
        "x" * 120,
        "🚜 " * 60,
    ],
)
async def test_names_are_shown_and_never_interpreted(browser: Browser, context: Context, name: str) -> None:
    """O-32, R-48"""
    email = f"{UUID(bytes=(name * 16).encode()[:16]).hex}@hillside.example"
    await add_customer(context, COMMAND_LINE, email=email, name="Ann <b>Bold</b>", password=PASSWORD)
    registered = await register_application(
        context, COMMAND_LINE, name=name, company=name, redirect_uris=(REDIRECT_URI,)
    )
    url = f"/app/oauth2/authorize?client_id={registered.client.id}"
    login = await browser.get(url)
    consent = await browser.sign_in(login, email, PASSWORD)
    for page in (login, consent):
        assert f"<bdi>{escape(name.strip())}</bdi>" in page.text
        assert name.strip() in words_of(page)
        assert tags_of(page).isdisjoint({"b", "img"})
        assert_only_our_scripts(page)
        assert "onerror" not in attribute_names_of(page)
        assert "49" not in words_of(page)
    assert "Ann <b>Bold</b>" in words_of(consent)


async def test_deny_tells_the_application_and_writes_no_grant(browser: Browser, world: World) -> None:
    """O-17, O-30, R-39, R-42, R-47"""
    answer = await decide(browser, await world.consent_page(browser), "deny")
    assert answer.status_code == 303
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    parameters = query_of(answer)
    assert parameters.pop("error_description")
    told = {"error": "access_denied", "error_uri": page_about("access_denied"), "state": "s-1", "iss": ORIGIN}
    assert parameters == {"tenant": "7", **told}
    assert await grants(world) == 0


async def test_approve_sends_a_code_and_nothing_else(browser: Browser, world: World) -> None:
    """O-11, O-23, O-25, O-29, O-135, O-137, R-39, R-42"""
    answer = await decide(browser, await world.consent_page(browser), "approve")
    assert answer.status_code == 303
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["location"].startswith(REDIRECT_URI + "&")
    parameters = query_of(answer)
    code = parse(parameters.pop("code"))
    assert code is not None
    assert (code.kind, code.token_class) == ("ac", "c")
    assert parameters == {"tenant": "7", "state": "s-1", "iss": ORIGIN}
    assert await grants(world) == 0  # a grant is written when the code is redeemed, not before


@pytest.mark.parametrize("decision", ["", "Approve", "yes", None])
async def test_neither_button_decides_nothing(browser: Browser, world: World, decision: str | None) -> None:
    """O-30"""
    page = await world.consent_page(browser)
    fields = {} if decision is None else {"decision": decision}
    answer = await browser.submit(page, fields, action=CONSENT)
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert (await decide(browser, page, "approve")).status_code == 303


async def test_double_submit_repeats_the_same_redirect(browser: Browser, world: World) -> None:
    """O-34, R-45: one code, however often and however fast the button is pressed."""
    page = await world.consent_page(browser)
    answers = await asyncio.gather(*(decide(browser, page, "approve") for _ in range(20)))
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert (await world.exchange(browser, query_of(answers[0])["code"])).status_code == 200
    assert await grants(world) == 1


async def test_double_deny_repeats_the_same_redirect(browser: Browser, world: World) -> None:
    """O-34"""
    page = await world.consent_page(browser)
    first, second = await decide(browser, page, "deny"), await decide(browser, page, "deny")
    assert first.headers["location"] == second.headers["location"]


@pytest.mark.parametrize(("first", "second"), [("approve", "deny"), ("deny", "approve")])
async def test_the_first_decision_stands(browser: Browser, world: World, first: str, second: str) -> None:
    """O-34, R-45"""
    page = await world.consent_page(browser)
    standing = await decide(browser, page, first)
    refused = await decide(browser, page, second)
    assert refused.status_code == 409
    assert "location" not in refused.headers
    assert "it stands" in words_of(refused)
    assert (await decide(browser, page, first)).headers["location"] == standing.headers["location"]


async def test_racing_decisions_end_in_one(browser: Browser, world: World) -> None:
    """O-34, R-45: a script decides, so whichever comes first wins for everybody."""
    page = await world.consent_page(browser)
    asked = [("approve", "deny")[number % 2] for number in range(12)]
    answers = await asyncio.gather(*(decide(browser, page, each) for each in asked))
    led_on = {each for each, answer in zip(asked, answers, strict=True) if answer.status_code == 303}
    assert len(led_on) == 1
    assert len({a.headers["location"] for a in answers if a.status_code == 303}) == 1
    assert all(
        answer.status_code == (303 if each in led_on else 409)
        for each, answer in zip(asked, answers, strict=True)
    )


async def test_first_copy_of_a_page_that_was_loaded_twice_still_works(browser: Browser, world: World) -> None:
    """O-34: browsers and extensions fetch pages twice; the form the person looks at must not die of it."""
    first = await world.consent_page(browser)
    second = await world.consent_page(browser)
    codes = [query_of(await decide(browser, page, "approve"))["code"] for page in (first, second)]
    assert len(set(codes)) == 2  # two pages are two approvals
    for code in codes:
        assert (await world.exchange(browser, code)).status_code == 200


async def test_approving_what_was_redeemed_says_so_and_writes_nothing(browser: Browser, world: World) -> None:
    """O-34, R-45"""
    page = await world.consent_page(browser)
    code = query_of(await decide(browser, page, "approve"))["code"]
    token = (await world.exchange(browser, code)).json()["access_token"]
    for decision in ("approve", "deny"):
        again = await decide(browser, page, decision)
        assert again.status_code == 409
        assert "location" not in again.headers
        assert "Sitewise is already connected" in words_of(again)
    assert await grants(world) == 1
    assert (await world.introspect(browser, token))["active"] is True


async def test_approval_nobody_fetched_in_time_has_expired(
    browser: Browser, world: World, services: Services
) -> None:
    """O-26: the code is gone from Valkey with its time, and the page cannot make another."""
    page = await world.consent_page(browser)
    hasty = services.lasting(code=timedelta(milliseconds=200))
    async with same_browser(browser, hasty) as other:
        assert (await decide(other, page, "approve")).status_code == 303
        await asyncio.sleep(0.3)
        answer = await decide(other, page, "approve")
    assert answer.status_code == 410
    assert "location" not in answer.headers


async def test_code_is_bound_to_its_application_and_address(browser: Browser, world: World) -> None:
    """O-27, R-7, R-8: in other hands, or for another address, it is nothing, and then it is burned."""
    other = await World.make(world.context)
    for thief, changes in ((other, {}), (world, {"redirect_uri": "https://sitewise.example/other"})):
        code = await world.code(browser)
        for answer in (await thief.exchange(browser, code, **changes), await world.exchange(browser, code)):
            assert error_of(answer) == "invalid_grant"
    assert await grants(world) == 0


async def test_code_used_twice_ends_what_came_of_it(browser: Browser, world: World) -> None:
    """O-28, O-135, R-2"""
    code = await world.code(browser)
    token = (await world.exchange(browser, code)).json()["access_token"]
    assert error_of(await world.exchange(browser, code)) == "invalid_grant"
    assert await world.introspect(browser, token) == {"active": False}


async def test_code_waits_a_minute_and_no_longer(browser: Browser, world: World, settings: Settings) -> None:
    """O-26"""
    code = parse(await world.code(browser))
    assert code is not None
    left_ms = await time_left_ms(settings, code.id, "code")
    assert 55_000 < left_ms <= 60_000


async def test_decision_is_remembered_longer_than_its_page_lives(
    browser: Browser, world: World, settings: Settings
) -> None:
    """O-34: else the last copy of the form could decide anew."""
    page = await world.consent_page(browser)
    code = parse(query_of(await decide(browser, page, "approve"))["code"])
    assert code is not None
    assert await time_left_ms(settings, code.id, "flow") > 30 * 60 * 1000


async def time_left_ms(settings: Settings, code_id: UUID, kind: str) -> int:
    assert settings.redis_url is not None
    valkey = Redis.from_url(settings.redis_url.get_secret_value())
    try:
        return int(await valkey.pttl(keys_of(code_id)[kind == "code"]))
    finally:
        await valkey.aclose()


async def test_code_is_refused_when_its_minute_is_over_by_database_time(
    browser: Browser, world: World, services: Services, context: Context
) -> None:
    """O-26, R-6, R-9: even where Valkey still has it."""
    code = await world.code(browser)
    await asyncio.sleep(0.3)
    gathered = services.gathered(context.database, code=timedelta(milliseconds=200))
    async with same_browser(browser, services.like(gathered=gathered)) as other:
        answer = await world.exchange(other, code)
    await gathered.close()
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert await grants(world) == 0


@pytest.mark.parametrize(
    "cut",
    [
        "UPDATE application SET status = 'suspended' WHERE id = $1",
        "UPDATE customer SET disabled_at = clock_timestamp() WHERE id = $2",
        "UPDATE connection SET cut_at = clock_timestamp() WHERE application_id = $1 AND customer_id = $2",
    ],
    ids=["suspended", "disabled", "disconnected"],
)
async def test_authority_that_ended_after_the_approval_ends_the_code(
    browser: Browser, world: World, cut: str
) -> None:
    """R-19, R-20: approved, cut, and only then redeemed."""
    code = await world.code(browser)
    await run_with_some(world.context, cut, world.registered.client.id, world.member.customer_id)
    answer = await world.exchange(browser, code)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert await grants(world) == 0


async def run_with_some(context: Context, statement: str, *arguments: UUID) -> None:
    """Run a statement that names any of $1 and $2."""
    used = [each for number, each in enumerate(arguments, 1) if f"${number}" in statement]
    await change(context, statement if "$1" in statement else statement.replace("$2", "$1"), *used)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE application SET status = 'suspended' WHERE id = $1",
        "UPDATE application SET status = 'deleted' WHERE id = $1",
        "UPDATE application SET redirect_uris = '{https://elsewhere.example/}' WHERE id = $1",
    ],
)
async def test_application_that_changed_while_the_page_was_open_gets_no_code(
    browser: Browser, world: World, statement: str
) -> None:
    """O-7, O-125: nothing travels to an address that is no longer registered."""
    page = await world.consent_page(browser)
    await change(world.context, statement, world.registered.client.id)
    for decision in ("approve", "deny"):
        answer = await decide(browser, page, decision)
        assert answer.status_code == 400
        assert "location" not in answer.headers


async def test_flow_of_one_browser_is_refused_in_another(
    app: FastAPI, browser: Browser, world: World
) -> None:
    """O-30, R-43, R-44: an attacker's page state finishes in no other browser, though the same person is signed in."""
    page = await world.consent_page(browser)
    async with Browser(app) as other:
        await world.consent_page(other)
        answer = await decide(other, page, "approve")
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert "another browser" in words_of(answer)


async def test_account_that_changed_in_another_tab_approves_nothing(browser: Browser, world: World) -> None:
    """R-49"""
    page = await world.consent_page(browser)
    other = await World.make(world.context)
    await browser.sign_in(await browser.get("/app/login"), other.member.email, PASSWORD)
    answer = await decide(browser, page, "approve")
    assert answer.status_code == 403
    assert "location" not in answer.headers
    assert "signed in differently" in words_of(answer)
    # Asked again, it is the new account that is asked for.
    assert other.member.email in words_of(await browser.get(world.authorize_url()))


async def test_not_you_leads_through_sign_in_back_to_the_same_request(browser: Browser, world: World) -> None:
    """R-49: and the session that was left is dead."""
    page = await world.consent_page(browser, state="ü&=%")
    other = await World.make(world.context)
    left = browser.http.cookies["rovi_session"]
    login = await browser.follow(await browser.submit(page, {}, action="/app/logout"))
    page = await browser.sign_in(login, other.member.email, PASSWORD)
    assert other.member.email in words_of(page)
    assert query_of(await decide(browser, page, "deny"))["state"] == "ü&=%"
    browser.http.cookies.set("rovi_session", left, domain="localhost.local")
    assert 'name="password"' in (await browser.get("/app/account/applications")).text


async def test_page_older_than_a_flow_may_be_is_refused(
    browser: Browser, world: World, services: Services
) -> None:
    """O-30, R-44"""
    page = await world.consent_page(browser)
    async with same_browser(browser, services.later(timedelta(minutes=30, seconds=2))) as other:
        answer = await decide(other, page, "approve")
    assert answer.status_code == 400
    assert "expired" in words_of(answer)
    async with same_browser(browser, services.later(timedelta(minutes=29, seconds=55))) as other:
        assert (await decide(other, page, "approve")).status_code == 303


async def test_changed_flow_state_is_refused(browser: Browser, world: World) -> None:
    """O-30, R-44: whichever byte it was (a sample here, every byte in the test of the keys)."""
    page = await world.consent_page(browser)
    form = form_of(page, CONSENT)
    sealed = form.hidden["flow"]
    for place in range(0, len(sealed), len(sealed) // 16):
        changed = sealed[:place] + ("A" if sealed[place] != "A" else "B") + sealed[place + 1 :]
        answer = await browser.http.post(form.action, data={"flow": changed, "decision": "approve"})
        assert answer.status_code == 400
        assert "location" not in answer.headers
    assert (await decide(browser, page, "approve")).status_code == 303


@pytest.mark.parametrize("flow", [None, "", "x", "gAAAA", "é", "A" * 30_000])
async def test_missing_or_senseless_flow_state_is_refused(
    browser: Browser, world: World, flow: str | None
) -> None:
    """O-30, R-43: cookies alone approve nothing."""
    await world.consent_page(browser)
    fields = {"decision": "approve"} | ({} if flow is None else {"flow": flow})
    answer = await browser.http.post(CONSENT, data=fields)
    assert answer.status_code == 400
    assert "location" not in answer.headers


async def test_state_sealed_for_another_form_is_refused(browser: Browser, world: World) -> None:
    """O-30: a sign-in's and a sign-out's state open no consent."""
    login = await browser.get(world.authorize_url())
    page = await world.consent_page(browser)
    for sealed in (form_of(login, "/login").hidden["flow"], form_of(page, "/logout").hidden["form"]):
        answer = await browser.http.post(CONSENT, data={"flow": sealed, "decision": "approve"})
        assert answer.status_code == 400


async def test_keys_may_rotate_between_two_submits(
    browser: Browser, world: World, services: Services, settings: Settings
) -> None:
    """O-34, R-107: the second submit repeats the first redirect, though another key leads now; the code still works."""
    old = settings.secret_keys[0].get_secret_value()
    page = await world.consent_page(browser)
    first = await decide(browser, page, "approve")
    async with same_browser(browser, services.like(keys=derive_keys(("new" * 20, old)))) as other:
        second = await decide(other, page, "approve")
        assert second.headers["location"] == first.headers["location"]
        assert (await world.exchange(other, query_of(second)["code"])).status_code == 200


async def test_key_that_is_gone_opens_nothing(browser: Browser, world: World, services: Services) -> None:
    """R-107"""
    page = await world.consent_page(browser)
    async with same_browser(browser, services.like(keys=derive_keys(("new" * 20,)))) as other:
        assert (await decide(other, page, "approve")).status_code == 400


SITES = [
    ({"Sec-Fetch-Site": "cross-site"}, False),
    ({"Sec-Fetch-Site": "same-site"}, False),
    ({"Sec-Fetch-Site": "nonsense"}, False),
    ({"Sec-Fetch-Site": "cross-site", "Origin": ORIGIN}, False),
    ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, True),
    ({"Sec-Fetch-Site": "same-origin"}, True),
    ({"Sec-Fetch-Site": "none"}, True),
    ({"Origin": "null"}, False),
    ({"Origin": "https://evil.example"}, False),
    ({"Origin": "http://localhost:8001"}, False),
    ({"Origin": "http://localhost:8000.evil.example"}, False),
    ({"Origin": ""}, False),
    ({"Origin": ORIGIN}, True),
    ({}, True),
]


@pytest.mark.parametrize(("headers", "passes"), SITES)
async def test_form_of_another_site_is_refused(
    browser: Browser,
    world: World,
    headers: dict[str, str],
    passes: bool,  # noqa: FBT001  # a column of the table above
) -> None:
    """O-30, R-43: by Sec-Fetch-Site where it is sent, else by Origin; without both the sealed token decides."""
    page = await world.consent_page(browser)
    answer = await browser.submit(page, {"decision": "approve"}, action=CONSENT, **headers)
    assert answer.status_code == (303 if passes else 403)
    assert ("location" in answer.headers) == passes
    # The token is required wherever the form came from.
    bare = await browser.http.post(CONSENT, data={"decision": "approve"}, headers=headers)
    assert bare.status_code == (400 if passes else 403)


async def test_forms_post_to_paths_of_ours(browser: Browser, world: World) -> None:
    """R-78: whatever Host the request came with."""
    page = await world.consent_page(browser)
    hosted = await browser.get(world.authorize_url(), Host="evil.example")
    assert "evil.example" not in hosted.text
    assert sorted(attributes_of(hosted, "form", "action")) == ["/app/language", "/app/logout", CONSENT]
    assert len(forms_of(page)) == 3

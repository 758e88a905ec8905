"""Authorization details at the authorization endpoint and on the consent page (RFC 9396)."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import httpx2
import pytest

from app.context import Context
from app.flows.approval.terms import Terms, read_terms
from tests.support.browser import Browser, form_of, query_of
from tests.support.changing import change
from tests.support.details import CONSENT, approved, asked_page, asking, ticked
from tests.support.fleets import fill
from tests.support.people import REDIRECT_URI, Strict, World
from tests.support.sharing import fields_of, pins_read, these
from tests.web.reading import found, words_of
from tests.web.told import error_by_redirect

PINS = ("PIN1", "PIN2", "PIN3")


@pytest.fixture(params=["classic", "strict"])
async def asker(context: Context, request: pytest.FixtureRequest) -> World:
    return await (World.make(context) if request.param == "classic" else Strict.register(context))


@pytest.fixture
async def fleet(world: World) -> dict[str, str]:
    """Three machines of the customer: the field of each, by its PIN."""
    await fill(world.context, world.member.customer_id, *PINS)
    return await fields_of(world.context, world.member.customer_id)


async def terms_of(world: World) -> Terms:
    terms, _ = await read_terms(world.context, world.member.customer_id, world.registered.client.id)
    return terms


async def token_of(browser: Browser, world: World, code: str) -> str:
    exchanged = await world.exchange(browser, code)
    assert exchanged.status_code == 200, exchanged.text
    return str(exchanged.json()["access_token"])


@pytest.mark.parametrize(
    ("details", "told"),
    [
        ("fleet", "it is not JSON"),
        ("[]", "it is not an array of one object"),
        ('[{"type":"payment","type":"fleet"}]', "a member stands twice in one object"),
        ('[{"type":"payment_initiation"}]', "the only type is fleet"),
        (asking(actions=["read"]), "actions is not known in an object of type fleet"),
        (asking("x" * 256), "an identifier is not a string of 1 to 255 printable characters"),
        (asking(history_from="soon"), "history_from is neither a day nor an instant of RFC 3339"),
        (asking(ends_at="2026-01-01T00:00:00Z"), "ends_at is past"),
        (" " * 8193, "it is longer than 8192 bytes"),
    ],
)
async def test_details_that_cannot_be_are_told_by_redirect(
    browser: Browser, asker: World, details: str, told: str
) -> None:
    """O-157: with the state, and nothing in a stranger's words."""
    answer = await browser.get(asker.authorize_url(authorization_details=details))
    error = error_by_redirect(answer, REDIRECT_URI)
    assert (error["error"], error["state"]) == ("invalid_authorization_details", "s-1")
    assert error["error_description"] == f"authorization_details: {told}"


async def test_details_sent_twice_are_an_invalid_request(browser: Browser, asker: World) -> None:
    """O-5, O-157."""
    twice = urlencode({"authorization_details": asking("PIN1")})
    answer = await browser.get(f"{asker.authorize_url(authorization_details=asking('PIN2'))}&{twice}")
    error = error_by_redirect(answer, REDIRECT_URI)
    assert error["error"] == "invalid_request"
    assert error["error_description"] == "authorization_details is sent more than once"


async def test_details_go_with_the_scope_that_they_narrow(browser: Browser, asker: World) -> None:
    """O-157: without a scope that is the default."""
    scopes = "UPDATE application SET scope = $2 WHERE id = $1"
    await change(asker.context, scopes, asker.registered.client.id, "account:read aemp:read")
    sent = {"authorization_details": asking("PIN1")}
    answer = await browser.get(asker.authorize_url(scope="account:read", **sent))
    error = error_by_redirect(answer, REDIRECT_URI)
    assert error["error"] == "invalid_authorization_details"
    for scope in (None, "aemp:read", "account:read aemp:read"):
        asked = await browser.get(asker.authorize_url(scope=scope, **sent))
        assert (asked.status_code, 'name="password"' in asked.text) == (200, True)


async def test_page_begins_with_what_was_asked_for(
    browser: Browser, world: World, fleet: dict[str, str]
) -> None:
    """O-157: through sign-in and a form that was refused, as it was sent; granted is what the customer left of it."""
    ends_at = (world.context.now() + timedelta(days=30)).replace(microsecond=123_456)
    asked = {"history_from": "2026-05-01", "ends_at": ends_at.isoformat()}
    page = await asked_page(browser, world, "pin1", "PIN3", **asked)
    assert form_of(page, CONSENT).held["machines"] == "these"
    assert ticked(page) == [fleet["PIN1"], fleet["PIN3"]]
    assert found(page, "//details[@open]")
    words = words_of(page)
    assert "It asks for 2 of 3, chosen below." in words
    assert "from 1 May 2026, 00:00 UTC on" in words
    assert f"It asks to end on {ends_at:%-d %B %Y, %H:%M} UTC" in words
    refused = await browser.submit(page, {"decision": "approve", "machines": ""}, action=CONSENT)
    assert refused.status_code == 422
    again = await browser.follow(await browser.submit(refused, {"language": "en"}, action="/app/language"))
    assert ticked(again) == ticked(page)
    code = await approved(browser, again)
    assert await pins_read(browser, await token_of(browser, world, code)) == ["PIN1", "PIN3"]
    assert await terms_of(world) == Terms(
        frozenset(int(fleet[pin].removeprefix("machine_")) for pin in ("PIN1", "PIN3")),
        datetime(2026, 5, 1, tzinfo=UTC),
        ends_at,
    )


@pytest.mark.usefixtures("fleet")
async def test_customer_may_narrow_and_change_what_was_asked_for(browser: Browser, world: World) -> None:
    """O-158"""
    page = await asked_page(browser, world, "PIN1", "PIN3", history_from="2026-05-01")
    unticked = dict.fromkeys(ticked(page), "")
    code = await approved(browser, page, **unticked, history_from="", **await these(world, "PIN2"))
    token = await token_of(browser, world, code)
    assert await pins_read(browser, token) == ["PIN2"]
    assert (await terms_of(world)).history_from is None


@pytest.mark.parametrize(
    ("identifiers", "told"),
    [
        (("PIN1", "OTHER", "nobody's"), "It also named 2 that we cannot find in your fleet."),
        (("OTHER",), "It asks for one machine, which we cannot find in your fleet."),
        (("OTHER", "nobody's"), "It asks for 2 machines, none of which we can find in your fleet."),
    ],
)
async def test_machines_of_others_are_left_out_and_never_told_of(
    browser: Browser, world: World, fleet: dict[str, str], identifiers: tuple[str, ...], told: str
) -> None:
    """O-158: another customer's machine and none at all look alike to the application, whatever the customer decides."""
    other = await World.make(world.context)
    await fill(world.context, other.member.customer_id, "OTHER")
    page = await asked_page(browser, world, *identifiers)
    assert told in words_of(page)
    assert "OTHER" not in page.text.replace(form_of(page, CONSENT).hidden["flow"], "")
    assert ticked(page) == [fleet[each] for each in identifiers if each in fleet]
    if not ticked(page):
        nothing = await browser.submit(page, {"decision": "approve"}, action=CONSENT)
        assert (nothing.status_code, "Choose at least one machine." in words_of(nothing)) == (422, True)
        page = nothing
    code = await approved(browser, page, **await these(world, "PIN1"))
    exchanged = await world.exchange(browser, code)
    assert exchanged.json()["authorization_details"] == [{"type": "fleet", "identifiers": ["PIN1"]}]
    denied = await browser.submit(
        await asked_page(browser, world, *identifiers), {"decision": "deny"}, action=CONSENT
    )
    assert set(query_of(denied)) == {"error", "error_description", "error_uri", "state", "iss", "tenant"}
    assert query_of(denied)["error"] == "access_denied"


async def test_what_details_leave_out_stays_as_it_stands(
    browser: Browser, world: World, fleet: dict[str, str]
) -> None:
    """O-157: asking again for some of it gives no more of the rest."""
    await approved(browser, await asked_page(browser, world, "PIN1", history_from="2026-05-01"))
    page = await asked_page(browser, world, ends_at="2999-01-01T00:00:00+02:00")
    assert ticked(page) == [fleet["PIN1"]]
    assert form_of(page, CONSENT).held["history_from"] == "2026-05-01"
    await approved(browser, page)
    terms = await terms_of(world)
    assert (terms.history_from, terms.ends_at) == (
        datetime(2026, 5, 1, tzinfo=UTC),
        datetime(2998, 12, 31, 22, tzinfo=UTC),
    )
    wider = await asked_page(browser, world, *PINS)
    assert (
        "It asks for 3 of 3, chosen below. You may choose others. You share 1 of 3 with it now."
        in words_of(wider)
    )


@pytest.mark.usefixtures("fleet")
async def test_day_begins_in_the_time_zone_of_whoever_approves(browser: Browser, world: World) -> None:
    """O-157"""
    zoned = "UPDATE person SET time_zone = 'Europe/Madrid' WHERE id = $1"
    await change(world.context, zoned, world.member.id)
    await approved(browser, await asked_page(browser, world, history_from="2026-05-01"))
    assert (await terms_of(world)).history_from == datetime(2026, 4, 30, 22, tzinfo=UTC)


@pytest.mark.usefixtures("fleet")
async def test_longest_link_holds_its_details_through_sign_in_and_form(
    browser: Browser, world: World
) -> None:
    """O-157: as many machines as fit into the 8 KiB of a link."""
    named = [f"LONG-NUMBER-{each:04}" for each in range(280)]
    details = asking("PIN2", *named).replace(" ", "")
    link = world.authorize_url(authorization_details=details)
    assert 7_000 < len(link) < 8 * 1024
    page = await world.consent_page(browser, authorization_details=details)
    assert "It also named 280" in words_of(page)
    refused = await browser.submit(page, {"decision": "approve", "ends_at": "soon"}, action=CONSENT)
    assert refused.status_code == 422
    code = await approved(browser, refused, ends_at="")
    assert await pins_read(browser, await token_of(browser, world, code)) == ["PIN2"]


async def test_details_come_by_post_as_well(browser: Browser, world: World, fleet: dict[str, str]) -> None:
    """O-1, O-157."""
    sent: httpx2.Response = await browser.http.post(
        "/app/oauth2/authorize",
        data={"client_id": world.client_id, "authorization_details": asking("PIN2")},
    )
    page = await browser.sign_in(await browser.follow(sent), world.member.email, "correct horse battery")
    assert ticked(page) == [fleet["PIN2"]]

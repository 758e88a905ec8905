"""Consent with a choice of machines, history and end: granted is what the page said, and nothing more."""

import asyncio
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from app.context import Context
from app.flows.approval.terms import Terms, read_terms
from tests.support.browser import Browser, form_of, query_of
from tests.support.fleets import fill
from tests.support.people import PASSWORD, Strict, World, join
from tests.support.sharing import fields_of, mails_to, pins_read, row_of, these
from tests.web.reading import found, words_of

CONSENT = "/app/oauth2/consent"
PINS = ("PIN1", "PIN2", "PIN3")


@pytest.fixture
async def page(browser: Browser, world: World) -> httpx2.Response:
    """A consent page of a customer with three machines."""
    await fill(world.context, world.member.customer_id, *PINS)
    return await world.consent_page(browser, state="s 1")


async def approve(browser: Browser, page: httpx2.Response, **fields: str) -> httpx2.Response:
    return await browser.submit(page, {"decision": "approve", **fields}, action=CONSENT)


async def token_of(browser: Browser, world: World, answer: httpx2.Response) -> str:
    exchanged = await world.exchange(browser, query_of(answer)["code"])
    assert exchanged.status_code == 200, exchanged.text
    return str(exchanged.json()["access_token"])


async def terms_of(world: World) -> Terms:
    terms, _ = await read_terms(world.context, world.member.customer_id, world.registered.client.id)
    return terms


async def grants_of(world: World) -> int:
    return len(
        await world.context.database.rows(
            "SELECT FROM connection WHERE application_id = $1", world.registered.client.id
        )
    )


async def test_page_says_how_many_machines_and_offers_all_of_them(
    browser: Browser, world: World, page: httpx2.Response
) -> None:
    words = words_of(page)
    assert "Now there are 3." in words
    assert "unless you choose below" in words
    assert "tells when it read, and how often" in words
    [choice] = found(page, "//details[contains(@class, 'options')]")
    assert "open" not in choice.attrib
    assert form_of(page, CONSENT).held["machines"] == "all"
    assert not [name for name in form_of(page, CONSENT).held if name.startswith("machine_")]
    token = await token_of(browser, world, await approve(browser, page))
    await fill(world.context, world.member.customer_id, "PIN4")
    assert await pins_read(browser, token) == [*PINS, "PIN4"]
    assert await terms_of(world) == Terms()


async def test_two_of_three_machines_with_history_and_an_end(
    browser: Browser, world: World, page: httpx2.Response
) -> None:
    ends_at = (world.context.now() + timedelta(days=30)).replace(microsecond=0)
    chosen = {"history_from": "2026-05-01", "ends_at": f"{ends_at:%Y-%m-%dT%H:%M:%S}"}
    answer = await approve(browser, page, **chosen, **await these(world, "PIN1", "PIN3"))
    token = await token_of(browser, world, answer)
    assert await pins_read(browser, token) == ["PIN1", "PIN3"]
    await fill(world.context, world.member.customer_id, "PIN4")
    assert await pins_read(browser, token) == ["PIN1", "PIN3"]
    again = words_of(await world.consent_page(browser))
    assert f"As it stands now, it ends on {ends_at:%-d %B %Y, %H:%M} UTC" in again
    assert "What was reported since 1 May 2026, 00:00 UTC" in again
    assert "What you chose for it then stays as it is, unless you choose otherwise below." in again
    terms = await terms_of(world)
    assert (terms.history_from, terms.ends_at) == (datetime(2026, 5, 1, tzinfo=UTC), ends_at)
    assert (await world.introspect(browser, token))["exp"] == int(ends_at.timestamp())


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"machines": "these"}, "Choose at least one machine. To share nothing, deny."),
        ({"machines": ""}, "Choose all machines or these."),
        ({"machines": "these", "machine_9": "on"}, "not in your fleet any more"),
        ({"machines": "these", "lines": "PIN1\nnobody's"}, "One line means no machine."),
        ({"ends_at": "2026-01-01T00:00"}, "Choose an end that is still to come."),
        ({"history_from": "soon"}, "Give a date that there is"),
    ],
)
async def test_choice_that_cannot_be_approves_nothing_and_keeps_what_was_typed(
    browser: Browser, world: World, page: httpx2.Response, fields: dict[str, str], told: str
) -> None:
    """O-31: the page is open at the choice, and goes on to the same request once it is corrected."""
    answer = await approve(browser, page, **fields)
    assert answer.status_code == 422
    assert "location" not in answer.headers
    assert told in words_of(answer)
    assert found(answer, "//details[@open]")
    assert await grants_of(world) == 0
    assert await mails_to(world, world.member.email) == []
    held = form_of(answer, CONSENT).held
    for name in ("lines", "ends_at", "history_from"):
        assert held.get(name, "").strip() == fields.get(name, "")
    corrected = {"machines": "these", "lines": "PIN2", "ends_at": "", "history_from": ""}
    wrong = {name: "" for name in held if name.startswith("machine_")}
    done = await approve(browser, answer, **wrong, **corrected)
    assert query_of(done)["state"] == "s 1"
    assert await pins_read(browser, await token_of(browser, world, done)) == ["PIN2"]


async def test_denying_looks_at_no_choice(browser: Browser, world: World, page: httpx2.Response) -> None:
    answer = await browser.submit(
        page, {"decision": "deny", "machines": "these", "ends_at": "soon"}, action=CONSENT
    )
    assert query_of(answer)["error"] == "access_denied"
    assert await grants_of(world) == 0


async def test_refused_page_leads_to_another_account_and_back_to_the_same_request(
    browser: Browser, world: World, page: httpx2.Response
) -> None:
    """R-49"""
    refused = await approve(browser, page, machines="these")
    other = await World.make(world.context)
    login = await browser.follow(await browser.submit(refused, {}, action="/app/logout"))
    again = await browser.sign_in(login, other.member.email, PASSWORD)
    assert other.member.email in words_of(again)
    assert query_of(await browser.submit(again, {"decision": "deny"}, action=CONSENT))["state"] == "s 1"


async def test_refused_page_of_a_strict_application_keeps_its_challenge(
    browser: Browser, context: Context
) -> None:
    """O-14 (strict)"""
    strict = await Strict.register(context)
    page = await strict.consent_page(browser)
    refused = await approve(browser, page, machines="these")
    assert refused.status_code == 422
    again = await browser.follow(await browser.submit(refused, {"language": "en"}, action="/app/language"))
    for each in (refused, again):
        code = query_of(await approve(browser, each, machines="all"))["code"]
        assert (await strict.exchange(browser, code)).status_code == 200


async def test_terms_that_stand_are_offered_again_and_a_repeated_approval_mails_nothing(
    browser: Browser, world: World, page: httpx2.Response
) -> None:
    await token_of(browser, world, await approve(browser, page, **await these(world, "PIN2")))
    before = await row_of(world)
    assert "As it stands now" not in words_of(page)
    assert "What you chose for it then" not in words_of(page)
    again = await world.consent_page(browser)
    assert "1 of 3, as you share them with it now" in words_of(again)
    fields = await fields_of(world.context, world.member.customer_id)
    held = form_of(again, CONSENT).held
    assert held["machines"] == "these"
    assert [name for name in held if name.startswith("machine_")] == [fields["PIN2"]]
    token = await token_of(browser, world, await approve(browser, again))
    assert await pins_read(browser, token) == ["PIN2"]
    assert (await row_of(world))["share"] == before["share"]
    assert await mails_to(world, world.member.email) == ["application.approved"]
    # Another choice is another matter.
    wider = await approve(browser, await world.consent_page(browser), machines="all")
    assert query_of(wider)["code"]
    assert await pins_read(browser, token) == list(PINS)
    told = ["application.approved", "application.terms_changed"]
    assert await mails_to(world, world.member.email) == told


async def test_page_sent_twice_with_two_choices_holds_the_first(
    browser: Browser, world: World, page: httpx2.Response
) -> None:
    """O-34"""
    first = await approve(browser, page, **await these(world, "PIN1"))
    second = await approve(browser, page, machines="all")
    assert second.headers["location"] == first.headers["location"]
    assert await pins_read(browser, await token_of(browser, world, first)) == ["PIN1"]


async def test_one_page_sent_many_times_at_once_tells_each_owner_once(
    browser: Browser, world: World, page: httpx2.Response
) -> None:
    bo, cy = await join(world, "owner"), await join(world, "viewer", name="Cy")
    await asyncio.gather(*(approve(browser, page) for _ in range(12)))
    for email, mails in ((world.member.email, 1), (bo.email, 1), (cy.email, 0)):
        assert len(await mails_to(world, email)) == mails


async def test_connection_that_was_cut_and_approved_again_shares_what_the_new_page_says(
    browser: Browser, world: World, page: httpx2.Response
) -> None:
    await token_of(browser, world, await approve(browser, page, **await these(world, "PIN1")))
    listed = await browser.get("/app/account/applications")
    await browser.submit(listed, {}, action="/disconnect")
    again = await world.consent_page(browser)
    assert form_of(again, CONSENT).held["machines"] == "all"
    token = await token_of(browser, world, await approve(browser, again))
    assert await pins_read(browser, token) == list(PINS)
    told = ["application.approved", "application.disconnected", "application.approved"]
    assert await mails_to(world, world.member.email) == told

"""The page on security lists what happened to a person's sign-in, and a flood of refused ones hides nothing of it."""

from uuid import UUID

import pytest

from app.context import Context
from app.oauth.actor import Actor
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.sign_in_history import (
    LAST,
    MOST_COUNTED,
    SELECT_SIGN_IN_HISTORY,
    select_sign_in_history,
)
from tests.support.browser import Browser
from tests.support.passkeys import add
from tests.support.people import PASSWORD, World
from tests.support.plans import nodes_of, plan_of
from tests.web.reading import found, words_of
from tests.web.services import Services
from tests.web.test_second_factor import enrol
from tests.web.test_security import signed_in

SECURITY = "/app/account/security"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


async def note(context: Context, world: World, event: str, count: int = 1, **detail: str) -> list[UUID]:
    about = {"person": str(world.member.id), "address": "198.51.100.9", **detail}
    actor = Actor("customer", None if event.endswith("failed") else world.member.id)
    return [
        await insert_audit_event(context.database, AuditEvent(event, actor, detail=dict(about)))
        for _ in range(count)
    ]


async def headings(browser: Browser, address: str = SECURITY) -> list[str]:
    page = await browser.get(address)
    assert page.status_code == 200, page.text
    told = found(page, "//section[@aria-labelledby='history']//h3")
    return [" ".join(each.text_content().split()) for each in told]


def link_of(words: str) -> str:
    return f"//section[@aria-labelledby='history']//a[contains(., '{words}')]/@href"


async def test_sign_ins_are_told_with_browser_address_and_what_was_refused_between(
    services: Services, browser: Browser, world: World
) -> None:
    async with Browser(services.like()) as thief:
        for _ in range(3):
            page = await thief.get("/app/login", User_Agent=FIREFOX)
            fields = {"email": world.member.email, "password": "wrong horse"}
            await thief.submit(page, fields, action="/app/login", User_Agent=FIREFOX)
    await signed_in(browser, world)
    assert await headings(browser) == ["A sign-in", "3 sign-ins were refused"]
    async with Browser(services.like()) as other:
        page = await other.get(SECURITY, User_Agent=FIREFOX)
        fields = {"email": world.member.email, "password": PASSWORD}
        await other.submit(page, fields, action="/app/login", User_Agent=FIREFOX)
    assert (await headings(browser))[0] == "A sign-in New browser"
    words = words_of(await browser.get(SECURITY))
    assert "Browser Firefox on Linux From 127.0.0.1" in words


async def test_changes_of_the_factors_and_a_failed_proof_are_told(browser: Browser, world: World) -> None:
    await signed_in(browser, world)
    await browser.submit(await browser.get(SECURITY), {"password": "no"}, action="/passkeys/add")
    app, _ = await enrol(browser, world)
    await add(browser, code=app.present())
    assert await headings(browser) == [
        "A passkey was added",
        "An authenticator app was set up",
        "A sensitive change was refused",
        "A sign-in",
    ]
    overview = words_of(await browser.get("/app/account"))
    assert "A passkey was added for you." in overview


async def test_nothing_of_somebody_else_is_told(browser: Browser, world: World, context: Context) -> None:
    other = await World.make(context)
    await note(context, other, "person.signed_in")
    await note(context, other, "person.sign_in_failed")
    await signed_in(browser, world)
    assert await headings(browser) == ["A sign-in"]


async def test_pages_hold_twenty_five_each_and_lead_on_to_the_last(
    browser: Browser, world: World, context: Context
) -> None:
    """Every event stands on one page, and so does what was refused before the first of them."""
    await note(context, world, "person.sign_in_failed", 2)
    for _ in range(30):
        await note(context, world, "person.signed_in")
        await note(context, world, "person.sign_in_failed", 4)
    await signed_in(browser, world)
    first = await browser.get(SECURITY)
    told = await headings(browser)
    assert told[:3] == ["A sign-in", "4 sign-ins were refused", "A sign-in"]
    assert told.count("A sign-in") == 25
    assert found(first, link_of("The newest")) == []
    [older] = found(first, link_of("Older ones"))
    rest = await headings(browser, older)
    assert rest.count("A sign-in") == 6
    assert rest[-1] == "2 sign-ins were refused"
    assert len([each for each in told + rest if each.startswith("4 ")]) == 30
    last = await browser.get(older)
    assert found(last, link_of("Older ones")) == []
    assert found(last, link_of("The newest")) == [f"{SECURITY}#history"]


async def test_flood_of_refused_sign_ins_hides_nothing_and_reads_no_more_than_it_counts(
    browser: Browser, world: World, context: Context
) -> None:
    await note(context, world, "person.second_factor_off")
    await note(context, world, "person.sign_in_failed", MOST_COUNTED + 50)
    await signed_in(browser, world)
    told = await headings(browser)
    assert told[-1] == "The authenticator app was turned off"
    assert "1,000 sign-ins were refused" in told
    async with context.database.transaction() as transaction:
        plan = await plan_of(
            transaction,
            SELECT_SIGN_IN_HISTORY,
            f"'{world.member.id}'",
            "ARRAY['person.signed_in', 'person.second_factor_off']",
            f"'{LAST}'",
            "26",
        )
    scans = [node for node in nodes_of(plan) if node.get("Relation Name", "").startswith("audit_event")]
    assert scans
    assert {node["Node Type"] for node in scans if node["Actual Rows"]} <= {"Index Scan", "Index Only Scan"}
    assert sum(node["Actual Rows"] * node["Actual Loops"] for node in scans) <= MOST_COUNTED + 10


@pytest.mark.parametrize("before", ["", "1", "x" * 5000, "%00", "00000000-0000-0000-0000-00000000000g"])
async def test_page_that_there_is_not_is_told(browser: Browser, world: World, before: str) -> None:
    await signed_in(browser, world)
    page = await browser.get(f"{SECURITY}?before={before}")
    assert page.status_code == 404
    assert "There is no such page" in words_of(page)


async def test_before_everything_nothing_is_left(browser: Browser, world: World, context: Context) -> None:
    await signed_in(browser, world)
    assert await headings(browser, f"{SECURITY}?before={UUID(int=0)}") == []
    found = await select_sign_in_history(context.database, world.member.id, [], before=LAST, most=1)
    assert [(each.event, each.refused) for each in found] == [(None, None)]

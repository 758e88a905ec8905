"""Every application is disconnected at once, after a page of its own has asked."""

import asyncio

import pytest
from fastapi import FastAPI

from app.flows.account.register_application import register_application
from app.oauth.actor import COMMAND_LINE
from app.oauth.member_role import MemberRole
from tests.support.browser import Browser, form_of
from tests.support.changing import until
from tests.support.people import PASSWORD, REDIRECT_URI, World, join, reads
from tests.support.sharing import CONNECTIONS
from tests.support.stores import gathered_on
from tests.web.reading import attributes_of, words_of
from tests.web.services import Services

DISCONNECT_ALL = "/app/account/applications/disconnect-all"


@pytest.fixture
async def second(world: World) -> World:
    """The same customer with another application."""
    registered = await register_application(
        world.context, COMMAND_LINE, name="Fuelwatch", company="Fuelwatch GmbH", redirect_uris=(REDIRECT_URI,)
    )
    return World(world.context, world.member, registered)


DISCONNECTED = """\
SELECT a.name FROM audit_event e JOIN application a ON a.id = e.application_id
WHERE e.customer_id = $1 AND e.event = 'application.disconnected' ORDER BY a.name"""


async def events_of(world: World) -> list[str]:
    """The applications that were disconnected, as the audit trail has them."""
    rows = await world.context.database.rows(DISCONNECTED, world.member.customer_id)
    return [row["name"] for row in rows]


TOLD = """\
SELECT recipient, (SELECT count(*) FROM jsonb_object_keys(about) name WHERE name LIKE 'application %') AS named
FROM mail WHERE about ->> 'customer' = $1 AND template = 'applications_disconnected' ORDER BY id"""


async def mails_of(world: World) -> list[tuple[str, int]]:
    """The recipients of the mails that tell of it, and how many applications each names."""
    rows = await world.context.database.rows(TOLD, str(world.member.customer_id))
    return [(row["recipient"], row["named"]) for row in rows]


async def test_page_names_them_and_the_button_ends_every_token(
    app: FastAPI, browser: Browser, world: World, second: World
) -> None:
    """R-19: one event for each, one mail to each owner, and nobody else's connection."""
    bo, _ = await join(world, "owner"), await join(world, "viewer", name="Cy")
    stranger = World(world.context, (await World.make(world.context)).member, world.registered)
    async with Browser(app) as elsewhere:
        theirs = await stranger.token(elsewhere)
    tokens = [await each.token(browser) for each in (world, second)]
    assert DISCONNECT_ALL in attributes_of(await browser.get(CONNECTIONS), "a", "href")
    page = await browser.get(DISCONNECT_ALL)
    words = words_of(page)
    assert "2 applications lose access to the machines of" in words
    assert "Sitewise by Sitewise Rentals Ltd" in words
    assert "Fuelwatch by Fuelwatch GmbH" in words
    assert [await reads(browser, token) for token in tokens] == [True, True]
    listed = await browser.follow(await browser.submit(page, {}, action=DISCONNECT_ALL))
    assert "All applications were disconnected." in words_of(listed)
    assert "Nothing is connected" in words_of(listed)
    assert DISCONNECT_ALL not in attributes_of(listed, "a", "href")
    assert [await reads(browser, token) for token in (*tokens, theirs)] == [False, False, True]
    assert await events_of(world) == ["Fuelwatch", "Sitewise"]
    assert await events_of(stranger) == []
    assert sorted(await mails_of(world)) == sorted([(world.member.email, 2), (bo.email, 2)])
    assert "Nothing is connected" in words_of(await browser.get(DISCONNECT_ALL))
    after = await world.token(browser)
    assert await reads(browser, after)


async def test_another_process_refuses_every_token_within_a_second(
    browser: Browser, world: World, second: World, services: Services
) -> None:
    """R-16, O-76: it remembered them."""
    tokens = [await each.token(browser) for each in (world, second)]
    fresh = gathered_on(world.context, world.context.database, world.context.changes)
    await until(lambda: world.context.changes.current)
    async with Browser(services.like(gathered=fresh)) as other:
        assert [await reads(other, token) for token in tokens] == [True, True]
        await browser.submit(await browser.get(DISCONNECT_ALL), {}, action=DISCONNECT_ALL)
        assert [await reads(other, token) for token in tokens] == [False, False]
    await fresh.close()


async def test_pressed_many_times_at_once_it_is_told_once(
    browser: Browser, world: World, second: World
) -> None:
    """An application that was never connected comes first by its id: the end of all gives it a row, too."""
    for _ in range(4):
        await second.token(browser)
        before = await events_of(world)
        page = await browser.get(DISCONNECT_ALL)
        answers = await asyncio.gather(*(browser.submit(page, {}, action=DISCONNECT_ALL) for _ in range(9)))
        assert {answer.status_code for answer in answers} == {303}
        assert await events_of(world) == [*before, "Fuelwatch"]
    assert await mails_of(world) == [(world.member.email, 1)] * 4


async def test_code_that_is_still_on_its_way_dies_with_it(browser: Browser, world: World) -> None:
    code = await world.code(browser)
    page = await browser.get(DISCONNECT_ALL)
    assert "One application loses access" in words_of(page)
    await browser.submit(page, {}, action=DISCONNECT_ALL)
    answer = await world.exchange(browser, code)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert await events_of(world) == ["Sitewise"]


@pytest.mark.parametrize("role", ["viewer", "connector"])
async def test_only_owners_and_connectors_may(
    app: FastAPI, browser: Browser, world: World, role: MemberRole
) -> None:
    token = await world.token(browser)
    member = await join(world, role)
    async with Browser(app) as acting:
        await acting.sign_in(await acting.get("/app/login"), member.email, PASSWORD)
        listed, page = await acting.get(CONNECTIONS), await acting.get(DISCONNECT_ALL)
        offered = DISCONNECT_ALL in attributes_of(listed, "a", "href")
        if role == "viewer":
            assert (page.status_code, offered) == (403, False)
            assert "Your role does not include this" in words_of(page)
        else:
            assert (page.status_code, offered) == (200, True)
            await world.context.database.count(
                "UPDATE customer_member SET role = 'viewer' WHERE person_id = $1", member.id
            )
            refused = await acting.submit(page, {}, action=DISCONNECT_ALL)
            assert refused.status_code == 403
    assert await reads(browser, token)
    assert await events_of(world) == []


async def test_forms_of_other_pages_and_sessions_disconnect_nothing(
    app: FastAPI, browser: Browser, world: World
) -> None:
    """R-43, R-71"""
    token = await world.token(browser)
    page = await browser.get(DISCONNECT_ALL)
    single = form_of(await browser.get(CONNECTIONS), "/disconnect")
    assert (await browser.http.post(DISCONNECT_ALL, data=single.held)).status_code == 400
    assert (await browser.http.post(DISCONNECT_ALL)).status_code == 400
    cross = await browser.submit(page, {}, action=DISCONNECT_ALL, Sec_Fetch_Site="cross-site")
    assert cross.status_code == 403
    async with Browser(app) as other:
        stranger = await other.get(DISCONNECT_ALL)
        assert 'name="password"' in stranger.text
        assert "Sitewise" not in stranger.text
        back = await other.sign_in(stranger, world.member.email, PASSWORD)
        assert DISCONNECT_ALL in str(back.url)
        assert (await other.submit(page, {}, action=DISCONNECT_ALL)).status_code == 400
    assert await reads(browser, token)
    await browser.submit(page, {}, action="/app/logout")
    gone = await browser.submit(page, {}, action=DISCONNECT_ALL)
    assert gone.headers["location"] == "/app/login"
    assert await events_of(world) == []

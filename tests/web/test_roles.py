"""Roles on the wire: a viewer looks, is told who connects, and may deny; a role that was taken away is not used."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import httpx2
import pytest
from fastapi import FastAPI

from app.flows.account.change_member import change_role, remove_member
from app.oauth.actor import COMMAND_LINE
from app.oauth.member_role import MemberRole
from app.storage.people.members import Member
from tests.support.browser import Browser, query_of
from tests.support.people import PASSWORD, REDIRECT_URI, World, join
from tests.web.reading import attributes_of, words_of
from tests.web.told import error_by_redirect

CONSENT = "/app/oauth2/consent"
CONNECTIONS = "/app/account/applications"
DISCONNECT = "/app/account/applications/disconnect"
PEOPLE = "/app/account/people"

Enter = Callable[[Member], Awaitable[Browser]]


@pytest.fixture
async def enter(app: FastAPI) -> AsyncIterator[Enter]:
    """Signs a person in with a browser of their own."""
    async with AsyncExitStack() as stack:

        async def enter(member: Member) -> Browser:
            browser = await stack.enter_async_context(Browser(app))
            page = await browser.get("/app/login")
            await browser.sign_in(page, member.email, PASSWORD)
            return browser

        yield enter


async def give(world: World, member: Member, role: MemberRole, before: MemberRole) -> None:
    await change_role(world.context, COMMAND_LINE, world.member.customer_id, member.id, role, before=before)


APPROVALS = """\
SELECT count(*) AS approvals
FROM audit_event WHERE event = 'application.approved' AND customer_id = $1"""


async def approvals(world: World) -> int:
    """How often somebody of the customer's account approved an application, by the audit trail."""
    [row] = await world.context.database.rows(APPROVALS, world.member.customer_id)
    return int(row["approvals"])


def lacks_role(page: httpx2.Response, world: World) -> str:
    assert page.status_code == 403
    words = words_of(page)
    assert "You cannot connect Sitewise yourself" in words
    assert f"{world.member.name} , owner {world.member.email}" in words
    assert not [each for each in attributes_of(page, "button", "value") if each == "approve"]
    return words


async def test_a_viewer_is_told_who_connects_and_can_deny(world: World, enter: Enter) -> None:
    """It is never a dead end. The application gets its answer and its state."""
    connector, viewer = await join(world, "connector", name="Cara Coe"), await join(world, "viewer")
    browser = await enter(viewer)
    page = await browser.get(world.authorize_url())
    words = lacks_role(page, world)
    assert f"Cara Coe , connector {connector.email}" in words
    assert words.index("owner") < words.index("connector")
    assert viewer.email in words
    assert "Not you? Use another account" in words
    denied = await browser.submit(page, {"decision": "deny"}, action=CONSENT)
    told = error_by_redirect(denied, REDIRECT_URI)
    assert (told["error"], told["state"]) == ("access_denied", "s-1")
    assert await approvals(world) == 0


async def test_a_viewer_who_approves_all_the_same_is_refused(world: World, enter: Enter) -> None:
    """The button is not there; the form takes the word."""
    browser = await enter(await join(world, "viewer"))
    page = await browser.get(world.authorize_url())
    refused = await browser.submit(page, {"decision": "approve"}, action=CONSENT)
    lacks_role(refused, world)
    assert await approvals(world) == 0
    denied = await browser.submit(refused, {"decision": "deny"}, action=CONSENT)
    assert query_of(denied)["error"] == "access_denied"


async def test_a_viewer_goes_on_with_another_account(world: World, enter: Enter) -> None:
    browser = await enter(await join(world, "viewer"))
    page = await browser.get(world.authorize_url())
    login = await browser.follow(await browser.submit(page, {}, action="/app/logout"))
    consent = await browser.sign_in(login, world.member.email, PASSWORD)
    assert "Connect Sitewise to your RoviTracker account?" in words_of(consent)


@pytest.mark.parametrize("role", ["owner", "connector"])
async def test_owners_and_connectors_connect_and_disconnect(
    world: World, enter: Enter, role: MemberRole
) -> None:
    member = await join(world, role)
    browser = await enter(member)
    page = await browser.get(world.authorize_url())
    answer = await browser.submit(page, {"decision": "approve"}, action=CONSENT)
    token = (await world.exchange(browser, query_of(answer)["code"])).json()["access_token"]
    assert (await world.introspect(browser, token))["sub"] == str(member.id)
    assert await approvals(world) == 1
    done = await browser.submit(await browser.get(CONNECTIONS), {}, action=DISCONNECT)
    assert done.status_code == 303
    assert await world.introspect(browser, token) == {"active": False}


async def test_a_role_taken_away_while_the_consent_page_is_open_is_not_used(
    world: World, enter: Enter
) -> None:
    member = await join(world, "connector")
    browser = await enter(member)
    page = await browser.get(world.authorize_url())
    await give(world, member, "viewer", "connector")
    refused = await browser.submit(page, {"decision": "approve"}, action=CONSENT)
    lacks_role(refused, world)
    assert await approvals(world) == 0
    await give(world, member, "connector", "viewer")  # the page decided nothing, so it can be used after all
    answer = await browser.submit(page, {"decision": "approve"}, action=CONSENT)
    assert "code" in query_of(answer)


async def test_approving_waits_for_a_role_that_is_being_taken_away(world: World, enter: Enter) -> None:
    """The change is made and not committed when the button is pressed: the approval is judged by what comes of it."""
    member = await join(world, "connector")
    browser = await enter(member)
    page = await browser.get(world.authorize_url())
    async with world.context.database.transaction() as transaction:
        await transaction.count("UPDATE customer_member SET role = 'viewer' WHERE person_id = $1", member.id)
        pressed = asyncio.create_task(browser.submit(page, {"decision": "approve"}, action=CONSENT))
        await asyncio.sleep(0.2)
        assert not pressed.done()
    lacks_role(await pressed, world)
    assert await approvals(world) == 0


async def test_approving_and_losing_the_role_at_once_end_in_one_order(world: World, enter: Enter) -> None:
    """Either the approval was first, and its code works, or the role was gone, and there is no code."""
    member = await join(world, "connector")
    browser = await enter(member)
    seen = set()
    for _ in range(8):
        page = await browser.get(world.authorize_url())
        before = await approvals(world)
        answer, _ = await asyncio.gather(
            browser.submit(page, {"decision": "approve"}, action=CONSENT),
            give(world, member, "viewer", "connector"),
        )
        written = await approvals(world) - before
        assert (answer.status_code, written) in ((303, 1), (403, 0))
        if answer.status_code == 303:
            assert (await world.exchange(browser, query_of(answer)["code"])).status_code == 200
        seen.add(answer.status_code)
        await give(world, member, "connector", "viewer")
    assert seen <= {303, 403}


async def test_somebody_removed_while_the_page_is_open_approves_nothing(world: World, enter: Enter) -> None:
    member = await join(world, "connector")
    browser = await enter(member)
    page = await browser.get(world.authorize_url())
    await remove_member(world.context, COMMAND_LINE, world.member.customer_id, member.id, before="connector")
    refused = await browser.submit(page, {"decision": "approve"}, action=CONSENT)
    assert refused.status_code == 403
    assert "You are signed in differently now" in words_of(refused)
    assert await approvals(world) == 0


async def test_a_viewer_sees_the_applications_and_cannot_disconnect_them(
    world: World, browser: Browser, enter: Enter
) -> None:
    token = await world.token(browser)
    own_page = await browser.get(CONNECTIONS)
    viewing = await enter(await join(world, "viewer"))
    page = await viewing.get(CONNECTIONS)
    words = words_of(page)
    assert "Sitewise by Sitewise Rentals Ltd" in words
    assert "Your role is viewer, so you cannot disconnect applications" in words
    assert PEOPLE in attributes_of(page, "a", "href")
    assert DISCONNECT not in page.text
    assert DISCONNECT in own_page.text
    assert (await world.introspect(browser, token))["active"] is True


async def test_a_role_taken_away_while_the_list_is_open_disconnects_nothing(
    world: World, browser: Browser, enter: Enter
) -> None:
    token = await world.token(browser)
    member = await join(world, "connector")
    acting = await enter(member)
    page = await acting.get(CONNECTIONS)
    await give(world, member, "viewer", "connector")
    refused = await acting.submit(page, {}, action=DISCONNECT)
    assert refused.status_code == 403
    assert "Your role does not include this" in words_of(refused)
    assert PEOPLE in attributes_of(refused, "a", "href")
    assert (await world.introspect(browser, token))["active"] is True


async def test_an_approval_is_written_once_however_often_the_button_is_pressed(
    world: World, enter: Enter
) -> None:
    browser = await enter(world.member)
    page = await browser.get(world.authorize_url())
    answers = await asyncio.gather(
        *(browser.submit(page, {"decision": "approve"}, action=CONSENT) for _ in range(6))
    )
    assert len({query_of(each)["code"] for each in answers}) == 1
    assert await approvals(world) == 1

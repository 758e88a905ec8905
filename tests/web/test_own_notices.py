"""Each owner of an application chooses on a page of their own which mails they get about it."""

from typing import Any
from uuid import UUID

import httpx2
import orjson

from app.context import Context
from app.storage.people.application_owners import delete_application_owner, insert_application_owner
from app.storage.people.people import select_person
from tests.support.browser import Browser, form_of
from tests.support.owners import register_own, sign_up
from tests.web.reading import found, words_of
from tests.web.test_own_applications import client_id_of

EVERY = ["connected", "changed", "disconnected", "ending", "secret"]


def page_of(client_id: str) -> str:
    return f"/app/developer/{client_id}/notices"


def ticked(page: httpx2.Response) -> list[str]:
    return [str(name) for name in found(page, "//input[@type='checkbox'][@checked]/@name")]


async def choose(browser: Browser, page: httpx2.Response, *names: str, **more: str) -> httpx2.Response:
    """Post the form with these boxes ticked, and no others."""
    form = form_of(page, "/notices")
    return await browser.http.post(form.action, data={**form.hidden, **dict.fromkeys(names, "on"), **more})


async def trail_of(context: Context, client_id: str) -> list[dict[str, Any]]:
    rows = await context.database.rows(
        "SELECT actor_kind, detail FROM audit_event WHERE application_id = $1 AND event = 'application.notices_chosen' ORDER BY id",
        UUID(client_id),
    )
    return [{**row, "detail": orjson.loads(row["detail"])} for row in rows]


async def test_all_are_on_and_what_is_chosen_is_kept_and_audited(context: Context, owner: Browser) -> None:
    client_id = client_id_of(await register_own(owner))
    page = await owner.get(page_of(client_id))
    assert ticked(page) == EVERY
    assert "In test mode nothing is mailed" in words_of(page)
    saved = await owner.follow(await choose(owner, page, "ending", "secret"))
    assert "Your choice was saved." in words_of(saved)
    assert ticked(saved) == ["ending", "secret"]
    await choose(owner, saved, "ending", "secret")
    assert ticked(await owner.follow(await choose(owner, saved))) == []
    some, every = "changed, connected, disconnected", "changed, connected, disconnected, ending, secret"
    assert await trail_of(context, client_id) == [
        {"actor_kind": "application owner", "detail": {"off_before": before, "off": off}}
        for before, off in (("none", some), (some, every))
    ]


async def test_each_owner_and_each_application_has_its_own_choice(
    context: Context, owner: Browser, stranger: Browser
) -> None:
    first, second = client_id_of(await register_own(owner)), client_id_of(await register_own(owner))
    colleague = await select_person(context.database, await sign_up(context, stranger, name="Lee"))
    assert colleague is not None
    await insert_application_owner(context.database, UUID(first), colleague.id)
    assert (await choose(owner, await owner.get(page_of(first)), "secret")).status_code == 303
    assert ticked(await owner.get(page_of(second))) == EVERY
    assert ticked(await stranger.get(page_of(first))) == EVERY
    assert (await stranger.get(page_of(second))).status_code == 404


async def test_unknown_names_and_forms_of_others_change_nothing(
    context: Context, owner: Browser, stranger: Browser
) -> None:
    client_id = client_id_of(await register_own(owner))
    await sign_up(context, stranger)
    other = client_id_of(await register_own(stranger))
    page = await owner.get(page_of(client_id))
    assert (await choose(owner, page, *EVERY, everything="on")).status_code == 303
    assert await trail_of(context, client_id) == []
    foreign = form_of(await stranger.get(page_of(other))).hidden
    forged = await owner.http.post(page_of(client_id), data=foreign)
    assert forged.status_code == 400
    elsewhere = form_of(await owner.get(page_of(client_id_of(await register_own(owner)))), "/notices").hidden
    assert (await owner.http.post(page_of(client_id), data=elsewhere)).status_code == 400
    assert ticked(await owner.get(page_of(client_id))) == EVERY


async def test_whoever_lost_the_application_meanwhile_chooses_nothing(
    context: Context, browser: Browser, stranger: Browser
) -> None:
    email = await sign_up(context, browser)
    client_id = client_id_of(await register_own(browser))
    person = await select_person(context.database, email)
    other = await select_person(context.database, await sign_up(context, stranger, name="Lee"))
    assert person is not None
    assert other is not None
    await insert_application_owner(context.database, UUID(client_id), other.id)
    page = await browser.get(page_of(client_id))
    async with context.database.transaction() as transaction:
        assert await delete_application_owner(transaction, UUID(client_id), person.id)
    assert (await choose(browser, page)).status_code == 404
    assert await trail_of(context, client_id) == []


async def test_whoever_is_not_signed_in_comes_back_after_it(owner: Browser, stranger: Browser) -> None:
    """As from a mail's link."""
    client_id = client_id_of(await register_own(owner))
    page = await stranger.get(page_of(client_id))
    assert found(page, "//input[@type='password']")
    assert found(page, "//input[@type='checkbox']") == []

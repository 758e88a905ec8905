"""Reviews on the wire: an owner hands in, an operator decides with a fresh second factor, a real customer connects."""

from collections.abc import AsyncIterator
from uuid import UUID

import httpx2
import pytest
from fastapi import FastAPI
from pyotp import TOTP

from app.context import Context
from app.flows.account.change_customer import find_person
from app.flows.developer.standing import read_standing
from app.storage.people.application_reviews import select_open_review
from app.storage.people.people import Person
from tests.support.browser import Browser, form_of, query_of
from tests.support.owners import register_own, sign_up
from tests.support.people import PASSWORD, World
from tests.support.reviews import (
    CALLBACK,
    PRIVACY,
    change,
    handed_in,
    live,
    new_owner,
    unlike_any_other,
    upload,
)
from tests.web.reading import found, words_of
from tests.web.test_own_applications import client_id_of
from tests.web.test_staff import PROVE, Operator, make

REVIEWS = "/app/operator/reviews"


@pytest.fixture
async def owner(context: Context, browser: Browser) -> Browser:
    await sign_up(context, browser)
    return browser


@pytest.fixture
async def reviewer(app: FastAPI, context: Context) -> AsyncIterator[Operator]:
    async with Browser(app) as browser:
        fresh = await make(context, "reviewer", browser)
        yield await fresh.enrol()


@pytest.fixture
async def customer(app: FastAPI) -> AsyncIterator[Browser]:
    async with Browser(app) as browser:
        yield browser


async def ready(owner: Browser, name: str) -> str:
    """The client_id of an application that has all that a review needs."""
    registered = await register_own(owner, name=name, company=f"{name} Ltd", addresses=CALLBACK)
    assert registered.status_code == 201, registered.text
    client_id = client_id_of(registered)
    saved = await upload(
        owner,
        f"/app/developer/{client_id}/settings",
        {
            "name": name,
            "company": f"{name} Ltd",
            "addresses": f"{CALLBACK}\nhttp://localhost:3000/callback",
            "privacy_uri": PRIVACY,
            "scope aemp:read": "on",
            "reason aemp:read": "To show them on a map",
        },
    )
    assert saved.headers.get("location", "").endswith("?done=saved"), saved.text
    return client_id


async def hand_in(owner: Browser, client_id: str) -> httpx2.Response:
    page = await owner.get(f"/app/developer/{client_id}/publish")
    assert "http://localhost:3000/callback" in words_of(page)
    return await owner.submit(page, {"message": "Please have a look"}, action=f"{client_id}/publish")


async def review_page(reviewer: Operator, name: str) -> httpx2.Response:
    queue = await reviewer.browser.get(REVIEWS)
    [link] = found(queue, f"//a[normalize-space()='{name}']/@href")
    return await reviewer.browser.get(str(link))


async def test_from_test_mode_to_a_real_customer(
    owner: Browser, reviewer: Operator, customer: Browser, world: World
) -> None:
    name = unlike_any_other()
    client_id = await ready(owner, name)
    asked = world.authorize_url(client_id=client_id, redirect_uri=CALLBACK)
    refused = await customer.sign_in(await customer.get(asked), world.member.email, PASSWORD)
    assert refused.status_code == 403
    handed_in = await owner.follow(await hand_in(owner, client_id))
    assert "Waits for review" in words_of(handed_in)
    page = await review_page(reviewer, name)
    assert "Please have a look" in words_of(page)
    assert "To show them on a map" in words_of(page)
    approved = await reviewer.browser.submit(page, {}, action="/approve")
    assert approved.headers["location"] == f"{REVIEWS}?done=approved", approved.text
    consent = await customer.get(asked)
    assert "It is new here" in words_of(consent)
    assert PRIVACY in found(consent, "//a/@href")
    answer = await customer.submit(consent, {"decision": "approve"}, action="/consent")
    assert "code" in query_of(answer)
    again = await customer.get(asked)
    assert "one customer uses it" in words_of(again)
    settings = await owner.get(f"/app/developer/{client_id}/settings")
    assert found(settings, "//textarea[@name='addresses']/text()") == [CALLBACK]


def settings_of(client_id: object) -> str:
    return f"/app/developer/{client_id}/settings"


def publish_of(client_id: object) -> str:
    return f"/app/developer/{client_id}/publish"


@pytest.fixture
async def olga(context: Context, browser: Browser) -> Person:
    """An owner who is signed in."""
    return await find_person(context, await sign_up(context, browser))


async def test_what_waits_stands_beside_what_is_live_and_is_taken_back(
    context: Context, browser: Browser, olga: Person
) -> None:
    client = await live(context, olga)
    page = await browser.get(settings_of(client.id))
    asked = await browser.submit(page, {"name": "Another name"}, action="/settings")
    assert asked.headers["location"].endswith("?done=proposed"), asked.text
    shown = await browser.follow(asked)
    assert client.name in words_of(shown)
    assert found(shown, "//input[@name='name']/@value") == ["Another name"]
    assert "Live, changes wait for review" in words_of(shown)
    taken_back = await browser.submit(shown, {}, action="/withdraw")
    assert "was taken back" in words_of(await browser.follow(taken_back))
    again = await browser.submit(shown, {}, action="/withdraw")
    assert again.status_code == 409
    assert found(await browser.get(settings_of(client.id)), "//input[@name='name']/@value") == [client.name]


async def test_of_two_forms_the_second_shows_what_the_first_changed(
    context: Context, browser: Browser, olga: Person
) -> None:
    client = await live(context, olga)
    page = await browser.get(settings_of(client.id))
    assert (await browser.submit(page, {"name": "First"}, action="/settings")).status_code == 303
    second = await browser.submit(page, {"name": "Second", "message": "Hello"}, action="/settings")
    assert second.status_code == 409
    assert "Somebody changed it meanwhile" in words_of(second)
    assert "There now First" in words_of(second)
    assert found(second, "//input[@name='name']/@value") == ["Second"]
    assert (await browser.submit(second, {}, action="/settings")).status_code == 303


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"name": ""}, "settings-name"),
        ({"company": "a\u200bb"}, "settings-company"),
        ({"addresses": "https://x.example/#a"}, "settings-addresses"),
        ({"addresses": "http://localhost/cb"}, "settings-addresses"),
        ({"terms_uri": "javascript:alert(1)"}, "settings-terms_uri"),
        ({"privacy_uri": "http://x.example/"}, "settings-privacy_uri"),
        ({"contact": "7"}, ""),
        ({"contact": str(UUID(int=7))}, "settings-contact"),
        ({"message": "a" * 1001}, "settings-message"),
    ],
)
async def test_what_is_refused_is_told_at_its_field(
    context: Context, browser: Browser, olga: Person, fields: dict[str, str], where: str
) -> None:
    client = await live(context, olga)
    page = await browser.get(settings_of(client.id))
    answer = await browser.submit(page, {"name": "Another name", **fields}, action="/settings")
    if not where:
        assert answer.status_code == 303, "no person is chosen, so the present one stays"
        return
    assert answer.status_code == 422
    assert found(answer, "//*[@aria-invalid='true']/@id") == [where]
    assert fields.get("name") == "" or found(answer, "//input[@name='name']/@value") == ["Another name"]
    assert await select_open_review(context.database, client.id) is None


async def test_a_form_of_another_application_changes_nothing(
    context: Context, browser: Browser, olga: Person
) -> None:
    one, other = await live(context, olga), await live(context, olga)
    page = await browser.get(settings_of(one.id))
    form = form_of(page, "/settings")
    answer = await browser.http.post(settings_of(other.id), data={**form.held, "name": "x"})
    assert answer.status_code == 409
    deletion = form_of(await browser.get(publish_of(one.id)), "/delete")
    await browser.http.post(f"{publish_of(other.id)}/delete", data={**deletion.held, "name": other.name})
    assert (await browser.get(publish_of(other.id))).status_code == 200


async def test_strangers_find_none_of_its_pages(context: Context, owner: Browser) -> None:
    client, browser = await live(context, await new_owner(context, "Somebody else")), owner
    form = form_of(await browser.get("/app/developer/new"))
    for path in (settings_of(client.id), publish_of(client.id)):
        assert (await browser.get(path)).status_code == 404
        assert (await browser.http.post(path, data=form.held)).status_code == 404
    for path in ("withdraw", "delete"):
        answer = await browser.http.post(f"{publish_of(client.id)}/{path}", data=form.held)
        assert answer.status_code == 404


async def test_deletion_by_typed_name(context: Context, browser: Browser, olga: Person) -> None:
    client = await handed_in(context, olga)
    page = await browser.get(publish_of(client.id))
    wrong = await browser.submit(page, {"name": client.name.lower()}, action="/delete")
    assert wrong.status_code == 422
    assert found(wrong, "//*[@aria-invalid='true']/@id") == ["delete-name"]
    done = await browser.submit(page, {"name": client.name}, action="/delete")
    assert done.headers["location"] == "/app/developer?deleted"
    assert "was deleted" in words_of(await browser.follow(done))
    assert (await browser.get(publish_of(client.id))).status_code == 404


async def test_support_looks_and_decides_nothing(app: FastAPI, context: Context, olga: Person) -> None:
    client = await handed_in(context, olga)
    async with Browser(app) as browser:
        support = await (await make(context, "support", browser)).enrol()
        page = await review_page(support, client.name)
        assert "Your decision" not in words_of(page)
        review = await select_open_review(context.database, client.id)
        assert review is not None
        form = form_of(page, "/app/logout")
        forged = await browser.http.post(f"{REVIEWS}/{review.id}/approve", data=form.held)
        assert forged.status_code == 400
    assert (await live_at_of(context, client.id)) is None


async def live_at_of(context: Context, application_id: UUID) -> object:
    """When it went live."""
    return (await read_standing(context, application_id)).application.live_at


async def test_a_decision_asks_for_the_second_factor_and_comes_back(
    context: Context, olga: Person, reviewer: Operator
) -> None:
    client = await handed_in(context, olga)
    page = await review_page(reviewer, client.name)
    here = str(page.url.path)
    await reviewer.pass_time(11)
    late = await reviewer.browser.submit(page, {}, action="/approve")
    assert late.headers["location"].startswith(f"{PROVE}?then=")
    assert (await reviewer.browser.get(here)).headers["location"] == late.headers["location"]
    code = TOTP(reviewer.key).at(context.now())
    proving = await reviewer.browser.follow(late)
    proved = await reviewer.browser.submit(proving, {"code": code}, action=PROVE)
    assert proved.headers["location"] == here
    assert await live_at_of(context, client.id) is None
    elsewhere = await reviewer.browser.get(f"{PROVE}?then=//evil.example/app/operator/x")
    await reviewer.allow_code_again()
    proved = await reviewer.browser.submit(elsewhere, {"code": code}, action=PROVE)
    assert proved.headers["location"] == "/app/operator/staff"


async def test_a_refusal_needs_a_reason_and_reaches_the_owner(
    context: Context, browser: Browser, olga: Person, reviewer: Operator
) -> None:
    client = await handed_in(context, olga)
    page = await review_page(reviewer, client.name)
    empty = await reviewer.browser.submit(page, {"reason": " "}, action="/refuse")
    assert empty.status_code == 422
    assert found(empty, "//*[@aria-invalid='true']/@id") == ["refuse-reason"]
    refused = await reviewer.browser.submit(page, {"reason": "The logo is not yours."}, action="/refuse")
    assert refused.headers["location"] == f"{REVIEWS}?done=refused"
    again = await reviewer.browser.submit(page, {}, action="/approve")
    assert again.status_code == 409
    assert "Refused" in words_of(again)
    shown = await browser.get(publish_of(client.id))
    assert "The logo is not yours." in words_of(shown)
    assert "Hand in for review" in words_of(shown)


async def test_what_the_owner_changed_since_is_shown_before_it_is_approved(
    context: Context, olga: Person, reviewer: Operator
) -> None:
    client = await handed_in(context, olga)
    page = await review_page(reviewer, client.name)
    newer = unlike_any_other()
    await change(context, olga, client.id, name=newer)
    late = await reviewer.browser.submit(page, {}, action="/approve")
    assert late.status_code == 409
    assert newer in words_of(late)
    done = await reviewer.browser.submit(late, {}, action="/approve")
    assert done.headers["location"] == f"{REVIEWS}?done=approved"
    assert (await read_standing(context, client.id)).application.client.name == newer


async def test_consent_marks_test_mode(owner: Browser) -> None:
    registered = await register_own(owner)
    [link] = found(registered, "//a[normalize-space()='Try it now']/@href")
    consent = await owner.get(str(link))
    assert "Test mode." in words_of(consent)
    assert "It is new here" not in words_of(consent)

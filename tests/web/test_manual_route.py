"""The manual route on the wire: the owner's page, the operators' queue, the customer's answer and the pick-up, with every refusal."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from uuid import UUID, uuid4

import httpx2
import pytest
from fastapi import FastAPI
from pyotp import TOTP

from app.context import Context
from app.flows.approval.connections import disconnect_application
from app.flows.approval.terms import Terms
from app.flows.manual.answer import approve_request
from tests.support.browser import Browser
from tests.support.people import PASSWORD, World, join, reads
from tests.support.requests import WHY, Asking, add_owner
from tests.web.reading import found, words_of
from tests.web.test_staff import PROVE, Operator, make

QUEUE, REQUESTS, PICK_UP = "/app/operator/requests", "/app/account/requests", "/app/developer/pick-up"
HOSTILE = "<script>alert(1)</script> \u0634\u0631\u0643\u0629"

SignedIn = Callable[[str, str], Awaitable[Browser]]


@pytest.fixture
async def asking(context: Context) -> Asking:
    return await Asking.make(context)


@pytest.fixture
async def signed_in(app: FastAPI) -> AsyncIterator[SignedIn]:
    """A new browser of somebody who is signed in, at a page."""
    async with AsyncExitStack() as stack:

        async def sign_in(email: str, path: str) -> Browser:
            browser = await stack.enter_async_context(Browser(app))
            await browser.sign_in(await browser.get(path), email, PASSWORD)
            return browser

        yield sign_in


async def ask(owner: Browser, asking: Asking, **fields: str) -> httpx2.Response:
    typed = {"email": asking.world.member.email, "reason": WHY, **fields}
    return await owner.submit(await owner.get(asking.address), typed, action="/ask")


async def test_from_the_question_to_the_token(
    asking: Asking, app: FastAPI, signed_in: SignedIn, browser: Browser
) -> None:
    """O-143: three browsers, and every page says what comes next."""
    member = asking.world.member
    owner = await signed_in(asking.owner.email, asking.address)
    asked = await owner.follow(await ask(owner, asking, reason=f"{WHY} See https://evil.example/x {HOSTILE}"))
    assert "Waits for RoviTracker" in words_of(asked)
    assert "evil.example" not in asked.text
    async with Browser(app) as operators:
        operator = await (await make(asking.context, "reviewer", operators)).enrol()
        page = await operators.get(QUEUE)
        assert HOSTILE in words_of(page)
        hidden = hidden_of(page, member.email)
        unsaid = await operators.http.post(f"{QUEUE}/judge", data={**hidden, "decision": "release"})
        assert unsaid.status_code == 422
        assert found(unsaid, "//textarea[@aria-invalid='true']/@name") == ["reason"]
        judged = {**hidden, "decision": "release", "reason": "Known company"}
        await operator.pass_time(11)
        led = await operators.http.post(f"{QUEUE}/judge", data=judged)
        assert led.headers["location"].startswith(PROVE), "sensitive: the second factor again"
        proved = await operators.submit(
            await operators.follow(led), {"code": code_of(operator)}, action=PROVE
        )
        assert proved.headers["location"] == QUEUE
        done = await operators.http.post(f"{QUEUE}/judge", data=judged)
        assert done.headers["location"] == f"{QUEUE}?done=release"
        again = await operators.http.post(f"{QUEUE}/judge", data=judged)
        assert (again.status_code, "no longer waits" in words_of(again)) == (409, True)
    customer = await signed_in(member.email, REQUESTS)
    [address] = found(await customer.get(REQUESTS), "//h2/a/@href")
    page = await customer.get(str(address))
    assert HOSTILE in words_of(page)
    assert not found(page, "//script")
    assert (await asking.stands(id_of(str(address)))).state == "released", "looking changes nothing"
    nothing = await customer.submit(page, {"machines": "these", "decision": "approve"}, action=REQUESTS)
    assert nothing.status_code == 422
    said = await customer.submit(page, {"machines": "all", "decision": "approve"}, action=REQUESTS)
    assert "You said yes" in words_of(await customer.follow(said))
    assert "Rentdesk" in words_of(await customer.get("/app/account/applications")), "seen before any pick-up"
    late = await customer.get(str(address))
    assert (late.status_code, "Your account said yes" in words_of(late)) == (410, True)
    assert "said yes to a request of Rentdesk" in words_of(await customer.get("/app/account"))
    link = f"{PICK_UP}?link={await asking.link(id_of(str(address)))}"
    shown = await owner.get(link)
    assert (await asking.made(), (await owner.get(link)).status_code) == (0, 200)
    picked = await owner.submit(shown, {}, action=PICK_UP)
    [token] = re.findall(r"rovi_at_c\w+", str(found(picked, "//dd/code/text()")[0]))
    assert await reads(browser, token)
    for spent in (await owner.submit(shown, {}, action=PICK_UP), await owner.get(link)):
        assert spent.status_code == 410
        assert "This token was picked up already" in words_of(spent)
        assert found(spent, "//main//a/@href")
    page = await owner.get(asking.address)
    assert releases_in(page, asking) == 2, "of the connection and of the request"
    assert token not in page.text


def releases_in(page: httpx2.Response, asking: Asking) -> int:
    """How often it says that RoviTracker released a request; which operator it was, it never says."""
    assert "Olga Reyes" not in page.text
    return words_of(page).count(f"Released by RoviTracker, on {asking.context.now():%-d %B %Y}")


def id_of(address: str) -> UUID:
    return UUID(address.rpartition("/")[2])


def code_of(operator: Operator) -> str:
    return TOTP(operator.key).at(operator.context.now())


def hidden_of(page: httpx2.Response, email: str) -> dict[str, str]:
    """What the form beside a request to this address sends."""
    [form] = found(page, f"//li[.//bdi[normalize-space()='{email}']]//form")
    return {each.get("name"): each.get("value") for each in form.xpath(".//input[@type='hidden']")}


async def test_the_answer_is_the_same_for_a_known_and_an_unknown_address(
    asking: Asking, signed_in: SignedIn
) -> None:
    """R-54"""
    owner = await signed_in(asking.owner.email, asking.address)
    said = []
    for email in (asking.world.member.email, f"nobody.{uuid4().hex}@hillside.example"):
        answer = await ask(owner, asking, email=email)
        page = await owner.follow(answer)
        [first] = found(page, "(//h3[span[@class='tag']])[1]")
        said.append((answer.headers["location"], "".join(first.itertext()).replace(email, "")))
    assert said[0] == said[1]


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"email": "nobody"}, "ask-email"),
        ({"reason": " "}, "ask-reason"),
        ({"reason": "https://evil.example/"}, "ask-reason"),
        ({"reason": "x" * 281}, "ask-reason"),
        ({"reason": "bell\x07"}, "ask-reason"),
    ],
)
async def test_what_is_refused_is_told_at_its_field_and_keeps_the_other(
    asking: Asking, signed_in: SignedIn, fields: dict[str, str], where: str
) -> None:
    owner = await signed_in(asking.owner.email, asking.address)
    answer = await ask(owner, asking, **fields)
    assert answer.status_code == 422
    assert found(answer, "//*[@aria-invalid='true']/@id") == [where]
    if where == "ask-reason":
        assert found(answer, "//input[@name='email']/@value") == [asking.world.member.email]
    else:
        assert str(found(answer, "//textarea/text()")[0]).strip() == WHY
    assert await asking.events() == []


async def test_a_second_question_is_told_beside_the_address(asking: Asking, signed_in: SignedIn) -> None:
    owner = await signed_in(asking.owner.email, asking.address)
    await asking.ask()
    answer = await ask(owner, asking)
    assert (answer.status_code, found(answer, "//*[@aria-invalid='true']/@id")) == (409, ["ask-email"])
    withdrawn = await owner.submit(answer, {}, action="/withdraw")
    assert "The request was withdrawn" in words_of(await owner.follow(withdrawn))
    assert (await owner.submit(answer, {}, action="/withdraw")).status_code == 409
    assert (await ask(owner, asking)).status_code == 303


async def test_an_application_in_test_mode_says_why_it_cannot_ask(
    asking: Asking, signed_in: SignedIn
) -> None:
    owner = await signed_in(asking.owner.email, asking.address)
    page = await owner.get(asking.address)
    await asking.context.database.count(
        "UPDATE application SET live_at = NULL WHERE id = $1", asking.application_id
    )
    asking.context.changes.note(asking.application_id)
    shown = await owner.get(asking.address)
    assert "test mode" in words_of(shown)
    assert not found(shown, "//form[contains(@action, '/ask')]")
    typed = {"email": asking.world.member.email, "reason": WHY}
    assert (await owner.submit(page, typed, action="/ask")).status_code == 403


async def test_another_owner_and_a_forged_form_change_nothing(asking: Asking, signed_in: SignedIn) -> None:
    other = await signed_in((await add_owner(asking.context)).email, "/app/developer/new")
    for path in ("", "/ask", "/withdraw", "/resend"):
        method = other.http.post if path else other.http.get
        assert (await method(f"{asking.address}{path}")).status_code == 404
    owner = await signed_in(asking.owner.email, asking.address)
    for path in ("/ask", "/withdraw", "/resend"):
        forged = await owner.http.post(
            f"{asking.address}{path}", data={"email": "a@x.example", "reason": WHY}
        )
        assert forged.status_code == 400, "a form of ours is sealed to its session (R-41)"
    assert await asking.events() == []


async def test_the_link_in_wrong_hands_says_so_and_leads_on(
    asking: Asking, signed_in: SignedIn, browser: Browser
) -> None:
    """Not signed in, signed in as somebody else, made up, and after the customer cut it."""
    request_id = await asking.approve()
    link = f"{PICK_UP}?link={await asking.link(request_id)}"
    assert "Pick the token up" in words_of(
        await browser.sign_in(await browser.get(link), asking.owner.email, PASSWORD)
    )
    stranger = await signed_in((await add_owner(asking.context)).email, "/app/developer/new")
    for wrong in (await stranger.get(link), await signed_in_at(signed_in, asking, link)):
        assert wrong.status_code == 403
        assert "This link is not for you" in words_of(wrong)
        assert "Rentdesk" not in wrong.text
    [switch] = found(await stranger.get(link), "//main//form")
    hidden = {each.get("name"): each.get("value") for each in switch.xpath(".//input")}
    switched = await stranger.http.post(switch.get("action"), data=hidden)
    assert switched.headers["location"] == link, "and comes back as somebody else"
    assert (await browser.get(f"{PICK_UP}?link=made-up")).status_code == 404
    assert (await browser.get(PICK_UP)).status_code == 404
    shown = await browser.get(link)
    member = asking.world.member
    await disconnect_application(asking.context, member.actor, member.customer_id, asking.application_id)
    gone = await browser.submit(shown, {}, action=PICK_UP)
    assert (gone.status_code, "No token was made" in words_of(gone)) == (410, True)
    assert await asking.made() == 0


async def signed_in_at(signed_in: SignedIn, asking: Asking, link: str) -> httpx2.Response:
    """The link in the hands of the customer."""
    return await (await signed_in(asking.world.member.email, REQUESTS)).get(link)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_scanner_that_opens_the_links_of_mails_changes_nothing(
    method: str, asking: Asking, signed_in: SignedIn, browser: Browser
) -> None:
    """R-28: signed out, and in the browser of the person itself; then the answer counts, once."""
    request_id = await asking.release()
    question = f"{REQUESTS}/{request_id}"
    customer = await signed_in(asking.world.member.email, REQUESTS)
    for each in (browser, customer):
        await each.http.request(method, question)
    assert (await asking.stands(request_id)).decided_at is None
    page = await customer.get(question)
    approve = {"decision": "approve", "machines": "all"}
    assert (await customer.submit(page, approve, action=REQUESTS)).status_code == 303
    again = await customer.submit(page, approve, action=REQUESTS)
    assert again.status_code == 410
    pick_up = f"{PICK_UP}?link={await asking.link(request_id)}"
    owner = await signed_in(asking.owner.email, asking.address)
    for each in (browser, owner):
        await each.http.request(method, pick_up)
    assert await asking.made() == 0
    shown = await owner.get(pick_up)
    assert (await owner.submit(shown, {}, action=PICK_UP)).status_code == 200
    assert await asking.made() == 1
    twice = await owner.submit(shown, {}, action=PICK_UP)
    assert (twice.status_code, await asking.made()) == (410, 1)


async def test_who_may_not_decide_is_told_and_a_stranger_finds_nothing(
    asking: Asking, signed_in: SignedIn
) -> None:
    address = f"{REQUESTS}/{await asking.release()}"
    viewer = await signed_in((await join(asking.world, "viewer")).email, address)
    page = await viewer.get(address)
    assert "Your role is viewer" in words_of(page)
    assert not found(page, f"//form[@action='{address}']")
    stranger = await signed_in((await World.make(asking.context)).member.email, REQUESTS)
    lost = await stranger.get(address)
    assert (lost.status_code, "There is no such request for you" in words_of(lost)) == (404, True)
    assert REQUESTS in found(lost, "//main//a/@href")
    owner = await signed_in(asking.world.member.email, address)
    page = await owner.get(address)
    assert (await owner.submit(page, {"machines": "all"}, action=REQUESTS)).status_code == 400
    denied = await owner.submit(page, {"decision": "deny"}, action=REQUESTS)
    assert "You said no" in words_of(await owner.follow(denied))
    assert (await owner.submit(page, {"decision": "approve"}, action=REQUESTS)).status_code == 410
    asker = await signed_in(asking.owner.email, asking.address)
    assert "Waits for the customer" in words_of(await asker.get(asking.address))


async def test_support_looks_and_a_reviewer_enters_what_came_by_mail(asking: Asking, app: FastAPI) -> None:
    await asking.ask()
    email = f"b.{uuid4().hex}@x.example"
    async with Browser(app) as browser:
        await (await make(asking.context, "support", browser)).enrol()
        page = await browser.get(QUEUE)
        assert asking.world.member.email in page.text
        assert not found(page, "//form[contains(@action, '/operator/')]")
    async with Browser(app) as browser:
        await (await make(asking.context, "reviewer", browser)).enrol()
        typed = {"client_id": asking.registered.client.client_id, "email": email, "reason": WHY}
        for fields, where in (
            ({"client_id": "nobody"}, "enter-client_id"),
            ({"email": "nobody"}, "enter-email"),
            ({"reason": "x" * 281}, "enter-reason"),
        ):
            page = await browser.submit(await browser.get(QUEUE), {**typed, **fields}, action="/enter")
            assert page.status_code == 422
            assert found(page, "//*[@aria-invalid='true']/@id") == [where]
        done = await browser.submit(page, typed, action="/enter")
        assert done.headers["location"] == f"{QUEUE}?done=entered"
        refused = await browser.http.post(
            f"{QUEUE}/judge",
            data={
                **hidden_of(await browser.get(QUEUE), email),
                "decision": "refuse",
                "reason": "No contract",
            },
        )
        assert refused.headers["location"] == f"{QUEUE}?done=refuse"
    async with Browser(app) as browser:
        page = await browser.sign_in(await browser.get(asking.address), asking.owner.email, PASSWORD)
        assert "No contract" in words_of(page)


async def test_overviews_lead_to_what_waits(asking: Asking, signed_in: SignedIn) -> None:
    """A customer to a request, and then an owner to a token."""
    member = asking.world.member
    customer = await signed_in(member.email, "/app/account")
    owner = await signed_in(asking.owner.email, "/app/developer")
    request_id = await asking.release()
    overview = await customer.get("/app/account")
    assert "1 waits for your yes or no." in words_of(overview)
    assert "Rentdesk by Rentdesk GmbH" in words_of(overview)
    assert found(overview, "//a[@href='/app/account/requests' and @class='onward']")
    assert "picked up" not in words_of(await owner.get("/app/developer"))
    await approve_request(asking.context, member.actor, member, request_id, Terms())
    assert "waits for your yes or no" not in words_of(await customer.get("/app/account"))
    own = await owner.get("/app/developer")
    assert found(own, f"//a[@href='{asking.address}']/text()") == ["1 token waits to be picked up"]
    await asking.pass_time(request_id)
    assert "picked up" not in words_of(await owner.get("/app/developer"))


async def test_customer_sees_who_said_yes_and_that_rovitracker_released_it(
    asking: Asking, signed_in: SignedIn, world: World, browser: Browser
) -> None:
    """The operator's name is RoviTracker's own business, and stands in the trail. Other ways in were released by nobody."""
    await asking.approve()
    customer = await signed_in(asking.world.member.email, "/app/account")
    page = await customer.get(f"/app/account/applications/{asking.application_id}")
    today = f"{asking.context.now():%-d %B %Y}"
    assert facts_of(page)["Approved by"] == asking.world.member.name
    assert facts_of(page)["Released by"] == f"RoviTracker, on {today}"
    assert "Rita" not in page.text
    row = await asking.context.database.row(
        "SELECT actor_kind, actor_id FROM audit_event WHERE application_id = $1 AND event = 'request.released'",
        asking.application_id,
    )
    assert row is not None
    assert dict(row) == {"actor_kind": "operator", "actor_id": asking.reviewer.id}
    await world.token(browser)
    assert "Released by" not in facts_of(await browser.get(f"/app/account/applications/{world.client_id}"))


def facts_of(page: httpx2.Response) -> dict[str, str]:
    """What the page's list of facts says, by its terms."""
    return {
        " ".join(each.findtext("dt").split()): " ".join(each.find("dd").text_content().split())
        for each in found(page, "//dl[@class='facts']/div")
    }

"""A customer reports an application: the operators get a mail, and the audit trail keeps the reason."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from email.message import EmailMessage

import httpx2
import pytest

from app.flows.approval.report import MOST_REPORTS
from app.flows.bounds import LONGEST_REPORT
from tests.mail.conftest import Post
from tests.mail.sink import arrived
from tests.mail.test_password import app_of
from tests.support.browser import Browser, form_of
from tests.support.people import PASSWORD, World, join
from tests.support.sharing import page_of
from tests.web.reading import found, words_of

OPERATORS = "abuse@rovi.example"


@pytest.fixture
async def visitor(post: Post, person: World) -> AsyncIterator[Browser]:
    policy = replace(post.context.policy, support_email=OPERATORS)
    async with Browser(app_of(post, policy=policy)) as browser:
        await person.token(browser)
        await post.owner.execute("DELETE FROM mail")
        yield browser


async def report(visitor: Browser, person: World, reason: str) -> httpx2.Response:
    return await visitor.submit(await visitor.get(page_of(person)), {"reason": reason}, action="/report")


REASONS = """\
SELECT detail ->> 'reason' AS reason FROM audit_event
WHERE event = 'connection.reported' AND customer_id = $1 AND application_id = $2 AND actor_id = $3
ORDER BY id"""


async def reasons(post: Post, person: World) -> list[str]:
    """What this person gave as reasons in reports of this application, the oldest first."""
    about = person.member.customer_id, person.registered.client.id, person.member.id
    rows = await post.context.database.rows(REASONS, *about)
    return [row["reason"] for row in rows]


def parts_of(message: EmailMessage) -> list[str]:
    bodies = [message.get_body((kind,)) for kind in ("plain", "html")]
    return [body.get_content().replace("\u2060", "") for body in bodies if body is not None]


async def test_operators_hear_who_reports_what_and_why(post: Post, person: World, visitor: Browser) -> None:
    reason = "It reads machines we never shared.\r\n\r\nSee https://evil.example/a?b=<c> and www.evil.example\u2026 <b>now</b>"
    page = await visitor.follow(await report(visitor, person, reason))
    assert "Your report is on its way to RoviTracker." in words_of(page)
    kept = "It reads machines we never shared.\n\nSee [link] and [link] <b>now</b>"
    assert await reasons(post, person) == [kept]
    [row] = await post.context.database.rows("SELECT recipient, about FROM mail")
    assert row["recipient"] == OPERATORS
    assert "machines" not in row["about"]
    [message] = await arrived(post)
    assert (message["To"], message["Subject"]) == (OPERATORS, "An application was reported")
    text, page_of_mail = parts_of(message)
    assert len(parts_of(message)) == 2
    for part in (text, page_of_mail):
        assert "evil.example" not in part
        for told in ("Sitewise Rentals Ltd", person.member.name, person.member.email, person.client_id):
            assert told in part
    assert "> It reads machines we never shared." in text
    assert "&lt;b&gt;now&lt;/b&gt;" in page_of_mail
    assert str(person.member.customer_id) in text


REFUSED = {
    "nothing": (" \r\n ", "Say what is wrong"),
    "too long": ("W" * (LONGEST_REPORT + 1), "Use at most 1,000 characters."),
    "a control character": ("It is\x07 bad", "it holds a control character"),
    "another direction": ("It is \u202egood", "it holds a control character"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_reason_that_is_none_is_refused_at_its_field_and_kept(
    post: Post, person: World, visitor: Browser, case: str
) -> None:
    reason, told = REFUSED[case]
    answer = await report(visitor, person, reason)
    assert answer.status_code == 422
    [alert] = found(answer, "//*[@role='alert']")
    assert told in "".join(alert.itertext())
    [box] = found(answer, "//textarea[@name='reason']")
    assert box.get("aria-invalid") == "true"
    if case == "too long":
        assert box.text.strip() == reason
    assert await reasons(post, person) == []
    assert await post.mails() == ()


async def test_reports_of_a_day_are_bounded_for_each_account_alone(
    post: Post, person: World, visitor: Browser
) -> None:
    """R-63: one account's flood reaches the operators five times, and holds up nobody else's report."""
    for number in range(MOST_REPORTS):
        assert (await report(visitor, person, f"No. {number}")).status_code == 303
    refused = await report(visitor, person, "one more")
    assert refused.status_code == 429
    assert "Your account sent 5 reports within a day" in words_of(refused)
    assert "one more" in words_of(refused)
    assert await reasons(post, person) == [f"No. {number}" for number in range(MOST_REPORTS)]
    assert len(await post.mails()) == MOST_REPORTS
    others = [await World.make(post.context) for _ in range(2)]
    async with AsyncExitStack() as stack:
        for other in others:
            policy = replace(post.context.policy, support_email=OPERATORS)
            browser = await stack.enter_async_context(Browser(app_of(post, policy=policy)))
            await other.token(browser)
            for _ in range(MOST_REPORTS):
                assert (await report(browser, other, "theirs")).status_code == 303
    assert len([mail for mail in await post.mails() if mail.recipient == OPERATORS]) == 3 * MOST_REPORTS


async def test_without_an_address_the_page_says_what_to_do_instead(post: Post, person: World) -> None:
    async with Browser(app_of(post)) as browser:
        await person.token(browser)
        page = await browser.get(page_of(person))
        assert "Disconnect it above, and tell your RoviTracker contact." in words_of(page)
        assert not found(page, "//form[contains(@action, '/report')]")


async def test_address_that_was_taken_away_meanwhile_is_said_and_nothing_is_kept(
    post: Post, person: World, visitor: Browser
) -> None:
    page = await visitor.get(page_of(person))
    visitor.http._transport.app.state.context = post.context  # type: ignore[attr-defined]
    refused = await visitor.submit(page, {"reason": "It is bad."}, action="/report")
    assert refused.status_code == 409
    assert await reasons(post, person) == []


async def test_viewer_may_report_too(post: Post, person: World, visitor: Browser) -> None:
    viewer = await join(person, "viewer")
    async with Browser(visitor.http._transport.app) as theirs:  # type: ignore[attr-defined]
        await theirs.sign_in(await theirs.get("/app/login"), viewer.email, PASSWORD)
        assert (await report(theirs, person, "It is bad.")).status_code == 303
    about = [each for each in await arrived(post) if each["To"] == OPERATORS]
    assert viewer.email in parts_of(about[0])[0]


Forge = Callable[[Browser, dict[str, str], str], Awaitable[httpx2.Response]]


async def _cross(visitor: Browser, fields: dict[str, str], address: str) -> httpx2.Response:
    return await visitor.http.post(address, data=fields, headers={"Sec-Fetch-Site": "cross-site"})


async def _bare(visitor: Browser, fields: dict[str, str], address: str) -> httpx2.Response:
    return await visitor.http.post(address, data={"reason": fields["reason"]})


async def _other_application(visitor: Browser, fields: dict[str, str], _address: str) -> httpx2.Response:
    other = "/app/account/applications/0192f0c1-7b1e-7c3a-9d7e-0c6f5a4b3c2d/report"
    return await visitor.http.post(other, data=fields)


@pytest.mark.parametrize(("forge", "status"), [(_cross, 403), (_bare, 400), (_other_application, 400)])
async def test_forged_report_is_not_sent(
    post: Post, person: World, visitor: Browser, forge: Forge, status: int
) -> None:
    """R-43"""
    form = form_of(await visitor.get(page_of(person)), "/report")
    answer = await forge(visitor, {**form.held, "reason": "forged"}, form.action)
    assert answer.status_code == status
    assert await post.mails() == ()


async def test_application_that_was_disconnected_meanwhile_is_not_reported(
    post: Post, person: World, visitor: Browser
) -> None:
    page = await visitor.get(page_of(person))
    await visitor.submit(page, {}, action="/disconnect")
    assert (await visitor.submit(page, {"reason": "late"}, action="/report")).status_code == 404
    assert await reasons(post, person) == []

"""A forgotten password: one answer to everybody, a link that works once, and nothing in a dump that opens anything."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx2
import pytest
from fastapi import FastAPI

from app.flows.account.change_customer import disable_customer, set_password
from app.main import create_app
from app.oauth.actor import COMMAND_LINE
from app.throttling.mails import MailLimits
from tests.mail.conftest import Post
from tests.mail.sink import arrived
from tests.support.browser import ORIGIN, Browser
from tests.support.people import PASSWORD, World, session_of
from tests.support.stores import context_through_proxy
from tests.web.reading import words_of

FORGOTTEN, NEW = "/app/password/forgotten", "/app/password/new"
SECURITY = "/app/account/security"
BETTER = "another battery horse"


def app_of(post: Post, **changes: object) -> FastAPI:
    app = create_app(post.settings)
    app.state.context = replace(post.context, **changes)  # type: ignore[arg-type]  # each test names one field
    app.state.demo = None
    return app


@pytest.fixture
async def visitor(post: Post) -> AsyncIterator[Browser]:
    async with Browser(app_of(post)) as browser:
        yield browser


async def ask(visitor: Browser, email: str) -> httpx2.Response:
    return await visitor.submit(await visitor.get(FORGOTTEN), {"email": email}, action=FORGOTTEN)


async def mailed(post: Post) -> list[str]:
    """The links of the mails that wait, as they arrive."""
    texts = [message.get_body(("plain",)).get_content() for message in await arrived(post)]  # type: ignore[union-attr]
    return [link for text in texts for link in re.findall(rf"{ORIGIN}{NEW}\S*", text)]


async def link_for(post: Post, visitor: Browser, person: World) -> str:
    await ask(visitor, person.member.email)
    [link] = await mailed(post)
    return link


async def choose(visitor: Browser, link: str, password: str = BETTER, **fields: str) -> httpx2.Response:
    return await visitor.submit(await visitor.get(link), {"password": password, **fields}, action=NEW)


async def signs_in(person: World, password: str) -> bool:
    return bool(await session_of(person.context, email=person.member.email, password=password))


async def test_mailed_link_sets_a_new_password(post: Post, visitor: Browser, person: World) -> None:
    """R-56: and ends the sessions that the old one opened."""
    page = await visitor.sign_in(await visitor.get("/app/login"), person.member.email, PASSWORD)
    assert page.status_code == 200
    link = await link_for(post, visitor, person)
    done = await choose(visitor, link)
    assert done.status_code == 200
    assert "Your new password is set" in words_of(done)
    assert "Use your RoviTracker customer account" in words_of(await visitor.get("/app/account/machines"))
    assert await signs_in(person, BETTER)
    assert not await signs_in(person, PASSWORD)


async def test_new_password_is_told_by_mail(post: Post, visitor: Browser, person: World) -> None:
    await choose(visitor, await link_for(post, visitor, person))
    assert [mail.template for mail in await post.mails()] == ["password_forgotten", "password_changed"]
    assert [message["Subject"] for message in await arrived(post)] == ["Your password was changed"]


@pytest.mark.parametrize("cut", [True, False])
async def test_reset_offers_to_cut_applications(
    *, cut: bool, post: Post, visitor: Browser, person: World
) -> None:
    token = await person.token(visitor)
    await choose(visitor, await link_for(post, visitor, person), **({"cut": "yes"} if cut else {}))
    assert (await person.introspect(visitor, token))["active"] is not cut


async def test_known_and_unknown_address_are_answered_alike(
    post: Post, visitor: Browser, person: World
) -> None:
    """R-54: in the same words; what differs is found out when the mail is sent."""
    answers = {}
    for email in (person.member.email, "nobody.at.all@hillside.example"):
        answer = await ask(visitor, email)
        answers[email] = (answer.status_code, words_of(answer).replace(email, "..."))
    known, unknown = answers.values()
    assert known == unknown
    assert known[0] == 200
    assert len(await post.mails()) == 2
    assert len(await mailed(post)) == 1
    assert await post.states() == ["sent"], "a mail to nobody is dropped, and leaves no address behind"


async def test_known_and_unknown_address_cost_the_same_statements(post: Post, person: World) -> None:
    """R-54: so that time tells no more than the answer does."""
    async with (
        context_through_proxy(post.context, post.database_url, connections=1) as (context, proxy),
        Browser(app_of(post, database=context.database)) as visitor,
    ):
        await ask(visitor, "warm@hillside.example")
        costs = []
        for email in (person.member.email, "nobody.at.all@hillside.example"):
            before = proxy.statements_asked()
            await ask(visitor, email)
            costs.append(proxy.statements_asked() - before)
    assert costs[0] == costs[1] > 3


async def test_no_link_goes_to_a_disabled_account(post: Post, visitor: Browser, person: World) -> None:
    await disable_customer(person.context, COMMAND_LINE, person.member.email)
    await ask(visitor, person.member.email)
    assert await mailed(post) == []


async def test_opening_the_link_changes_nothing(post: Post, visitor: Browser, person: World) -> None:
    """A scanner of mails opens it any number of times, from anywhere."""
    link = await link_for(post, visitor, person)
    async with Browser(app_of(post), address="198.51.100.9") as scanner:
        for _ in range(3):
            assert (await scanner.get(link)).status_code == 200
    assert (await choose(visitor, link)).status_code == 200


async def test_link_works_once_and_takes_its_siblings_along(
    post: Post, visitor: Browser, person: World
) -> None:
    first = await link_for(post, visitor, person)
    second = await link_for(post, visitor, person)
    page = await visitor.get(first)
    assert (await choose(visitor, second)).status_code == 200
    late = await visitor.submit(page, {"password": "a third one, too late"}, action=NEW)
    for answer in (late, await visitor.get(first), await visitor.get(second)):
        assert answer.status_code == 410
        assert "This link was used already" in words_of(answer)
        assert (await visitor.get(FORGOTTEN)).status_code == 200
        assert f'href="{FORGOTTEN}"' in answer.text
    assert await signs_in(person, BETTER)


async def test_password_set_by_an_operator_ends_links_that_wait(
    post: Post, visitor: Browser, person: World
) -> None:
    link = await link_for(post, visitor, person)
    await set_password(person.context, COMMAND_LINE, person.member.email, BETTER, cut_applications=False)
    assert (await visitor.get(link)).status_code == 410


async def test_password_changed_on_the_page_is_told_and_ends_links_that_wait(
    post: Post, visitor: Browser, person: World
) -> None:
    """R-56"""
    link = await link_for(post, visitor, person)
    await visitor.sign_in(await visitor.get(SECURITY), person.member.email, PASSWORD)
    fields = {"password": PASSWORD, "new_password": BETTER}
    done = await visitor.submit(await visitor.get(SECURITY), fields, action=f"{SECURITY}/password")
    assert done.status_code in (200, 303), done.text
    [message] = await arrived(post)
    assert (message["To"], message["Subject"]) == (person.member.email, "Your password was changed")
    assert (await visitor.get(link)).status_code == 410


async def test_link_ends_after_an_hour(post: Post, visitor: Browser, person: World) -> None:
    link = await link_for(post, visitor, person)
    page = await visitor.get(link)
    await post.pass_time("61 minutes")
    for answer in (await visitor.get(link), await visitor.submit(page, {"password": BETTER}, action=NEW)):
        assert answer.status_code == 410
        assert "This link came too late" in words_of(answer)
    assert await signs_in(person, PASSWORD)


@pytest.mark.parametrize(
    "query", ["", "?link=", "?link=x", "?link=" + "A" * 43, "?link=" + "A" * 4000, "?link=a&link=b"]
)
async def test_made_up_link_is_explained(visitor: Browser, query: str) -> None:
    answer = await visitor.get(NEW + query)
    assert answer.status_code == 404
    assert "This link does not work" in words_of(answer)
    posted = await visitor.http.post(NEW, data={"link": query.removeprefix("?link="), "password": BETTER})
    assert posted.status_code == 404


@pytest.mark.parametrize("password", ["short", "", "x" * 1001])
async def test_refused_password_leaves_the_link_as_it_was(
    post: Post, visitor: Browser, person: World, password: str
) -> None:
    link = await link_for(post, visitor, person)
    refused = await choose(visitor, link, password, cut="yes")
    assert refused.status_code == 422
    assert "Password: 10 to 1000 characters." in words_of(refused)
    assert "checked" in refused.text
    assert (await visitor.submit(refused, {"password": BETTER}, action=NEW)).status_code == 200


@pytest.mark.parametrize(
    "email", ["", "ann", "ann@hillside.example\r\nBcc: eve@x.example", "a" * 300 + "@x.example"]
)
async def test_what_is_no_address_is_said_at_the_field(post: Post, visitor: Browser, email: str) -> None:
    """R-61."""
    answer = await ask(visitor, email)
    assert answer.status_code == 422
    assert "E-mail address:" in words_of(answer)
    assert await post.mails() == ()


async def test_limit_of_mails_is_answered_like_everything_else(post: Post, person: World) -> None:
    few = replace(post.context.policy, mail_limits=MailLimits(1, 1_000, 1_000))
    async with Browser(app_of(post, policy=few)) as visitor:
        first, second = [await ask(visitor, person.member.email) for _ in range(2)]
    assert (first.status_code, words_of(first)) == (second.status_code, words_of(second))
    assert len(await post.mails()) == 1


async def test_link_never_follows_the_host_of_a_request(post: Post, visitor: Browser, person: World) -> None:
    """R-63."""
    await visitor.http.post(
        FORGOTTEN,
        data={"email": person.member.email},
        headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"},
    )
    [link] = await mailed(post)
    assert link.startswith(f"{ORIGIN}{NEW}?link=")


async def test_other_sites_post_neither_form(post: Post, visitor: Browser, person: World) -> None:
    """R-43."""
    for path in (FORGOTTEN, NEW):
        answer = await visitor.http.post(
            path, data={"email": person.member.email}, headers={"Sec-Fetch-Site": "cross-site"}
        )
        assert answer.status_code == 403
    assert await post.mails() == ()


async def test_stolen_dump_holds_no_link(post: Post, visitor: Browser, person: World) -> None:
    """R-24: neither before the mail is sent nor afterwards."""
    link = await link_for(post, visitor, person)
    secret = link.partition("?link=")[2]
    assert len(secret) == 43
    for table in ("mail", "mail_link", "mail_quota", "audit_event"):
        rows = await post.owner.fetch(f"SELECT t::text AS row FROM {table} t")
        dump = "\n".join(row["row"] for row in rows)
        assert secret[:16] not in dump
        assert secret[:16].encode().hex() not in dump


async def test_new_browser_is_told_and_the_first_and_a_known_one_are_not(post: Post, person: World) -> None:
    for _ in range(2):
        async with Browser(app_of(post), address="198.51.100.9") as browser:
            for _ in range(2):
                await browser.sign_in(await browser.get("/app/login"), person.member.email, PASSWORD)
    [mail] = await post.mails()
    assert (mail.template, mail.recipient) == ("new_browser", person.member.email)
    [message] = await arrived(post)
    text = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "198.51.100.9" in text
    assert f"{ORIGIN}{FORGOTTEN}" in text
    assert person.member.name in text

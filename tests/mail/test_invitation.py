"""An invitation from the page of an owner to the first page of the invited person, through a real mail server."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from email.message import EmailMessage
from uuid import UUID

import httpx2
import pytest

from app.flows.account.change_customer import disable_customer
from app.flows.account.change_member import change_role, leave_account, list_members, remove_member
from app.flows.account.invite import invite, list_invitations, withdraw_invitation
from app.oauth.actor import COMMAND_LINE
from app.oauth.member_role import MemberRole
from tests.mail.conftest import Post
from tests.mail.sink import arrived
from tests.mail.test_password import app_of
from tests.support.browser import ORIGIN, Browser
from tests.support.people import PASSWORD, World, join
from tests.support.stores import context_through_proxy
from tests.web.reading import attributes_of, found, words_of

PEOPLE, ACCOUNT = "/app/account/people", "/app/account"
NEW = "bo@elsewhere.example"
HOSTILE = "<b>evil</b> http://evil.example/win www.evil.example a@evil.example"


@pytest.fixture(autouse=True)
async def _nobody_has_the_address(post: Post) -> None:
    """The tests share a database, and each invites somebody new."""
    await post.owner.execute(
        "UPDATE person SET email = 'former.' || id || '@x.example' WHERE email = $1", NEW
    )


@pytest.fixture
async def visitor(post: Post) -> AsyncIterator[Browser]:
    """The invited person's browser."""
    async with Browser(app_of(post), address="198.51.100.9") as browser:
        yield browser


@pytest.fixture
async def owner(post: Post, person: World) -> AsyncIterator[Browser]:
    async with Browser(app_of(post)) as browser:
        await browser.sign_in(await browser.get(PEOPLE), person.member.email, PASSWORD)
        yield browser


def text_of(message: EmailMessage, kind: str = "plain") -> str:
    body = message.get_body((kind,))
    assert body is not None
    return str(body.get_content())


async def invited(
    post: Post, person: World, email: str = NEW, role: MemberRole = "connector"
) -> tuple[UUID, str]:
    """The invitation, and the path of its mailed link."""
    made = await invite(
        person.context, person.member.actor, person.member.customer_id, email=email, role=role
    )
    [message] = [each for each in await arrived(post) if each["To"] == email]
    return made.id, link_in(message)


def link_in(message: EmailMessage) -> str:
    [link] = set(re.findall(rf"{ORIGIN}(/app/invitation/\S*)", text_of(message)))
    return str(link)


async def accept(visitor: Browser, link: str, **fields: str) -> httpx2.Response:
    given = {"name": "Bo Berg", "password": PASSWORD, **fields}
    return await visitor.submit(await visitor.get(link), given, action="/app/invitation/")


async def roles(world: World) -> dict[str, MemberRole]:
    listed = await list_members(world.context, world.member.customer_id)
    return {each.email: each.role for each in listed}


# From the owner's page to the first page of somebody new


async def test_somebody_new_comes_in_by_the_mailed_link(
    post: Post, owner: Browser, visitor: Browser, person: World
) -> None:
    """R-63: the link leads to our own address, and the mail names who invites to what."""
    await owner.http.post("/", headers={"Host": "evil.example"})
    await owner.submit(await owner.get(PEOPLE), {"email": NEW, "role": "connector"}, action="/invite")
    [message] = await arrived(post)
    assert (message["To"], message["Subject"]) == (NEW, "You are invited to RoviTracker")
    assert message["Auto-Submitted"] == "auto-generated"
    for kind in ("plain", "html"):
        words = " ".join(text_of(message, kind).split())
        assert person.member.name in words
        assert "connect and disconnect applications" in words
        assert "owner of that account named this address" in words
    assert "Mail Sent on" in words_of(await owner.get(PEOPLE))
    link = link_in(message)
    page = await visitor.get(link)
    assert f"Join {person.member.customer_name} on RoviTracker" in words_of(page)
    assert found(page, "//input[@type='email']/@value") == [NEW]
    assert found(page, "//meta[@name='referrer']/@content") == ["no-referrer"]
    first = await visitor.follow(await accept(visitor, link))
    words = words_of(first)
    assert "You belong to this account now. Your role is connector." in words
    assert await roles(person) == {person.member.email: "owner", NEW: "connector"}
    [told] = await arrived(post)
    assert (told["To"], told["Subject"]) == (person.member.email, "Somebody joined your account")
    assert NEW in text_of(told)
    assert "Invitations that wait" not in words_of(await owner.get(PEOPLE))


async def test_a_browser_that_accepted_is_known_at_the_next_sign_in(
    post: Post, visitor: Browser, person: World
) -> None:
    _, link = await invited(post, person)
    await visitor.follow(await accept(visitor, link))
    await arrived(post)
    await visitor.submit(await visitor.get(ACCOUNT), {}, action="/app/logout")
    await visitor.sign_in(await visitor.get("/app/login"), NEW, PASSWORD)
    assert await arrived(post) == [], "no notice of a new browser"


async def test_opening_the_link_changes_nothing(post: Post, visitor: Browser, person: World) -> None:
    """A scanner of mails opens it any number of times."""
    _, link = await invited(post, person)
    async with Browser(app_of(post), address="203.0.113.8") as scanner:
        for _ in range(3):
            assert (await scanner.get(link)).status_code == 200
            assert (await scanner.get(f"{link}?sign-in")).status_code == 200
    assert NEW not in await roles(person)
    assert (await accept(visitor, link)).status_code == 303


NOT_ACCEPTED = (
    ({"name": ""}, "Name: 1 to 120 printable characters."),
    ({"name": "x" * 121}, "Name: 1 to 120 printable characters."),
    ({"name": "Bo\nBerg"}, "Name: 1 to 120 printable characters."),
    ({"password": "short"}, "Password: 10 to 1000 characters."),
    ({"password": "x" * 1001}, "Password: 10 to 1000 characters."),
    ({"password": "passw0rd2026"}, "Password: too easy to guess"),
    ({"password": "Hillside2026!"}, "Password: too easy to guess"),
    ({"password": "bo@elsewhere.example"}, "Password: too easy to guess"),
)


async def test_what_is_not_accepted_is_told_at_its_field(post: Post, visitor: Browser, person: World) -> None:
    """The link and the name stay."""
    _, link = await invited(post, person)
    for fields, said in NOT_ACCEPTED:
        page = await accept(visitor, link, **fields)
        assert page.status_code == 422
        [marked] = found(page, "//input[@aria-invalid]/@name")
        assert [marked] == list(fields)
        assert said in words_of(page)
        assert PASSWORD not in page.text
        if "name" not in fields:
            assert found(page, "//input[@name='name']/@value") == ["Bo Berg"]
    assert NEW not in await roles(person)
    assert (await accept(visitor, link)).status_code == 303


# Who is there already


async def test_a_person_without_account_signs_in_and_confirms(
    post: Post, visitor: Browser, person: World
) -> None:
    bo = await join(person, "viewer", email=NEW)
    await leave_account(person.context, bo.actor, bo)
    await arrived(post)
    _, link = await invited(post, person)
    page = await visitor.get(link)
    assert "Somebody signs in with this address already" in words_of(page)
    assert 'name="name"' not in page.text
    forced = await visitor.http.post(link, data={"name": "Eve", "password": PASSWORD})
    assert forced.status_code == 409
    assert NEW not in await roles(person)
    [sign_in] = [each for each in attributes_of(page, "a", "href") if each.startswith(link)]
    login = await visitor.get(sign_in)
    assert found(login, "//input[@name='email']/@value") == [NEW]
    back = await visitor.sign_in(login, NEW, PASSWORD)
    assert str(back.url).endswith(link)
    assert NEW not in await roles(person), "signing in accepts nothing yet"
    done = await visitor.follow(await visitor.submit(back, {}, action="/app/invitation/"))
    assert "Your role is connector." in words_of(done)


async def test_a_person_of_another_account_is_told_and_nothing_happens(
    post: Post, visitor: Browser, person: World
) -> None:
    other = (await World.make(post.context)).member
    _, link = await invited(post, person, other.email)
    await visitor.sign_in(await visitor.get("/app/login"), other.email, PASSWORD)
    page = await visitor.get(link)
    words = words_of(page)
    assert f"You belong to the account {other.customer_name}" in words.replace(" .", ".")
    assert "/app/invitation/" not in "".join(attributes_of(page, "form", "action"))
    assert ACCOUNT in attributes_of(page, "a", "href")
    assert other.email not in await roles(person)


async def test_a_form_that_was_open_before_joining_elsewhere_joins_nothing(
    post: Post, visitor: Browser, person: World
) -> None:
    bo = await join(person, "viewer", email=NEW)
    await leave_account(person.context, bo.actor, bo)
    await arrived(post)
    other = await World.make(post.context)
    _, first = await invited(post, person)
    _, second = await invited(post, other)
    await visitor.sign_in(await visitor.get("/app/login"), NEW, PASSWORD)
    page = await visitor.get(first)
    await visitor.submit(await visitor.get(second), {}, action="/app/invitation/")
    refused = await visitor.submit(page, {}, action="/app/invitation/")
    assert refused.status_code == 409
    assert "You belong to a customer account already." in words_of(refused)
    assert NEW not in await roles(person)


async def test_whoever_is_signed_in_as_somebody_else_can_switch(
    post: Post, visitor: Browser, person: World
) -> None:
    other = (await World.make(post.context)).member
    _, link = await invited(post, person)
    await visitor.sign_in(await visitor.get("/app/login"), other.email, PASSWORD)
    page = await visitor.get(link)
    assert f"You are signed in as {other.email}" in words_of(page)
    posted = await visitor.http.post(link, data={"name": "Eve", "password": PASSWORD})
    assert posted.status_code == 409
    assert NEW not in await roles(person)
    switched = await visitor.follow(await visitor.submit(page, {}, action="/app/logout"))
    assert str(switched.url).endswith(link)
    assert found(switched, "//input[@name='name']")


async def test_an_owner_who_opens_the_link_of_another_sees_whose_it_is(
    post: Post, owner: Browser, person: World
) -> None:
    _, link = await invited(post, person)
    assert f"this invitation went to {NEW}" in words_of(await owner.get(link))


# Links that open nothing


async def spent(visitor: Browser, link: str, title: str, status: int = 410) -> None:
    """A page that says what happened and leads on, for reading and for posting."""
    for page in (
        await visitor.get(link),
        await visitor.get(f"{link}?sign-in"),
        await visitor.http.post(link, data={"name": "Eve", "password": PASSWORD}),
    ):
        assert page.status_code == status
        assert title in words_of(page)
        [onward] = found(page, "//main//a/@href")
        assert (await visitor.get(onward)).status_code == 200


async def test_a_link_that_was_used_says_so(post: Post, visitor: Browser, person: World) -> None:
    _, link = await invited(post, person)
    await accept(visitor, link)
    async with Browser(app_of(post)) as stranger:
        await spent(stranger, link, "This invitation was accepted already")


async def test_a_link_that_was_withdrawn_says_so(post: Post, visitor: Browser, person: World) -> None:
    invitation_id, link = await invited(post, person)
    page = await visitor.get(link)
    await withdraw_invitation(person.context, person.member.actor, person.member.customer_id, invitation_id)
    late = await visitor.submit(page, {"name": "Bo", "password": PASSWORD}, action="/app/invitation/")
    assert late.status_code == 410
    await spent(visitor, link, "This invitation was withdrawn")


async def test_a_link_that_came_too_late_says_so_and_may_be_sent_again(
    post: Post, owner: Browser, visitor: Browser, person: World
) -> None:
    _, link = await invited(post, person)
    await post.owner.execute("UPDATE invitation SET expires_at = clock_timestamp() - interval '1 second'")
    await spent(visitor, link, "This invitation no longer works")
    page = await owner.get(PEOPLE)
    assert "Expired" in words_of(page)
    await owner.submit(page, {}, action="/resend")
    [message] = await arrived(post)
    again = link_in(message)
    assert again != link
    for each in (link, again):
        assert (await visitor.get(each)).status_code == 200, "one invitation, however often it was mailed"
    assert (await accept(visitor, again)).status_code == 303
    async with Browser(app_of(post)) as stranger:
        await spent(stranger, link, "This invitation was accepted already")


async def test_a_link_to_a_disabled_account_opens_nothing(
    post: Post, visitor: Browser, person: World
) -> None:
    _, link = await invited(post, person)
    await disable_customer(person.context, COMMAND_LINE, person.member.email)
    await spent(visitor, link, "This invitation no longer works")


@pytest.mark.parametrize("secret", ["x", "A" * 43, "A" * 4000, "%00", "a%2Fb"])
async def test_a_made_up_link_is_explained(visitor: Browser, secret: str) -> None:
    page = await visitor.get(f"/app/invitation/{secret}")
    assert page.status_code == 404
    posted = await visitor.http.post(f"/app/invitation/{secret}", data={"name": "Eve"})
    assert posted.status_code == 404


async def test_a_link_for_a_password_opens_no_invitation(post: Post, visitor: Browser, person: World) -> None:
    await visitor.submit(
        await visitor.get("/app/password/forgotten"), {"email": person.member.email}, action="/forgotten"
    )
    [message] = await arrived(post)
    [secret] = set(re.findall(r"link=(\S+)", text_of(message)))
    assert (await visitor.get(f"/app/invitation/{secret}")).status_code == 404
    _, link = await invited(post, person)
    other_way = link.replace("/app/invitation/", "/app/password/new?link=")
    assert (await visitor.get(other_way)).status_code == 404


async def test_other_sites_post_no_acceptance(post: Post, visitor: Browser, person: World) -> None:
    """R-43."""
    _, link = await invited(post, person)
    fields = {"name": "Eve", "password": PASSWORD}
    answer = await visitor.http.post(link, data=fields, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert NEW not in await roles(person)


async def test_two_browsers_accept_at_once_and_one_comes_in(post: Post, person: World) -> None:
    _, link = await invited(post, person)
    async with _browsers(post, 3) as browsers:
        pages = [await each.get(link) for each in browsers]
        answers = await asyncio.gather(
            *(
                each.submit(page, {"name": "Bo", "password": PASSWORD}, action="/app/invitation/")
                for each, page in zip(browsers, pages, strict=True)
            )
        )
    assert {each.status_code for each in answers} <= {303, 409, 410}
    assert [each.status_code for each in answers].count(303) == 1
    assert (await roles(person))[NEW] == "connector"


@asynccontextmanager
async def _browsers(post: Post, count: int) -> AsyncIterator[list[Browser]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(Browser(app_of(post))) for _ in range(count)]


# What is mailed, and where it goes


async def test_known_and_unknown_addresses_get_the_same_mail(post: Post, person: World) -> None:
    """R-54"""
    known = (await World.make(post.context)).member.email
    texts = []
    for email in (known, NEW):
        await invite(
            person.context, person.member.actor, person.member.customer_id, email=email, role="viewer"
        )
        [message] = await arrived(post)
        texts.append(re.sub(r"/app/invitation/\S+", "", text_of(message)))
    assert texts[0] == texts[1]


async def test_known_and_unknown_addresses_cost_the_same_statements(post: Post, person: World) -> None:
    """R-54: so that time tells no more than the answer does."""
    known = (await World.make(post.context)).member.email
    async with context_through_proxy(post.context, post.database_url, connections=1) as (context, proxy):
        costs = []
        for email in ("warm@elsewhere.example", known, NEW):
            before = proxy.statements_asked()
            await invite(context, person.member.actor, person.member.customer_id, email=email, role="viewer")
            costs.append(proxy.statements_asked() - before)
    assert costs[1] == costs[2] > 3


async def test_a_withdrawn_invitation_whose_mail_waited_is_not_sent(post: Post, person: World) -> None:
    account, actor = person.member.customer_id, person.member.actor
    made = await invite(person.context, actor, account, email=NEW, role="viewer")
    await withdraw_invitation(person.context, actor, account, made.id)
    assert await arrived(post) == []


async def test_hostile_names_make_no_link_and_no_header(post: Post, visitor: Browser) -> None:
    """R-61, R-79: whoever invites a stranger chose two names that the stranger reads."""
    world = await World.make(post.context)
    await post.owner.execute("UPDATE person SET name = $1 WHERE id = $2", HOSTILE, world.member.id)
    await post.owner.execute("UPDATE customer SET name = $1 WHERE id = $2", HOSTILE, world.member.customer_id)
    made = await invite(world.context, world.member.actor, world.member.customer_id, email=NEW, role="viewer")
    [message] = await arrived(post)
    assert "evil" not in str(message["Subject"]) + str(message["From"]) + str(message["To"])
    for kind in ("plain", "html"):
        words = text_of(message, kind)
        for linked in ("http://evil", "www.evil", "evil.example", "a@evil"):
            assert linked not in words
        assert "evil" in words, "the name is there to be read"
    assert "<b>evil" not in text_of(message, "html")
    page = await visitor.get(link_in(message))
    assert found(page, "//b") == []
    assert HOSTILE in [each.text for each in found(page, "//bdi")]
    assert made.email == NEW


async def test_a_new_role_and_a_removal_are_told_by_mail(post: Post, person: World) -> None:
    account = person.member.customer_id
    bo = await join(person, "viewer", email=NEW)
    await arrived(post)
    await change_role(person.context, person.member.actor, account, bo.id, "owner", before="viewer")
    [changed] = await arrived(post)
    assert (changed["To"], changed["Subject"]) == (NEW, "Your role was changed")
    assert "You are now owner." in text_of(changed)
    await remove_member(person.context, person.member.actor, account, bo.id, before="owner")
    [removed] = await arrived(post)
    assert (removed["To"], removed["Subject"]) == (NEW, "You were removed from an account")
    assert person.member.customer_name in text_of(removed)


async def test_of_two_changes_that_wait_only_the_role_in_force_is_told(post: Post, person: World) -> None:
    account, actor = person.member.customer_id, person.member.actor
    bo = await join(person, "viewer", email=NEW)
    await arrived(post)
    await change_role(person.context, actor, account, bo.id, "owner", before="viewer")
    await change_role(person.context, actor, account, bo.id, "connector", before="owner")
    messages = await arrived(post)
    assert ["You are now connector." in text_of(each) for each in messages] == [True, True]


async def test_stolen_dump_holds_no_link(post: Post, person: World) -> None:
    """R-24"""
    _, link = await invited(post, person)
    secret = link.rpartition("/")[2]
    assert len(secret) == 43
    for table in ("mail", "mail_link", "invitation", "audit_event"):
        rows = await post.owner.fetch(f"SELECT t::text AS row FROM {table} t")
        dump = "\n".join(row["row"] for row in rows)
        assert secret[:16] not in dump
        assert secret[:16].encode().hex() not in dump
    assert len(await list_invitations(person.context, person.member.customer_id)) == 1

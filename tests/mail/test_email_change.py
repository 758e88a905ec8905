"""A change of address: both addresses confirm it, the old one can stop it, and links that came too late say so."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import httpx2
import orjson
import pytest

from app.flows.account.change_email import confirm_new_email, set_email, stop_new_email
from app.oauth.actor import COMMAND_LINE
from app.oauth.token_string import new_id
from app.process.passwords import NOBODY
from app.refused import RefusedError
from app.storage.people.people import Person, insert_person, select_person
from app.storage.schema.maintenance import call_delete_past_rows
from tests.mail.conftest import Post
from tests.mail.sink import arrived
from tests.mail.test_password import app_of
from tests.support.browser import ORIGIN, Browser
from tests.support.changing import until_true, waits_for_another
from tests.support.people import PASSWORD, World, session_of
from tests.web.reading import attributes_of, found, words_of

PROFILE, EMAIL, NAME = "/app/account/profile", "/app/account/profile/email", "/app/account/profile/name"
LINK = "/app/email"


@pytest.fixture
async def visitor(post: Post, person: World) -> AsyncIterator[Browser]:
    async with Browser(app_of(post)) as browser:
        await browser.sign_in(await browser.get(PROFILE), person.member.email, PASSWORD)
        yield browser


@pytest.fixture
def new(person: World) -> str:
    return person.member.email.replace("ann.", "ann.lee.")


async def ask(visitor: Browser, new: str, password: str = PASSWORD) -> httpx2.Response:
    fields = {"email": new, "password": password}
    return await visitor.submit(await visitor.get(PROFILE), fields, action=EMAIL)


async def mailed(post: Post) -> dict[str, tuple[str, str | None]]:
    """The mails that wait, by their recipient, as they arrive: the subject, and the link."""
    mails = {}
    for message in await arrived(post):
        text = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
        links = re.findall(rf"{ORIGIN}{LINK}\?link=\S+", text)
        mails[str(message["To"])] = (str(message["Subject"]), links[0] if links else None)
    return mails


async def links_of(post: Post, visitor: Browser, person: World, new: str) -> tuple[str, str]:
    """The links at the old address and at the new one."""
    assert (await ask(visitor, new)).status_code == 303
    mails = await mailed(post)
    old_link, new_link = mails[person.member.email][1], mails[new][1]
    assert old_link
    assert new_link
    return old_link, new_link


async def press(link: str, decision: str, post: Post) -> httpx2.Response:
    """In a browser where nobody is signed in, as a mailbox opens it."""
    async with Browser(app_of(post)) as browser:
        shown = await browser.get(link)
        if shown.status_code != 200:
            return shown
        return await browser.submit(shown, {"decision": decision}, action=LINK)


async def signs_in(person: World, email: str) -> bool:
    return bool(await session_of(person.context, email=email, password=PASSWORD))


async def events(person: World) -> list[tuple[str, dict[str, Any]]]:
    rows = await person.context.database.rows(
        "SELECT event, detail FROM audit_event WHERE customer_id = $1 AND event LIKE 'person.email%' ORDER BY id",
        person.member.customer_id,
    )
    return [(row["event"], orjson.loads(row["detail"])) for row in rows]


@pytest.mark.parametrize("first", ["old", "new"])
async def test_the_address_changes_once_both_have_confirmed(
    first: str, post: Post, visitor: Browser, person: World, new: str
) -> None:
    old_link, new_link = await links_of(post, visitor, person, new)
    one, other = (old_link, new_link) if first == "old" else (new_link, old_link)
    assert "This address has confirmed the change" in words_of(await press(one, "confirm", post))
    assert await signs_in(person, person.member.email)
    assert not await signs_in(person, new)
    assert "The address was changed" in words_of(await press(other, "confirm", post))
    assert {to: subject for to, (subject, _) in (await mailed(post)).items()} == {
        person.member.email: "Your e-mail address was changed",
        new: "Your e-mail address was changed",
    }
    assert not await signs_in(person, person.member.email)
    assert await signs_in(person, new)
    happened = await events(person)
    assert [event for event, _ in happened] == [
        "person.email_change_asked",
        "person.email_change_confirmed",
        "person.email_changed",
    ]
    assert new not in repr(happened), "the trail holds ids, and no address"
    row = await person.context.database.row(
        "SELECT email_confirmed_at IS NOT NULL AS confirmed FROM person WHERE id = $1", person.member.id
    )
    assert row is not None
    assert row["confirmed"]


async def test_following_a_link_changes_nothing(
    post: Post, visitor: Browser, person: World, new: str
) -> None:
    """Scanners of mail follow every link."""
    for link in await links_of(post, visitor, person, new):
        async with Browser(app_of(post)) as scanner:
            for _ in range(2):
                assert (await scanner.get(link)).status_code == 200
    assert words_of(await visitor.get(PROFILE)).count("Not confirmed yet") == 2
    assert await signs_in(person, person.member.email)


async def test_the_old_address_stops_a_change_and_signs_everybody_out(
    post: Post, visitor: Browser, person: World, new: str
) -> None:
    """R-56: whoever asked for it had the password, and perhaps was not the person."""
    old_link, new_link = await links_of(post, visitor, person, new)
    await press(new_link, "confirm", post)
    assert "The change was stopped" in words_of(await press(old_link, "stop", post))
    assert (await press(new_link, "confirm", post)).status_code == 410
    assert await signs_in(person, person.member.email)
    assert "Use your RoviTracker customer account" in words_of(await visitor.get(PROFILE))


async def test_the_old_address_takes_a_change_back_even_after_the_next_one(
    post: Post, visitor: Browser, person: World, new: str
) -> None:
    """A thief who was in the mailbox for a moment goes on to an address that the person cannot read."""
    for link in await links_of(post, visitor, person, new):
        await press(link, "confirm", post)
    back = (await mailed(post))[person.member.email][1]
    assert back
    third = new.replace("lee.", "lee.mallory.")
    await ask(visitor, third)
    mails = await mailed(post)
    for to in (new, third):
        link = mails[to][1] or ""
        await press(link, "confirm", post)
    assert await signs_in(person, third)
    assert "The change was taken back" in words_of(await press(back, "stop", post))
    assert await signs_in(person, person.member.email)
    assert not await signs_in(person, third)
    ended = await press(mails[new][1] or "", "stop", post)
    assert "This change has ended" in words_of(ended), "the thief's own link ended with the change"


async def test_a_change_ends_after_seven_days(post: Post, visitor: Browser, person: World, new: str) -> None:
    links = await links_of(post, visitor, person, new)
    assert "waits until" in words_of(await visitor.get(PROFILE))
    await post.owner.execute("UPDATE email_change SET ends_at = ends_at - interval '7 days'")
    for link in links:
        late = await press(link, "confirm", post)
        assert late.status_code == 410
        assert "This link came too late" in words_of(late)
    assert "waits until" not in words_of(await visitor.get(PROFILE))


async def test_a_new_request_and_a_withdrawal_end_the_one_before(
    post: Post, visitor: Browser, person: World, new: str
) -> None:
    first = await links_of(post, visitor, person, new)
    second = await links_of(post, visitor, person, new.replace("lee", "li"))
    for link in first:
        assert "This change has ended" in words_of(await press(link, "confirm", post))
    done = await visitor.submit(await visitor.get(PROFILE), {}, action="/withdraw-email")
    assert "The change was withdrawn" in words_of(await visitor.follow(done))
    for link in second:
        assert (await press(link, "confirm", post)).status_code == 410


async def test_somebody_elses_address_is_answered_alike_and_gets_no_mail(
    post: Post, visitor: Browser, person: World, new: str
) -> None:
    """R-54."""
    other = await World.make(post.context)
    answers = []
    for to in (new, other.member.email):
        page = words_of(await visitor.follow(await ask(visitor, to)))
        answers.append(re.sub(r"until .*? UTC", "", page.replace(to, "...")))
    assert answers[0] == answers[1]
    assert set(await mailed(post)) == {person.member.email}, "the first change was replaced by the second"


async def test_an_address_that_was_taken_meanwhile_is_refused(
    post: Post, visitor: Browser, person: World, new: str
) -> None:
    old_link, new_link = await links_of(post, visitor, person, new)
    await press(old_link, "confirm", post)
    other = await World.make(post.context)
    await set_email(post.context, COMMAND_LINE, other.member.email, new)
    taken = await press(new_link, "confirm", post)
    assert taken.status_code == 409
    assert "This address is taken" in words_of(taken)
    assert await signs_in(person, person.member.email)


async def test_two_people_who_confirm_one_address_at_once_do_not_share_it(
    post: Post, visitor: Browser, person: World, new: str
) -> None:
    links = list(await links_of(post, visitor, person, new))
    other = await World.make(post.context)
    async with Browser(app_of(post)) as browser:
        await browser.sign_in(await browser.get(PROFILE), other.member.email, PASSWORD)
        others = await links_of(post, browser, other, new)
    for link in (links.pop(0), others[0]):
        await press(link, "confirm", post)
    answers = await asyncio.gather(*(press(link, "confirm", post) for link in (*links, others[1])))
    assert sorted(each.status_code for each in answers) == [200, 409]


async def test_both_addresses_confirm_at_once_and_the_change_is_made_once(
    post: Post, visitor: Browser, person: World, new: str
) -> None:
    links = await links_of(post, visitor, person, new)
    await asyncio.gather(*(press(link, "confirm", post) for link in links for _ in range(2)))
    assert await signs_in(person, new)
    assert [event for event, _ in await events(person)].count("person.email_changed") == 1


NOT_ACCEPTED = (
    ("", PASSWORD, "email"),
    ("no address", PASSWORD, "email"),
    ("a@b.example\r\nBcc: all@example.org", PASSWORD, "email"),
    ("x" * 300 + "@hillside.example", PASSWORD, "email"),
    ("ann.lee@hillside.example", "wrong", "password"),
)


@pytest.mark.parametrize(("email", "password", "field"), NOT_ACCEPTED)
async def test_what_is_not_accepted_is_told_at_its_field_and_nothing_is_sent(
    email: str, password: str, field: str, post: Post, visitor: Browser
) -> None:
    """R-61: a line break in an address, among others."""
    refused = await ask(visitor, email, password)
    assert refused.status_code == 422
    assert found(refused, "//input[@aria-invalid]/@name") == [field]
    if field == "password":
        assert email in attributes_of(refused, "input", "value"), "the other field is kept"
    assert await post.mails() == ()


async def test_the_present_address_is_refused(visitor: Browser, person: World) -> None:
    assert "This is your present address" in words_of(await ask(visitor, person.member.email.upper()))


async def test_changes_a_day_are_bounded_and_none_passes_the_old_address_by(
    post: Post, visitor: Browser, new: str
) -> None:
    most = post.context.policy.mail_limits.per_recipient
    answers = [await ask(visitor, new.replace("lee", f"lee{number}")) for number in range(most + 1)]
    assert [each.status_code for each in answers] == [303] * most + [422]
    assert "too many changes today" in words_of(answers[-1])
    assert len(await post.mails()) == 2 * most


async def test_a_stolen_dump_holds_no_link(post: Post, visitor: Browser, person: World, new: str) -> None:
    links = await links_of(post, visitor, person, new)
    dumped = repr(await post.owner.fetch("SELECT * FROM email_change_link"))
    for link in links:
        assert link.partition("link=")[2] not in dumped


async def test_past_changes_are_deleted_with_their_links(
    post: Post, visitor: Browser, person: World, new: str
) -> None:
    """R-108."""
    await links_of(post, visitor, person, new)
    for age, left in (("36 days", 1), ("2 days", 0)):
        await post.owner.execute(f"UPDATE email_change SET ends_at = ends_at - interval '{age}'")
        while await call_delete_past_rows(post.context.database, 1000):
            pass
        assert await post.owner.fetchval("SELECT count(*) FROM email_change") == left
        assert await post.owner.fetchval("SELECT count(*) FROM email_change_link") == 2 * left


async def test_a_lost_mailbox_is_changed_on_the_host(
    post: Post, visitor: Browser, person: World, new: str
) -> None:
    await set_email(post.context, COMMAND_LINE, person.member.email, new)
    assert await signs_in(person, new)
    assert "Use your RoviTracker customer account" in words_of(await visitor.get(PROFILE))
    assert set(await mailed(post)) == {person.member.email, new}


async def test_the_name_is_changed_and_a_bad_one_refused(visitor: Browser) -> None:
    async def name(text: str) -> httpx2.Response:
        return await visitor.submit(await visitor.get(PROFILE), {"name": text}, action=NAME)

    assert "Your name was changed" in words_of(await visitor.follow(await name("Ann <b>Lee</b>")))
    for bad in ("", "x" * 300, "Ann\u202e"):
        assert (await name(bad)).status_code == 422
    assert "Ann <b>Lee</b>" in attributes_of(await visitor.get(PROFILE), "input", "value")


@pytest.mark.parametrize("verb", ["confirm", "take back", "set"])
async def test_an_address_that_is_taken_in_the_same_moment_is_refused_by_name(
    post: Post, visitor: Browser, person: World, new: str, verb: str
) -> None:
    """The change waits for whoever is faster, and then is none."""
    context, old = post.context, person.member.email
    old_link, new_link = await links_of(post, visitor, person, new)
    await press(old_link, "confirm", post)
    secret = (new_link if verb == "confirm" else old_link).partition("link=")[2]
    if verb == "take back":
        await press(new_link, "confirm", post)
    taken = old if verb == "take back" else new
    verbs: dict[str, Callable[[], Awaitable[object]]] = {
        "confirm": partial(confirm_new_email, context, secret),
        "take back": partial(stop_new_email, context, secret),
        "set": partial(set_email, context, COMMAND_LINE, old, new),
    }
    async with context.database.transaction() as transaction:
        await insert_person(transaction, Person(new_id(), taken, "Olga"), NOBODY)
        changing = asyncio.ensure_future(verbs[verb]())
        await until_true(partial(waits_for_another, context))
    with pytest.raises(RefusedError) as refused:
        await changing
    assert refused.value.code == ("customer_conflict" if verb == "set" else "email_taken")
    holder = await select_person(context.database, taken)
    assert holder is not None
    assert holder.id != person.member.id

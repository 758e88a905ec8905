"""Owners of applications hear by mail which customers came, changed what they share, and went, as each of them chose."""

import ast
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from app.flows.account.change_application import change_application
from app.flows.account.change_customer import set_password
from app.flows.account.choose_language import choose_own_language
from app.flows.account.close import close_customer
from app.flows.account.register_application import RegisteredApplication, register_application
from app.flows.approval.connections import disconnect_all, disconnect_application
from app.flows.approval.manual_grant import ManualRequest, issue_manually
from app.flows.approval.terms import Terms, change_terms, read_terms
from app.flows.developer.own_notices import choose_notices
from app.flows.developer.own_people import remove_owner
from app.flows.developer.test_customer import give_test_customer
from app.flows.manual.answer import approve_request
from app.flows.manual.ask import ask_customer
from app.flows.manual.judge import release_request
from app.oauth.actor import COMMAND_LINE, Actor
from app.storage.people.application_changes import ApplicationChanges
from app.storage.people.application_owners import insert_application_owner, select_application_owners
from app.storage.people.notices import ApplicationNotice
from app.storage.people.people import Person
from tests.mail.conftest import Post
from tests.mail.sink import arrived
from tests.mail.test_connection_changed import text_of
from tests.mail.test_password import app_of
from tests.support.browser import Browser
from tests.support.people import MADE, PASSWORD, Strict, World
from tests.support.requests import WHY, add_owner, add_reviewer
from tests.support.reviews import new_owner, owner
from tests.support.server import ROOT
from tests.support.syntax import nodes_of

CONNECTED, CHANGED, DISCONNECTED = "customer_connected", "customer_changed", "customer_disconnected"
HILLSIDE = "\u2068Hillside Plant Hire\u2069"


async def own(world: World, name: str = "Olga Owner") -> Person:
    """Somebody who owns the world's application, which is live."""
    person = await new_owner(world.context, name)
    await insert_application_owner(world.context.database, world.registered.client.id, person.id)
    return person


async def cut(world: World, actor: Actor | None = None) -> None:
    parties = world.member.customer_id, world.registered.client.id
    await disconnect_application(world.context, actor or world.member.actor, *parties)


async def end_in(world: World, days: int) -> None:
    """Let the customer choose an end for the connection."""
    parties = world.member.customer_id, world.registered.client.id
    terms, version = await read_terms(world.context, *parties)
    ends_at = (world.context.now() + timedelta(days=days)).replace(second=0, microsecond=0)
    changed = replace(terms, ends_at=ends_at)
    await change_terms(world.context, world.member.actor, *parties, changed, version=version)


async def want(world: World, person: Person, *wanted: ApplicationNotice) -> None:
    await choose_notices(world.context, owner(person), world.registered.client.id, wanted)


async def told(post: Post, template: str) -> list[str]:
    """Who has such a mail waiting."""
    return sorted(mail.recipient for mail in await post.mails() if mail.template == template)


async def mails_to(post: Post, person: Person) -> list[EmailMessage]:
    return [message for message in await arrived(post) if message["To"] == person.email]


@pytest.fixture
async def browser(post: Post) -> AsyncIterator[Browser]:
    async with Browser(app_of(post)) as browser:
        yield browser


async def test_owners_are_told_who_came_and_went_and_where_they_choose(
    post: Post, person: World, browser: Browser
) -> None:
    """R-61, R-63. The customer's company is told, and nobody of it."""
    olga, otto = await own(person), await own(person, "Otto")
    await choose_own_language(post.context, owner(otto), otto, "es")
    await person.token(browser)
    await cut(person)
    messages = await arrived(post)
    to_olga = [each for each in messages if each["To"] == olga.email]
    to_otto = [each for each in messages if each["To"] == otto.email]
    assert [each["Subject"] for each in to_olga] == [
        "A customer was connected",
        "A customer was disconnected",
    ]
    assert [each["Subject"] for each in to_otto] == ["Se conectó un cliente", "Se desconectó un cliente"]
    connected, disconnected = map(text_of, to_olga)
    assert f"{HILLSIDE} connected your application \u2068Sitewise\u2069." in connected
    assert f"{HILLSIDE} disconnected your application \u2068Sitewise\u2069." in disconnected
    page = f"{post.context.policy.issuer}/app/developer/{person.client_id}"
    for message in to_olga:
        assert f"{page}/connections" in text_of(message)
        assert f"{page}/notices" in text_of(message)
        assert dict(message.raw_items())["List-Unsubscribe"] == f"<{page}/notices>"
        assert person.member.email not in message.as_string()


async def test_owners_are_told_that_a_customer_changed_what_is_shared(
    post: Post, person: World, browser: Browser
) -> None:
    """R-61, R-63. One who turned it off is not told, nor is anybody of a test customer's change."""
    olga, otto, oscar = [await own(person, name) for name in ("Olga Owner", "Otto", "Oscar")]
    await choose_own_language(post.context, owner(otto), otto, "es")
    await want(person, oscar, "connected", "disconnected")
    await person.token(browser)
    await arrived(post)
    await end_in(person, 90)
    assert await told(post, CHANGED) == sorted([olga.email, otto.email])
    messages = {each["To"]: each for each in await arrived(post)}
    assert set(messages) == {olga.email, otto.email, person.member.email}
    assert messages[olga.email]["Subject"] == "A customer changed what you may read"
    assert messages[otto.email]["Subject"] == "Un cliente cambió lo que usted puede leer"
    said = text_of(messages[olga.email])
    assert f"{HILLSIDE} changed what your application \u2068Sitewise\u2069 may read." in said
    page = f"{post.context.policy.issuer}/app/developer/{person.client_id}"
    assert f"{page}/connections" in said
    assert dict(messages[olga.email].raw_items())["List-Unsubscribe"] == f"<{page}/notices>"
    assert person.member.email not in messages[olga.email].as_string()


async def test_an_approval_with_other_terms_tells_of_a_change_and_one_with_the_same_tells_nothing(
    post: Post, person: World, browser: Browser
) -> None:
    olga = await own(person)
    await person.token(browser)
    await end_in(person, 90)
    await post.owner.execute("DELETE FROM mail")
    page = await person.consent_page(browser)
    await browser.submit(page, {"decision": "approve"}, action="/consent")
    assert await told(post, CHANGED) == await told(post, CONNECTED) == []
    page = await person.consent_page(browser)
    await browser.submit(page, {"decision": "approve", "ends_at": ""}, action="/consent")
    assert await told(post, CHANGED) == [olga.email]
    assert await told(post, CONNECTED) == []


async def test_only_wanted_notices_are_mailed_as_it_is_when_they_are_sent(
    post: Post, person: World, browser: Browser
) -> None:
    """Each owner chooses alone, and also for mails that wait already."""
    olga, otto = await own(person), await own(person, "Otto")
    await want(person, olga, "disconnected")
    await person.token(browser)
    assert await told(post, CONNECTED) == [otto.email]
    await cut(person)
    assert await told(post, DISCONNECTED) == sorted([olga.email, otto.email])
    await want(person, otto)
    assert {each["To"] for each in await arrived(post)} == {olga.email, person.member.email}


async def test_whoever_owns_it_no_more_is_not_told(post: Post, person: World, browser: Browser) -> None:
    olga, otto = await own(person), await own(person, "Otto")
    await person.token(browser)
    await remove_owner(post.context, owner(olga), person.registered.client.id, otto.id)
    assert not await mails_to(post, otto)
    await cut(person)
    assert await told(post, DISCONNECTED) == [olga.email]


async def test_what_stands_already_or_never_stood_is_told_nobody(
    post: Post, person: World, browser: Browser
) -> None:
    await own(person)
    await cut(person)
    await person.token(browser)
    await person.token(browser)
    await cut(person)
    await cut(person)
    assert len(await told(post, CONNECTED)) == 1
    assert len(await told(post, DISCONNECTED)) == 1


async def test_rovitracker_and_the_application_itself_are_named(
    post: Post, person: World, browser: Browser
) -> None:
    olga = await own(person)
    await person.token(browser)
    await cut(person, COMMAND_LINE)
    [_, message] = await mails_to(post, olga)
    assert f"RoviTracker disconnected your application \u2068Sitewise\u2069 from {HILLSIDE}." in text_of(
        message
    )
    strict = await Strict.register(post.context)
    otto = await own(strict, "Otto")
    async with Browser(app_of(post)) as other:
        first, second = await strict.pair(other), await strict.pair(other)
        await strict.revoke(other, first.refresh)
        assert await told(post, DISCONNECTED) == [olga.email], "another grant is left"
        await strict.revoke(other, second.access)
        assert await told(post, DISCONNECTED) == [olga.email], "its refresh token is left"
        await strict.revoke(other, second.refresh)
    [_, message] = await mails_to(post, otto)
    assert f"Your application \u2068Fuelwatch\u2069 revoked its last token for {HILLSIDE}." in text_of(
        message
    )


async def test_token_that_is_dead_already_tells_of_nothing(post: Post, browser: Browser) -> None:
    strict = await Strict.register(post.context)
    await own(strict)
    pair = await strict.pair(browser)
    await cut(strict)
    await post.owner.execute("DELETE FROM mail")
    await strict.revoke(browser, pair.refresh)
    assert await told(post, DISCONNECTED) == []


async def another(world: World, person: Person, name: str) -> RegisteredApplication:
    """Another live application of the same owner, which the customer approves."""
    registered = await register_application(
        world.context,
        COMMAND_LINE,
        name=name,
        company="Sitewise Rentals Ltd",
        redirect_uris=world.registered.client.redirect_uris,
    )
    await insert_application_owner(world.context.database, registered.client.id, person.id)
    return registered


@pytest.mark.parametrize("way", ["all at once", "password", "closed"])
async def test_many_ends_at_once_are_one_mail(post: Post, person: World, browser: Browser, way: str) -> None:
    olga, otto = await own(person), await own(person, "Otto")
    for registered in (person.registered, await another(person, olga, "Fuelwise")):
        await World(post.context, person.member, registered).token(browser)
    await arrived(post)
    match way:
        case "all at once":
            await disconnect_all(post.context, person.member.actor, person.member.customer_id)
        case "password":
            await set_password(
                post.context, COMMAND_LINE, person.member.email, f"{PASSWORD} 2", cut_applications=True
            )
        case _:
            await close_customer(post.context, person.member.actor, person.member)
    assert await told(post, DISCONNECTED) == sorted([olga.email, otto.email])
    messages = {each["To"]: each for each in await arrived(post)}
    by = "RoviTracker" if way == "password" else HILLSIDE
    assert text_of(messages[olga.email]).count(f"{by} disconnected your application") == 2
    assert text_of(messages[otto.email]).count(f"{by} disconnected your application") == 1
    assert "Fuelwise" not in text_of(messages[otto.email])


WAYS = ("consent page", "request", "by hand", "changed to")


async def come_in(world: World, way: str, browser: Browser) -> None:
    """Let the world's application in, by each way there is."""
    context, member, client = world.context, world.member, world.registered.client
    match way:
        case "consent page":
            await world.token(browser)
        case "request":
            asker = (await select_application_owners(context.database, client.id))[0]
            actor = Actor("application owner", asker.person_id)
            asked = await ask_customer(context, actor, client.id, email=member.email, reason=WHY)
            await release_request(context, await add_reviewer(context), asked, reason="Known company")
            await approve_request(context, member.actor, member, asked, Terms())
        case "by hand":
            operator = await add_reviewer(context, "admin")
            await issue_manually(
                context, operator, ManualRequest(client.client_id, member.email, "agreed on the phone")
            )
        case _:
            changes = ApplicationChanges(
                grants=client.grants | {"client_credentials"}, customer_id=member.customer_id
            )
            await change_application(context, COMMAND_LINE, client.client_id, changes)


@pytest.mark.parametrize("way", WAYS)
async def test_every_way_in_tells_both_sides_once(
    post: Post, person: World, browser: Browser, way: str
) -> None:
    """Also the yes to a request, beside the mail with the link to its token."""
    olga, otto = await own(person), await own(person, "Otto")
    await want(person, otto, "disconnected")
    await come_in(person, way, browser)
    assert await told(post, CONNECTED) == [olga.email]
    assert await told(post, "connection_changed") == [person.member.email]
    waits = sorted([olga.email, otto.email]) if way == "request" else []
    assert await told(post, "token_waits") == waits
    by_customer = way in ("consent page", "request")
    [to_owner] = [
        each for each in await mails_to(post, olga) if each["Subject"] == "A customer was connected"
    ]
    said = (
        f"{HILLSIDE} connected your application \u2068Sitewise\u2069."
        if by_customer
        else f"RoviTracker connected your application \u2068Sitewise\u2069 to {HILLSIDE}."
    )
    assert said in text_of(to_owner)
    await post.owner.execute("DELETE FROM mail")
    await come_in(person, "by hand", browser)
    assert await told(post, CONNECTED) == [], "it stands already"


async def test_application_that_is_registered_for_a_customer_is_told_to_its_owners(
    post: Post, person: World
) -> None:
    """It has no owners of its own yet, so it tells one side alone."""
    await register_application(
        post.context,
        COMMAND_LINE,
        name="Robot",
        company="Sitewise Rentals Ltd",
        grants=("client_credentials",),
        customer_id=person.member.customer_id,
    )
    assert await told(post, "connection_changed") == [person.member.email]
    [message] = await arrived(post)
    assert "RoviTracker connected the application \u2068Robot\u2069" in text_of(message)


FLOWS = ROOT / "app" / "flows"


def names_in(file: Path) -> set[str]:
    return {node.id for node in nodes_of(file) if isinstance(node, ast.Name)}


def test_whatever_connects_tells_both_sides() -> None:
    """Imports alone tell nobody: what they bring was connected before, elsewhere."""
    connecting = {
        str(file.relative_to(FLOWS)): "tell_of_beginning" in names_in(file)
        for file in FLOWS.rglob("*.py")
        if names_in(file) & {"connect", "connect_all"}
    }
    assert {name for name, tells in connecting.items() if not tells} == {
        "moving/import_applications.py",
        "moving/import_tokens.py",
    }
    assert len(connecting) > 5


def test_whatever_changes_terms_tells_both_sides() -> None:
    changing = {
        str(file.relative_to(FLOWS)): "tell_of_change" in names_in(file)
        for file in FLOWS.rglob("*.py")
        if names_in(file) & {"update_terms", "approve_terms"}
    }
    assert changing == dict.fromkeys(("approval/terms.py", "approval/decide.py", "manual/answer.py"), True)


async def test_own_test_customer_is_no_news(post: Post, person: World, browser: Browser) -> None:
    """Also with a live application: whoever connects it knows."""
    olga = await add_owner(post.context)
    await insert_application_owner(post.context.database, person.registered.client.id, olga.id)
    customer_id = await give_test_customer(post.context, owner(olga), olga)
    MADE.append(customer_id)
    tester = replace(person, member=replace(person.member, email=olga.email))
    token = await tester.token(browser)
    assert (await tester.introspect(browser, token))["active"]
    await disconnect_application(post.context, COMMAND_LINE, customer_id, person.registered.client.id)
    assert not (await tester.introspect(browser, token))["active"]
    assert await told(post, CONNECTED) == await told(post, DISCONNECTED) == []

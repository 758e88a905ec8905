"""Leaving for good: a person's names go from every table, and a closed account goes after 30 days."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx2
import pytest
from pyotp import TOTP

from app.flows.account.add_customer import CustomerError
from app.flows.account.change_customer import disable_customer, enable_customer
from app.flows.account.choose_language import choose_own_language
from app.flows.account.choose_time_zone import choose_time_zone
from app.flows.account.close import LastOwnerError, close_customer, erase_person
from app.flows.fleet.change_owner import transfer_machine
from app.flows.fleet.import_fleet import import_machines
from app.flows.mail.queue_mail import queue_mail
from app.flows.upkeep.erase_closed import erase_closed_accounts
from app.oauth.actor import COMMAND_LINE
from app.oauth.token_string import new_id
from app.simulation.fleet import simulate_fleet
from app.storage.fleet.fleet_import import ingest
from app.storage.people.members import Member, insert_member
from app.storage.people.own_data import SELECT_OWN_DATA
from app.storage.people.people import Person, insert_person, select_person_by_id
from tests.mail.conftest import Post
from tests.mail.test_password import app_of
from tests.support.browser import Browser
from tests.support.passkeys import add
from tests.support.people import PASSWORD, World, session_of
from tests.web.reading import found, words_of

PROFILE, LEAVE, CLOSE = "/app/account/profile", "/leave", "/close"


@pytest.fixture
async def visitor(post: Post, person: World) -> AsyncIterator[Browser]:
    async with Browser(app_of(post)) as browser:
        await browser.sign_in(await browser.get(PROFILE), person.member.email, PASSWORD)
        yield browser


async def colleague(person: World, name: str = "Berenike Vandersmissen") -> Member:
    """Another owner of the account."""
    member = replace(
        person.member, id=new_id(), name=name, email=f"berenike.{secrets.token_hex(6)}@hillside.example"
    )
    async with person.context.database.transaction() as transaction:
        await insert_person(transaction, member, await person.context.passwords.hash(PASSWORD))
        await insert_member(transaction, member.id, member.customer_id, member.role)
    return member


async def finish(visitor: Browser, action: str, password: str = PASSWORD, **more: str) -> httpx2.Response:
    return await visitor.submit(await visitor.get(PROFILE), {"password": password, **more}, action=action)


TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"


async def everything(post: Post) -> str:
    """Each row of each table that a name or an address could stand in."""
    tables = await post.owner.fetch(TABLES)
    dumped = [await post.owner.fetch(f'SELECT t::text FROM "{each["relname"]}" t') for each in tables]
    return "\n".join(row[0] for rows in dumped for row in rows)


async def test_erasing_a_person_erases_the_names_from_every_table(post: Post, person: World) -> None:
    """The person leaves behind all that one can; the audit trail goes on naming the id."""
    context, leaver = post.context, await colleague(person)
    async with Browser(app_of(post)) as browser:
        page = await browser.sign_in(await browser.get(PROFILE), leaver.email, PASSWORD)
        other = f"other.{leaver.email}"
        await browser.submit(page, {"email": other, "password": PASSWORD}, action="/email")
        device = await add(browser, name=f"Laptop of {leaver.name}")
        page = await browser.get("/app/account/security/authenticator")
        [key] = ["".join(each.itertext()).replace(" ", "") for each in found(page, "//*[@class='key']")]
        await browser.submit(
            page, {"new_code": TOTP(key).now(), "password": PASSWORD}, action="/authenticator"
        )
        token = await person.token(browser)
    await choose_own_language(context, leaver.actor, leaver, "es")
    await choose_time_zone(context, leaver.actor, leaver, "Pacific/Chatham")
    async with context.database.transaction() as transaction:
        await queue_mail(context, transaction, "password_forgotten", to=leaver.email, about={})
    before = await everything(post)
    assert before.count(leaver.email) >= 3
    assert f"Laptop of {leaver.name}" in before
    assert device.id.hex() in before
    assert "Pacific/Chatham" in before
    await erase_person(context, COMMAND_LINE, leaver)
    after = await everything(post)
    assert "Pacific/Chatham" not in after
    assert leaver.email not in after
    assert other not in after
    assert leaver.name not in after
    assert device.id.hex() not in after
    assert str(leaver.id) in after
    assert (await select_person_by_id(context.database, leaver.id)).language is None
    assert await session_of(context, email=leaver.email, password=PASSWORD) is None
    async with Browser(app_of(post)) as browser:
        assert (await person.introspect(browser, token))["active"], "the account's connection stays"


async def test_a_person_leaves_on_the_own_page(post: Post, person: World) -> None:
    leaver = await colleague(person)
    async with Browser(app_of(post)) as browser:
        await browser.sign_in(await browser.get(PROFILE), leaver.email, PASSWORD)
        wrong = await finish(browser, LEAVE, "wrong")
        assert wrong.status_code == 422
        assert found(wrong, "//input[@aria-invalid]/@name") == ["password"]
        assert "You were erased here" in words_of(await finish(browser, LEAVE))
        assert "Use your RoviTracker customer account" in words_of(await browser.get(PROFILE))
    async with Browser(app_of(post)) as browser:
        fields = {"email": leaver.email, "password": PASSWORD}
        refused = await browser.submit(await browser.get("/app/login"), fields, action="/login")
        assert refused.status_code == 400


async def test_the_address_can_be_used_anew_after_an_erasure(post: Post, person: World) -> None:
    leaver = await colleague(person)
    await erase_person(post.context, COMMAND_LINE, leaver)
    again = Person(new_id(), leaver.email, "Somebody else")
    assert await insert_person(post.context.database, again, "x")


async def test_the_only_owner_cannot_leave_and_is_told_what_to_do(visitor: Browser, person: World) -> None:
    shown = await visitor.get(PROFILE)
    assert "You are the only owner" in words_of(shown)
    assert not found(shown, f"//form[contains(@action, '{LEAVE}')]")
    with pytest.raises(LastOwnerError, match="make somebody else an owner"):
        await erase_person(person.context, COMMAND_LINE, person.member)


async def test_of_two_owners_who_leave_at_once_one_stays(person: World) -> None:
    other = await colleague(person)
    leaving = [erase_person(person.context, COMMAND_LINE, each) for each in (person.member, other)]
    outcomes = await asyncio.gather(*leaving, return_exceptions=True)
    assert [type(each) for each in outcomes if each] == [LastOwnerError]


async def test_an_operator_is_not_erased(person: World) -> None:
    with pytest.raises(CustomerError, match="is an operator"):
        await erase_person(person.context, COMMAND_LINE, replace(person.member, operator_role="support"))


async def test_a_person_downloads_everything_that_is_stored_about_them(
    post: Post, visitor: Browser, person: World
) -> None:
    """Every table that names a person is in it, and no secret is."""
    page = await visitor.get(PROFILE)
    answer = await visitor.submit(page, {}, action="/data")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["cache-control"] == "no-store"
    told = answer.json()
    assert (told["person"]["email"], told["account"]["role"]) == (person.member.email, "owner")
    assert len(told["sessions"]) == 1
    assert [event["event"] for event in told["events"]] == ["person.data_exported", "person.signed_in"]
    row = await post.owner.fetchrow("SELECT password_hash FROM person WHERE id = $1", person.member.id)
    assert row["password_hash"] not in answer.text
    naming = await post.owner.fetch(
        "SELECT DISTINCT conrelid::regclass::text AS name FROM pg_constraint "
        "WHERE contype = 'f' AND confrelid = 'person'::regclass"
    )
    secret = {"recovery_code", "mail_link"}  # a digest each, and nothing that tells anybody anything
    statements = " ".join(" ".join(SELECT_OWN_DATA.values()).split())
    assert {each["name"] for each in naming if f"FROM {each['name']} " not in statements} == secret


# Closing the account


async def test_a_closed_account_is_shut_at_once_and_can_be_opened_again(
    post: Post, visitor: Browser, person: World
) -> None:
    token = await person.token(visitor)
    assert (await finish(visitor, CLOSE, "wrong")).status_code == 422
    assert "The account is closed" in words_of(await finish(visitor, CLOSE))
    assert "Use your RoviTracker customer account" in words_of(await visitor.get(PROFILE))
    assert await session_of(post.context, email=person.member.email, password=PASSWORD) is None
    assert not (await person.introspect(visitor, token))["active"]
    assert [mail.template for mail in await post.mails()] == ["connection_changed", "account_closed"]
    assert await erase_closed_accounts(post.context) == 0, "not within 30 days"
    await enable_customer(post.context, COMMAND_LINE, person.member.email)
    await pass_a_month(post, person.member.customer_id)
    assert await erase_closed_accounts(post.context) == 0, "it is open again"
    assert await session_of(post.context, email=person.member.email, password=PASSWORD)
    assert not (await person.introspect(visitor, token))["active"], "applications connect anew"


async def test_closing_twice_is_refused(person: World) -> None:
    await disable_customer(person.context, COMMAND_LINE, person.member.email)
    await close_customer(person.context, COMMAND_LINE, person.member)
    with pytest.raises(CustomerError, match="is closed already"):
        await close_customer(person.context, COMMAND_LINE, person.member)


async def test_after_30_days_machines_reports_people_and_names_go(post: Post, person: World) -> None:
    buyer, context = await World.make(post.context), post.context
    machines = tuple(simulate_fleet(machines=4, days=2, interval_s=3600, seed=5, now=datetime.now(UTC)))
    await import_machines(context, person.member.customer_id, machines)
    sold, kept = machines[0].header.pin, machines[1].header.pin
    assert sold
    assert kept
    await transfer_machine(context, COMMAND_LINE, person.member, buyer.member, sold)
    renamed = replace(machines[0], header=replace(machines[0].header, equipment_id="Buyer's own"))
    await import_machines(context, buyer.member.customer_id, (renamed,))
    assert min((await rows_of(post, person)).values()) > 0
    theirs = await rows_of(post, buyer)
    other = await colleague(person)
    await close_customer(context, COMMAND_LINE, person.member)
    await pass_a_month(post, person.member.customer_id)
    erased = await asyncio.gather(*(erase_closed_accounts(context) for _ in range(2)))
    assert sorted(erased) == [0, 1], "two processes come to it at once"
    assert set((await rows_of(post, person)).values()) == {0}
    assert await rows_of(post, buyer) == theirs, "what others own stays"
    after = await everything(post)
    assert person.member.email not in after
    assert other.email not in after
    async with ingest(context.database) as transaction:
        pins = {row["pin"] for row in await transaction.rows("SELECT pin FROM equipment")}
    assert sold in pins
    assert kept not in pins


async def pass_a_month(post: Post, customer_id: UUID) -> None:
    month = timedelta(days=31)
    await post.owner.execute(
        "UPDATE customer SET closed_at = closed_at - $2::interval WHERE id = $1", customer_id, month
    )


async def rows_of(post: Post, person: World) -> dict[str, int]:
    """What the tables of history hold of an account, and how many machines it has."""
    customer_id = person.member.customer_id
    counts = {}
    async with ingest(post.context.database) as transaction:
        for table in ("reading", "position"):
            row = await transaction.row(
                f"SELECT count(*) AS rows FROM {table} "
                "WHERE fleet_number = (SELECT number FROM fleet WHERE customer_id = $1)",
                customer_id,
            )
            counts[table] = row["rows"] if row else 0
        row = await transaction.row(
            "SELECT count(*) AS rows FROM equipment WHERE customer_id = $1", customer_id
        )
        counts["equipment"] = row["rows"] if row else 0
    return counts

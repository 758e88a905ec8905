"""Passkeys on the page on security: added, named, renamed, removed, and taken in the place of a password."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI

from app.flows.account.change_customer import set_password
from app.flows.account.change_email import ask_new_email, stop_new_email
from app.flows.account.check_guess import Visitor
from app.flows.account.prove import IdentityProof
from app.flows.account.second_factor import reset_second_factor
from app.flows.mail.links import mint_email_link
from app.oauth.actor import COMMAND_LINE
from app.refused import RefusedError
from app.storage.people.people import select_person_by_id
from tests.support.authenticator import Authenticator
from tests.support.browser import Browser, form_of
from tests.support.changing import as_owner
from tests.support.passkeys import (
    ADD,
    NEW,
    REMOVE,
    RENAME,
    SECURITY,
    add,
    make_page,
    options_in,
    prove_by,
    sign_in_by,
)
from tests.support.people import PASSWORD, World
from tests.web.reading import found, words_of
from tests.web.services import Services, same_browser
from tests.web.test_second_factor import enrol
from tests.web.test_security import events_of, fault_of, is_in, signed_in


@pytest.fixture
async def person(browser: Browser, world: World) -> Browser:
    return await signed_in(browser, world)


@pytest.fixture
async def elsewhere(app: FastAPI, world: World) -> AsyncIterator[Browser]:
    """The same person in a second browser."""
    async with Browser(app) as browser:
        yield await signed_in(browser, world)


async def kept(world: World) -> list[str]:
    rows = await world.context.database.rows(
        "SELECT name FROM passkey WHERE person_id = $1 ORDER BY created_at", world.member.id
    )
    return [row["name"] for row in rows]


async def mails_of(world: World) -> list[str]:
    rows = await world.context.database.rows(
        "SELECT template FROM mail WHERE recipient = $1 ORDER BY id", world.member.email
    )
    return [row["template"] for row in rows]


async def test_a_passkey_is_added_listed_and_told_by_mail(person: Browser, world: World) -> None:
    await add(person)
    shown = words_of(await person.get(SECURITY))
    assert "Work laptop" in shown
    assert "Not yet" in shown
    assert await kept(world) == ["Work laptop"]
    [event] = await events_of(world, "person.passkey_added")
    assert event["person"] == str(world.member.id)
    assert await mails_of(world) == ["passkey_added"]
    row = await world.context.database.row("SELECT * FROM passkey WHERE person_id = $1", world.member.id)
    assert row is not None
    assert (row["rp_id"], row["transports"], row["backed_up"]) == ("localhost", ["internal", "hybrid"], False)


async def test_what_the_browser_is_asked_for_makes_a_passkey_that_stands_for_both_factors(
    person: Browser, world: World
) -> None:
    first = await add(person)
    options = options_in(await make_page(person))
    assert options["rp"] == {"name": "RoviTracker", "id": "localhost"}
    assert options["user"]["name"] == world.member.email
    assert options["authenticatorSelection"] == {
        "residentKey": "required",
        "requireResidentKey": True,
        "userVerification": "required",
    }
    assert options["attestation"] == "none"
    assert len(options["excludeCredentials"]) == 1
    assert first.person == world.member.id.bytes


async def test_password_and_code_are_asked_before(person: Browser, world: World) -> None:
    wrong = await make_page(person, password="wrong")
    assert "not your present password" in fault_of(wrong)
    app, _ = await enrol(person, world)
    assert "This code is wrong" in fault_of(await make_page(person, code="000000"))
    await add(person, code=app.present())
    assert await kept(world) == ["Work laptop"]


async def test_a_passkey_stands_in_for_password_and_code_in_each_form(person: Browser, world: World) -> None:
    app, _ = await enrol(person, world)
    key = await add(person, code=app.present())
    page = await person.get(SECURITY)
    made = await person.submit(page, await prove_by(person, key, page, ADD), action=ADD)
    second = Authenticator()
    fields = {"name": "Phone", "answer": second.create(options_in(made))}
    assert (await person.submit(made, fields, action=NEW)).status_code == 303
    page = await person.get(SECURITY)
    renewed = await person.submit(
        page, await prove_by(person, key, page, "/recovery-codes"), action="/recovery-codes"
    )
    assert renewed.status_code == 200
    page = await person.get(SECURITY)
    off = await person.submit(
        page, await prove_by(person, key, page, "/authenticator/off"), action="/authenticator/off"
    )
    assert off.headers["location"].endswith("done=off")
    page = await person.get(SECURITY)
    proof = await prove_by(person, key, page, "/security/password")
    changed = await person.submit(
        page, {**proof, "new_password": "another horse, another battery"}, action="/security/password"
    )
    assert changed.headers["location"].endswith("done=password")
    page = await person.get(SECURITY)
    removed = await person.submit(page, await prove_by(person, second, page, REMOVE), action=REMOVE)
    assert removed.headers["location"].endswith("done=removed")
    assert await kept(world) == ["Phone"]


async def test_a_proof_counts_once_and_for_its_own_person(
    app: FastAPI, person: Browser, world: World
) -> None:
    key = await add(person)
    page = await person.get(SECURITY)
    proof = await prove_by(person, key, page, ADD)
    assert (await person.submit(page, proof, action=ADD)).status_code == 200
    again = await person.submit(page, proof, action=ADD)
    assert again.status_code == 422
    assert "was not accepted" in words_of(again)
    other_world = await World.make(world.context)
    async with Browser(app) as other:
        await signed_in(other, other_world)
        await add(other)
        theirs = await other.get(SECURITY)
        stolen = await prove_by(other, key, theirs, ADD)
        refused = await other.submit(theirs, stolen, action=ADD)
    assert refused.status_code == 422
    assert [event["cause"] for event in await events_of(world, "person.proof_failed")] == ["answered before"]
    assert [event["cause"] for event in await events_of(other_world, "person.proof_failed")] == [
        "passkey of somebody else"
    ]


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "line\nbreak", "rtl \u202e evil"])
async def test_a_name_that_is_not_accepted_is_told_and_the_passkey_waits(
    person: Browser, world: World, name: str
) -> None:
    """So that no passkey lies about in a device that nobody knows here."""
    page = await make_page(person)
    key = Authenticator()
    fields = {"name": name, "answer": key.create(options_in(page))}
    refused = await person.submit(page, fields, action=NEW)
    assert "1 to 60 characters" in fault_of(refused)
    assert await kept(world) == []
    done = await person.submit(refused, {"name": "Phone"}, action=NEW)
    assert done.status_code == 303
    assert await kept(world) == ["Phone"]


@pytest.mark.parametrize("name", ['<b>x</b>"', "\u0634\u0631\u0643\u0629", "W" * 60, "{{ 7 * 7 }}"])
async def test_any_name_that_can_be_printed_is_shown_as_it_is(
    person: Browser, world: World, name: str
) -> None:
    """R-79."""
    await add(person, name=name)
    page = await person.get(SECURITY)
    assert found(page, "//section[@aria-labelledby='passkeys']//h3/bdi/text()") == [name]
    renamed = await person.submit(page, {"name": f" {name[::-1]} "}, action=RENAME)
    assert renamed.headers["location"].endswith("done=renamed")
    assert await kept(world) == [name[::-1]]
    assert len(await events_of(world, "person.passkey_renamed")) == 1


async def test_a_new_name_that_is_not_accepted_is_told_at_its_field(person: Browser, world: World) -> None:
    await add(person)
    refused = await person.submit(await person.get(SECURITY), {"name": "a\u200bb"}, action=RENAME)
    assert "1 to 60 characters" in fault_of(refused)
    assert await kept(world) == ["Work laptop"]


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"origin": "https://evil.example"}, "wrong origin"),
        ({"crossOrigin": True}, "wrong origin"),
        ({"challenge": "AAAA"}, "wrong challenge"),
        ({"flags": 1}, "person not verified"),
        ({"type": "webauthn.get"}, "malformed answer"),
    ],
)
async def test_a_passkey_that_was_not_made_for_this_page_is_not_kept(
    person: Browser, world: World, changes: dict[str, Any], cause: str
) -> None:
    page = await make_page(person)
    fields = {"name": "Phone", "answer": Authenticator().create(options_in(page), **changes)}
    refused = await person.submit(page, fields, action=NEW)
    assert refused.status_code == 422, cause
    assert "answer was not accepted" in words_of(refused)
    assert await kept(world) == []


@pytest.mark.parametrize("answer", ["", "{", "[]", "{}", '{"rawId": 7}', "x" * 20_000, "[" * 5000])
async def test_an_answer_that_is_none_is_a_refusal(person: Browser, world: World, answer: str) -> None:
    page = await make_page(person)
    refused = await person.submit(page, {"name": "Phone", "answer": answer}, action=NEW)
    assert refused.status_code == 422
    assert await kept(world) == []


async def test_a_passkey_is_made_within_five_minutes_of_the_proof(
    person: Browser, world: World, services: Services
) -> None:
    page = await make_page(person)
    fields = {"name": "Phone", "answer": Authenticator().create(options_in(page))}
    async with same_browser(person, services.later(timedelta(minutes=5, seconds=2))) as later:
        refused = await later.submit(page, fields, action=NEW)
    assert "More than five minutes passed" in fault_of(refused)
    assert await kept(world) == []


async def test_a_page_of_another_session_adds_nothing(
    person: Browser, elsewhere: Browser, world: World
) -> None:
    page = await make_page(elsewhere)
    fields = {"name": "Phone", "answer": Authenticator().create(options_in(page))}
    theirs = form_of(await make_page(person), NEW).hidden
    mixed = {**form_of(page, NEW).hidden, "form": theirs["form"], **fields}
    refused = await person.http.post(NEW, data=mixed)
    assert refused.status_code == 422
    assert await kept(world) == []


async def test_ten_passkeys_are_the_most_and_nobody_takes_another_persons(
    person: Browser, world: World, app: FastAPI
) -> None:
    waiting = await make_page(person)
    keys = [await add(person, name=f"Key {number}") for number in range(10)]
    assert "which is the most" in fault_of(await make_page(person))
    late = {"name": "One more", "answer": Authenticator().create(options_in(waiting))}
    assert (await person.submit(waiting, late, action=NEW)).status_code == 422
    assert len(await kept(world)) == 10
    other_world = await World.make(world.context)
    async with Browser(app) as other:
        page = await make_page(await signed_in(other, other_world))
        taken = {"name": "Mine", "answer": keys[0].create(options_in(page))}
        assert (await other.submit(page, taken, action=NEW)).status_code == 422
    assert await kept(other_world) == []


async def test_removing_a_passkey_signs_everybody_else_out_and_is_told(
    person: Browser, elsewhere: Browser, app: FastAPI, world: World
) -> None:
    """R-56: a stolen laptop is out, whichever way it signed in."""
    key = await add(person)
    async with Browser(app) as laptop:
        assert (await sign_in_by(laptop, key)).status_code == 303
        page = await person.get(SECURITY)
        assert "not your present password" in fault_of(
            await person.submit(page, {"password": "wrong"}, action=REMOVE)
        )
        done = await person.submit(page, {"password": PASSWORD}, action=REMOVE)
        assert done.headers["location"].endswith("done=removed")
        assert [await is_in(each) for each in (person, elsewhere, laptop)] == [True, False, False]
        refused = await sign_in_by(laptop, key)
    assert refused.status_code == 400
    assert await kept(world) == []
    assert len(await events_of(world, "person.passkey_removed")) == 1
    assert "passkey_removed" in await mails_of(world)


async def test_nobody_changes_another_persons_passkey(person: Browser, world: World, app: FastAPI) -> None:
    key = await add(person)
    other_world = await World.make(world.context)
    async with Browser(app) as other:
        await add(await signed_in(other, other_world), name="Theirs")
        page = await other.get(SECURITY)
        sealed = form_of(await person.get(SECURITY), REMOVE).hidden
        refused = await other.http.post(REMOVE, data={**sealed, "password": PASSWORD})
        assert refused.status_code == 400
        assert key.id.hex() not in page.text
    assert await kept(world) == ["Work laptop"]


async def test_who_lost_every_factor_comes_in_by_password(person: Browser, world: World) -> None:
    """The passkeys go, since one may be in what was stolen."""
    app, _ = await enrol(person, world)
    await add(person, code=app.present())
    reset = await reset_second_factor(world.context, COMMAND_LINE, world.member.email)
    assert (reset.sessions, reset.passkeys) == (1, 1)
    assert await kept(world) == []
    assert not await is_in(person)
    await signed_in(person, world)
    [event] = await events_of(world, "person.second_factor_reset")
    assert event["passkeys_removed"] == 1
    assert (await mails_of(world))[-1] == "passkey_removed"
    with pytest.raises(RefusedError, match="no second factor"):
        await reset_second_factor(world.context, COMMAND_LINE, world.member.email)


async def test_passkeys_stay_when_only_the_app_was_lost(person: Browser, world: World) -> None:
    app, _ = await enrol(person, world)
    await add(person, code=app.present())
    reset = await reset_second_factor(world.context, COMMAND_LINE, world.member.email, keep_passkeys=True)
    assert reset.passkeys == 0
    assert await kept(world) == ["Work laptop"]


async def test_a_passkey_of_another_host_is_shown_as_such(
    person: Browser, world: World, database_url: str
) -> None:
    await add(person)
    await as_owner(
        database_url, "UPDATE passkey SET rp_id = 'old.example' WHERE person_id = $1", world.member.id
    )
    page = await person.get(SECURITY)
    assert "was made for old.example and does not work at this address" in words_of(page)
    assert "Use a passkey instead" not in words_of(page)


@pytest.mark.parametrize("issuer", ["http://auth.example", "https://127.0.0.1", "https://[2001:db8::1]"])
async def test_where_no_passkey_can_be_made_none_is_offered(
    world: World, services: Services, issuer: str
) -> None:
    async with Browser(services.under(issuer=issuer, development=True), base_url=issuer) as browser:
        login = await browser.get("/app/login")
        page = await browser.sign_in(await browser.get(SECURITY), world.member.email, PASSWORD)
        for each in (login, page):
            assert "passkey" not in each.text.lower()
            assert "script-src" not in each.headers["content-security-policy"]
        posted = await browser.submit(login, {"answer": "{}"}, action="/app/login", Origin=issuer)
        asked = await browser.http.post("/app/login/passkey/ask", data=form_of(login).hidden)
    assert posted.status_code in (400, 404)
    assert asked.status_code == 404
    assert "There are no passkeys here" in words_of(asked)


async def test_a_challenge_is_for_whoever_is_signed_in(browser: Browser) -> None:
    answer = await browser.http.post("/app/account/security/passkeys/ask", data={})
    assert answer.status_code == 403
    assert "signed out" in words_of(answer)


@pytest.mark.parametrize(("known_to_others", "left"), [(True, []), (False, ["Work laptop"])])
async def test_a_password_that_others_knew_takes_the_passkeys_with_it(
    person: Browser, world: World, *, known_to_others: bool, left: list[str]
) -> None:
    """Whoever knew it may have added one. Where it was only forgotten, they stay."""
    await add(person)
    await set_password(
        world.context,
        COMMAND_LINE,
        world.member.email,
        "another horse, another battery",
        cut_applications=known_to_others,
    )
    assert await kept(world) == left
    [event] = await events_of(world, "person.password_set")
    assert event["passkeys_removed"] == 1 - len(left)
    assert ("passkey_removed" in await mails_of(world)) == known_to_others


async def test_a_change_of_address_that_is_stopped_takes_the_passkeys_with_it(
    person: Browser, world: World
) -> None:
    """Whoever asked for it knew the password, and may have added one."""
    await add(person)
    owner = await select_person_by_id(world.context.database, world.member.id)
    visitor = Visitor("127.0.0.1", "127.0.0.1")
    await ask_new_email(
        world.context, owner, visitor, IdentityProof(PASSWORD), email=f"new.{world.member.email}"
    )
    [row] = await world.context.database.rows(
        "SELECT id FROM email_change WHERE person_id = $1", world.member.id
    )
    assert (
        await stop_new_email(world.context, await mint_email_link(world.context, row["id"], "old"))
        == "stopped"
    )
    assert await kept(world) == []
    assert "passkey_removed" in await mails_of(world)

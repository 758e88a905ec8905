"""The page on an account's people, on the wire: what it shows, what each form does, and each refusal."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx2
import pytest
from fastapi import FastAPI
from pyotp import TOTP

from app.flows.account.change_member import change_role, list_members, remove_member
from app.flows.account.invite import list_invitations, withdraw_invitation
from app.oauth.actor import COMMAND_LINE
from app.oauth.member_role import MemberRole
from app.throttling.mails import MailLimits
from tests.support.browser import Browser
from tests.support.passkeys import add
from tests.support.people import PASSWORD, World, join
from tests.web.reading import attributes_of, found, words_of
from tests.web.services import Services
from tests.web.test_second_factor import codes_of

PEOPLE = "/app/account/people"
ACCOUNT = "/app/account"
HOSTILE = ("<script>alert(1)</script>", "\u0634\u0631\u0643\u0629 (1)", "W" * 120, "http://evil.example/win")


@pytest.fixture
async def owner(browser: Browser, world: World) -> Browser:
    await browser.sign_in(await browser.get(PEOPLE), world.member.email, PASSWORD)
    return browser


@pytest.fixture
async def elsewhere(app: FastAPI) -> AsyncIterator[Browser]:
    async with Browser(app) as browser:
        yield browser


async def post(
    browser: Browser, page: httpx2.Response, action: str, about: str, **fields: str
) -> httpx2.Response:
    """Post the form of this action that stands in the part of the page about somebody."""
    parts = found(page, "//li[.//h3]")
    [part] = [part for part in parts if about in " ".join(part.itertext())]
    [form] = [form for form in part.iter("form") if action in form.get("action", "")]
    hidden = {box.get("name", ""): box.get("value", "") for box in form.iter("input")}
    return await browser.http.post(form.get("action", ""), data={**hidden, **fields})


async def roles(world: World) -> dict[str, MemberRole]:
    listed = await list_members(world.context, world.member.customer_id)
    return {each.email: each.role for each in listed}


def fault_of(page: httpx2.Response, status: int) -> str:
    """What is told, at a field or above the page."""
    assert page.status_code == status, page.text
    told = found(page, "//*[@role='alert']")
    assert len(told) == 1, page.text
    return " ".join(" ".join(told[0].itertext()).split())


def address() -> str:
    return f"somebody.{uuid4().hex[:12]}@elsewhere.example"


# What is seen


async def test_members_are_shown_with_role_since_and_second_factor(owner: Browser, world: World) -> None:
    bo = await join(world, "connector")
    words = words_of(await owner.get(PEOPLE))
    today = f"{world.context.now():%-d %B %Y}"
    assert (
        f"{world.member.name} You E-mail address {world.member.email} Role Owner: may do everything" in words
    )
    assert f"Bo Berg E-mail address {bo.email} Role Connector: connects applications Since {today}" in words
    assert words.count("Second factor No") == 2


async def test_a_passkey_counts_as_a_second_factor_and_asks_for_no_code(owner: Browser, world: World) -> None:
    """Its owner has no app, so the transfer asks for the password alone."""
    bo = await join(world, "viewer")
    await add(owner)
    page = await owner.get(PEOPLE)
    assert (words_of(page).count("Second factor Yes"), words_of(page).count("Second factor No")) == (1, 1)
    assert found(page, "//input[@name='code']") == []
    done = await owner.submit(page, {"to": str(bo.id), "password": PASSWORD}, action="/transfer")
    assert done.status_code == 303


async def test_the_choice_of_a_language_leads_from_a_refusal_back_to_the_people(owner: Browser) -> None:
    refused = await owner.submit(await owner.get(PEOPLE), {"email": "bo", "role": "viewer"}, action="/invite")
    assert "E-mail address: An email address must have an @-sign." in fault_of(refused, 422)
    chosen = await owner.submit(refused, {"language": "es"}, action="/app/language")
    assert chosen.headers["location"] == PEOPLE
    page = await owner.get(PEOPLE)
    assert "Rol Propietario: puede hacer todo" in words_of(page)
    refused = await owner.submit(page, {"email": "bo", "role": "viewer"}, action="/invite")
    assert "Dirección de correo electrónico: esta no es una dirección" in fault_of(refused, 422)


@pytest.mark.parametrize("role", ["connector", "viewer"])
async def test_who_is_no_owner_sees_everybody_and_no_form(
    elsewhere: Browser, owner: Browser, world: World, role: MemberRole
) -> None:
    await owner.submit(await owner.get(PEOPLE), {"email": address(), "role": "viewer"}, action="/invite")
    member = await join(world, role)
    page = await elsewhere.sign_in(await elsewhere.get(PEOPLE), member.email, PASSWORD)
    words = words_of(page)
    assert world.member.email in words
    assert f"Only owners change people. Ask {world.member.name} ." in words
    assert "Invite somebody" not in words
    assert "elsewhere.example" not in words, "invitations are the owners' affair"
    forms = {form.get("action") for form in found(page, "//main//form")}
    assert forms == {f"{PEOPLE}/leave"}


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_names_stay_names(owner: Browser, elsewhere: Browser, world: World, name: str) -> None:
    """R-79: of a member, on each page that shows it."""
    member = await join(world, "viewer", name=name)
    for page in (await owner.get(PEOPLE), await owner.get(ACCOUNT)):
        assert page.status_code == 200
        assert found(page, "//script") == []
        assert name in [each.text for each in found(page, "//bdi")]
    own = await elsewhere.sign_in(await elsewhere.get(ACCOUNT), member.email, PASSWORD)
    assert found(own, "//script") == []


# Roles, removal, leaving


async def test_an_owner_changes_a_role(owner: Browser, world: World) -> None:
    bo = await join(world, "viewer")
    done = await post(owner, await owner.get(PEOPLE), "/role", bo.email, role="connector")
    assert done.headers["location"] == f"{PEOPLE}?done=role"
    assert "The role was changed" in words_of(await owner.follow(done))
    assert (await roles(world))[bo.email] == "connector"


async def test_a_role_that_does_not_exist_is_told_at_the_field(owner: Browser, world: World) -> None:
    bo = await join(world, "viewer")
    for role in ("admin", "", "OWNER"):
        page = await post(owner, await owner.get(PEOPLE), "/role", bo.email, role=role)
        assert "Choose one of the roles." in fault_of(page, 422)
    assert (await roles(world))[bo.email] == "viewer"


async def test_the_later_of_two_editors_sees_what_the_first_did(owner: Browser, world: World) -> None:
    bo = await join(world, "viewer")
    page = await owner.get(PEOPLE)
    await change_role(
        world.context, COMMAND_LINE, world.member.customer_id, bo.id, "connector", before="viewer"
    )
    for action, fields in (("/role", {"role": "owner"}), ("/remove", {})):
        refused = await post(owner, page, action, bo.email, **fields)
        assert "Somebody else changed that person's role meanwhile" in fault_of(refused, 409)
        assert "Role Connector: connects applications" in words_of(refused), "the page is as it stands now"
    await remove_member(world.context, COMMAND_LINE, world.member.customer_id, bo.id, before="connector")
    gone = await post(owner, page, "/role", bo.email, role="owner")
    assert "left the account meanwhile" in fault_of(gone, 409)
    assert bo.email not in words_of(gone)


async def test_a_removed_member_is_out_with_the_next_click(
    owner: Browser, elsewhere: Browser, world: World
) -> None:
    """R-56: sessions end, and what the person connected stays, as the page says."""
    bo = await join(world, "connector")
    await elsewhere.sign_in(await elsewhere.get("/app/login"), bo.email, PASSWORD)
    token = await _token_of(elsewhere, world)
    page = await owner.get(PEOPLE)
    assert "The applications that this person connected stay connected" in words_of(page)
    done = await post(owner, page, "/remove", bo.email)
    assert "The person was removed and signed out" in words_of(await owner.follow(done))
    assert 'name="password"' in (await elsewhere.get(ACCOUNT)).text
    assert (await world.introspect(owner, token))["active"] is True
    again = await elsewhere.sign_in(await elsewhere.get("/app/login"), bo.email, PASSWORD)
    assert "You belong to no customer account" in words_of(again)


async def _token_of(browser: Browser, world: World) -> str:
    consent = await browser.get(world.authorize_url())
    answer = await browser.submit(consent, {"decision": "approve"}, action="/consent")
    exchanged = await world.exchange(browser, httpx2.URL(answer.headers["location"]).params["code"])
    return str(exchanged.json()["access_token"])


async def test_a_member_leaves_and_is_told_what_to_do_next(elsewhere: Browser, world: World) -> None:
    bo = await join(world, "viewer")
    page = await elsewhere.sign_in(await elsewhere.get(PEOPLE), bo.email, PASSWORD)
    left = await elsewhere.follow(await elsewhere.submit(page, {}, action="/leave"))
    words = words_of(left)
    assert "You left the account." in words
    assert f"Ask an owner of your company's account to invite {bo.email}" in words
    assert "Sign out" in words
    assert {"/app/account", "/app/account/security", "/app/account/profile"} == {
        each for each in attributes_of(left, "a", "href") if each.startswith("/app/account")
    }, "sections appear by what the person is"
    refused = await elsewhere.get(PEOPLE)
    assert refused.status_code == 403
    assert ACCOUNT in attributes_of(refused, "a", "href")
    link = await elsewhere.get(world.authorize_url())
    assert link.status_code == 403
    assert ACCOUNT in attributes_of(link, "a", "href")


async def test_the_only_owner_can_neither_leave_nor_step_down(owner: Browser, world: World) -> None:
    bo = await join(world, "owner")
    page = await owner.get(PEOPLE)
    await change_role(world.context, COMMAND_LINE, world.member.customer_id, bo.id, "viewer", before="owner")
    for action, fields in (("/leave", {}), ("/role", {"role": "viewer"})):
        refused = await post(owner, page, action, world.member.email, **fields)
        assert "An account keeps at least one owner" in fault_of(refused, 409)
    words = words_of(await owner.get(PEOPLE))
    assert "You are the only owner, so you can neither leave nor step down" in words
    assert "Leave the account" not in words


async def test_two_owners_who_demote_each_other_at_once_leave_one(
    owner: Browser, elsewhere: Browser, world: World
) -> None:
    bo = await join(world, "owner")
    theirs = await elsewhere.sign_in(await elsewhere.get(PEOPLE), bo.email, PASSWORD)
    ours = await owner.get(PEOPLE)
    answers = await asyncio.gather(
        post(owner, ours, "/role", bo.email, role="viewer"),
        post(elsewhere, theirs, "/role", world.member.email, role="viewer"),
    )
    assert sorted(each.status_code for each in answers) == [303, 403]
    assert sorted((await roles(world)).values()) == ["owner", "viewer"]


async def test_a_role_taken_away_while_the_page_is_open_changes_nothing(
    owner: Browser, elsewhere: Browser, world: World
) -> None:
    bo, cy = await join(world, "owner"), await join(world, "viewer")
    page = await elsewhere.sign_in(await elsewhere.get(PEOPLE), bo.email, PASSWORD)
    await post(owner, await owner.get(PEOPLE), "/role", bo.email, role="connector")
    before = await roles(world)
    for answer in (
        await post(elsewhere, page, "/role", cy.email, role="owner"),
        await post(elsewhere, page, "/remove", cy.email),
        await elsewhere.submit(page, {"email": address(), "role": "owner"}, action="/invite"),
        await elsewhere.submit(page, {"name": "Mine"}, action="/account-name"),
        await elsewhere.submit(page, {"to": str(cy.id), "password": PASSWORD}, action="/transfer"),
    ):
        assert answer.status_code == 403
        assert "Your role does not include this" in words_of(answer)
        assert PEOPLE in attributes_of(answer, "a", "href")
    assert await roles(world) == before
    assert await list_invitations(world.context, world.member.customer_id) == ()


# Transfer and name


async def test_ownership_is_transferred_with_the_password(
    owner: Browser, elsewhere: Browser, world: World
) -> None:
    bo = await join(world, "viewer")
    page = await owner.get(PEOPLE)
    wrong = await owner.submit(page, {"to": str(bo.id), "password": "wrong one"}, action="/transfer")
    assert "This is not your present password." in fault_of(wrong, 422)
    assert found(wrong, "//option[@selected]/@value")[-1] == str(bo.id), "the choice is kept"
    nobody = await owner.submit(page, {"to": "x", "password": PASSWORD}, action="/transfer")
    assert "Choose the person who becomes owner." in fault_of(nobody, 422)
    done = await owner.submit(page, {"to": str(bo.id), "password": PASSWORD}, action="/transfer")
    assert "You are connector now" in words_of(await owner.follow(done))
    assert await roles(world) == {world.member.email: "connector", bo.email: "owner"}
    mine = await elsewhere.sign_in(await elsewhere.get(PEOPLE), bo.email, PASSWORD)
    assert "Invite somebody" in words_of(mine)


async def test_transfer_asks_for_the_second_factor_too(owner: Browser, world: World) -> None:
    """R-59: and a code that was used is used."""
    bo = await join(world, "viewer")
    page = await owner.get("/app/account/security/authenticator")
    secret = found(page, "//code[@class='key']/text()")[0].replace(" ", "")
    confirmed = {"new_code": TOTP(secret).now(), "password": PASSWORD}
    [code, *_] = codes_of(await owner.submit(page, confirmed, action="/authenticator"))
    page = await owner.get(PEOPLE)
    assert "Second factor Yes" in words_of(page)
    fields = {"to": str(bo.id), "password": PASSWORD}
    missing = await owner.submit(page, fields, action="/transfer")
    assert "This code is wrong" in fault_of(missing, 422)
    assert (await roles(world))[bo.email] == "viewer"
    done = await owner.submit(page, {**fields, "code": code}, action="/transfer")
    assert done.status_code == 303
    assert (await roles(world))[bo.email] == "owner"


async def test_an_account_is_renamed_on_the_page(owner: Browser, world: World) -> None:
    page = await owner.get(PEOPLE)
    for name in ("", " ", "x" * 121, "two\nlines"):
        refused = await owner.submit(page, {"name": name}, action="/account-name")
        assert "Name: 1 to 120 printable characters." in fault_of(refused, 422)
    done = await owner.submit(page, {"name": "Hillside Rentals"}, action="/account-name")
    assert "Everybody who signs in for Hillside Rentals" in words_of(await owner.follow(done))
    late = await owner.submit(page, {"name": "Other"}, action="/account-name")
    assert "another name meanwhile" in fault_of(late, 409)
    assert found(late, "//input[@id='account-name']/@value") == ["Other"]
    token = await world.token(owner)
    assert (await world.introspect(owner, token))["account"] == {
        "id": str(world.member.customer_id),
        "name": "Hillside Rentals",
    }


# Invitations


async def test_an_invitation_is_listed_with_the_state_of_its_mail(owner: Browser, world: World) -> None:
    email = address()
    done = await owner.submit(await owner.get(PEOPLE), {"email": email, "role": "viewer"}, action="/invite")
    page = await owner.follow(done)
    words = words_of(page)
    assert "The invitation is on its way." in words
    assert f"{email} Role Viewer: looks Invited" in words
    assert "Mail Waiting to be sent" in words
    for state, said in (
        ("sent", "Mail Sent on"),
        ("refused", "Refused by the mail server"),
        ("given up", "the mail server was away for too long"),
    ):
        await world.context.database.count(
            "UPDATE mail SET state = $2, settled_at = clock_timestamp() WHERE recipient = $1", email, state
        )
        assert said in words_of(await owner.get(PEOPLE))
    assert "1 waits for an answer" in words_of(await owner.get(ACCOUNT))


REFUSED_ADDRESSES = (
    "",
    "ann",
    "a b@x.example",
    "x" * 250 + "@x.example",
    "ann@x.example\r\nBcc: eve@x.example",
)


async def test_what_is_no_address_is_told_at_the_field_and_kept(owner: Browser, world: World) -> None:
    """R-61"""
    page = await owner.get(PEOPLE)
    for email in REFUSED_ADDRESSES:
        refused = await owner.submit(page, {"email": email, "role": "owner"}, action="/invite")
        assert fault_of(refused, 422).startswith("E-mail address:")
        assert found(refused, "//select[@id='invite-role']/option[@selected]/@value") == ["owner"]
    kept = await owner.submit(page, {"email": "ann", "role": "owner"}, action="/invite")
    assert found(kept, "//input[@id='invite-email']/@value") == ["ann"]
    assert await list_invitations(world.context, world.member.customer_id) == ()


async def test_somebody_known_elsewhere_and_nobody_are_invited_alike(owner: Browser, world: World) -> None:
    """R-54: one answer; what differs is said to the owner of the mailbox alone."""
    stranger = (await World.make(world.context)).member.email
    said = {}
    for email in (stranger, address()):
        answer = await owner.submit(
            await owner.get(PEOPLE), {"email": email, "role": "viewer"}, action="/invite"
        )
        shown = await owner.follow(answer)
        said[email] = (
            answer.headers["location"],
            words_of(shown).replace(email, "...").count("... Role Viewer"),
        )
    assert len(set(said.values())) == 1


async def test_who_belongs_or_is_invited_already_is_told_at_the_field(owner: Browser, world: World) -> None:
    page = await owner.get(PEOPLE)
    email = address()
    await owner.submit(page, {"email": email, "role": "viewer"}, action="/invite")
    again = await owner.submit(page, {"email": email.upper(), "role": "viewer"}, action="/invite")
    assert "This address is invited already" in fault_of(again, 409)
    member = await owner.submit(page, {"email": world.member.email, "role": "viewer"}, action="/invite")
    assert "belongs to the account already" in fault_of(member, 409)


async def test_too_many_invitations_are_told_and_nothing_is_kept(services: Services, world: World) -> None:
    limited = services.under(mail_limits=MailLimits(1_000, 2, 1_000_000))
    async with Browser(limited) as browser:
        page = await browser.sign_in(await browser.get(PEOPLE), world.member.email, PASSWORD)
        answers = [
            await browser.submit(page, {"email": address(), "role": "viewer"}, action="/invite")
            for _ in range(3)
        ]
    assert [each.status_code for each in answers] == [303, 303, 429]
    assert "Too many invitations were sent today" in fault_of(answers[-1], 429)
    assert len(await list_invitations(world.context, world.member.customer_id)) == 2


async def test_an_invitation_is_sent_again_and_withdrawn(owner: Browser, world: World) -> None:
    email = address()
    await owner.submit(await owner.get(PEOPLE), {"email": email, "role": "viewer"}, action="/invite")
    waiting = await owner.get(PEOPLE)
    assert "Send again" not in words_of(waiting), "its mail goes out by itself"
    await world.context.database.count(
        "UPDATE mail SET state = 'refused', settled_at = clock_timestamp() WHERE recipient = $1", email
    )
    page = await owner.get(PEOPLE)
    sent = await owner.follow(await owner.submit(page, {}, action="/resend"))
    assert "on its way once more" in words_of(sent)
    twice = await owner.submit(page, {}, action="/resend")
    assert "its mail is still on its way" in fault_of(twice, 409)
    gone = await owner.follow(await owner.submit(page, {}, action="/withdraw"))
    assert "The invitation was withdrawn" in words_of(gone)
    assert email not in words_of(gone)
    for action in ("/withdraw", "/resend"):
        late = await owner.submit(page, {}, action=action)
        assert "meanwhile" in fault_of(late, 409)


async def test_invitations_of_another_account_are_out_of_reach(
    owner: Browser, elsewhere: Browser, world: World
) -> None:
    email = address()
    page = await owner.follow(
        await owner.submit(await owner.get(PEOPLE), {"email": email, "role": "viewer"}, action="/invite")
    )
    other = (await World.make(world.context)).member
    await elsewhere.sign_in(await elsewhere.get(PEOPLE), other.email, PASSWORD)
    assert (await elsewhere.submit(page, {}, action="/withdraw")).status_code == 400
    [listed] = await list_invitations(world.context, world.member.customer_id)
    with pytest.raises(Exception, match="meanwhile"):
        await withdraw_invitation(world.context, other.actor, other.customer_id, listed.id)
    assert len(await list_invitations(world.context, world.member.customer_id)) == 1


# Who may post


FORMS = (
    "account-name",
    "invite",
    "invitations/resend",
    "invitations/withdraw",
    "role",
    "remove",
    "leave",
    "transfer",
)


async def test_whoever_is_not_signed_in_is_led_to_the_sign_in(browser: Browser) -> None:
    for path in (PEOPLE, ACCOUNT):
        assert 'name="password"' in (await browser.get(path)).text
    for form in FORMS:
        assert (await browser.http.post(f"{PEOPLE}/{form}")).headers["location"] == "/app/login"


async def test_forms_are_bound_to_session_and_purpose(owner: Browser, world: World) -> None:
    """R-43"""
    bo = await join(world, "viewer")
    page = await owner.get(PEOPLE)
    [removal] = [each for each in found(page, "//form") if each.get("action", "").endswith("/remove")]
    hidden = removal.xpath(".//input[@type='hidden']/@value")[0]
    for form in FORMS:
        if form != "remove":
            answer = await owner.http.post(f"{PEOPLE}/{form}", data={"form": hidden, "role": "owner"})
            assert answer.status_code == 400
        bare = await owner.http.post(f"{PEOPLE}/{form}", data={})
        assert bare.status_code == 400
        foreign = await owner.http.post(
            f"{PEOPLE}/{form}", data={"form": hidden}, headers={"Sec-Fetch-Site": "cross-site"}
        )
        assert foreign.status_code == 403
    assert (await roles(world))[bo.email] == "viewer"


# The overview


async def test_the_overview_is_where_a_sign_in_leads(browser: Browser, world: World) -> None:
    page = await browser.sign_in(await browser.get("/app/login"), world.member.email, PASSWORD)
    assert str(page.url).endswith(ACCOUNT)
    words = words_of(page)
    assert "No machine yet" in words
    assert "No application has access to your machines" in words
    assert "No invitation waits for an answer" in words
    tabs = [each.text for each in found(page, "//nav[@aria-label='Your account']//a")]
    of_the_account = ["Machines", "Connected applications", "Requests", "People"]
    assert tabs == ["Overview", *of_the_account, "Security", "Profile"]


async def test_the_overview_tells_in_plain_words_what_changed_since_the_last_visit(
    browser: Browser, elsewhere: Browser, world: World
) -> None:
    await browser.sign_in(await browser.get("/app/login"), world.member.email, PASSWORD)
    bo = await join(world, "connector")
    await elsewhere.sign_in(await elsewhere.get("/app/login"), bo.email, PASSWORD)
    await _token_of(elsewhere, world)
    await elsewhere.submit(await elsewhere.get("/app/account/applications"), {}, action="/disconnect")
    await change_role(
        world.context, COMMAND_LINE, world.member.customer_id, bo.id, "viewer", before="connector"
    )
    page = await browser.sign_in(await browser.get("/app/login"), world.member.email, PASSWORD)
    words = words_of(page)
    assert "What changed since your last visit on" in words
    told = (
        "RoviTracker made Bo Berg viewer. The role before was connector.",
        "Bo Berg disconnected Sitewise.",
        "Bo Berg approved Sitewise.",
        "Bo Berg joined the account as connector.",
        "RoviTracker invited somebody as connector.",
    )
    places = [words.replace(" .", ".").index(each) for each in told]
    assert places == sorted(places), "the newest first"
    again = await browser.sign_in(await browser.get("/app/login"), world.member.email, PASSWORD)
    assert "Nothing changed." in words_of(again)


async def test_the_overview_tells_in_spanish_what_changed(owner: Browser, world: World) -> None:
    bo = await join(world, "viewer")
    await change_role(
        world.context, world.member.actor, world.member.customer_id, bo.id, "connector", before="viewer"
    )
    await owner.submit(await owner.get(PEOPLE), {"name": "Hillside Rentals"}, action="/account-name")
    words = words_of(await owner.get(ACCOUNT, Accept_Language="es"))
    assert "Usted dio a Bo Berg el rol de conector. El rol anterior era observador." in words
    assert "Usted cambió el nombre de la cuenta." in words
    assert "Bo Berg se sumó a la cuenta como observador." in words
    english = words_of(await owner.get(ACCOUNT))
    assert "You changed the account's name." in english
    assert "You made Bo Berg connector. The role before was viewer." in english


async def test_the_overview_lists_ten_changes_at_most(owner: Browser, world: World) -> None:
    bo = await join(world, "viewer")
    two: tuple[MemberRole, MemberRole] = ("viewer", "connector")
    for number in range(12):
        before, after = two if number % 2 == 0 else two[::-1]
        await change_role(
            world.context,
            world.member.actor,
            world.member.customer_id,
            bo.id,
            after,
            before=before,
        )
    page = await owner.get(ACCOUNT)
    assert len(found(page, "//ul[@class='changes']/li")) == 10
    assert "You made Bo Berg viewer." in words_of(page)


async def test_the_overview_shows_nothing_of_another_account(owner: Browser, world: World) -> None:
    other = await World.make(world.context)
    await join(other, "viewer", name="Somebody Else")
    assert "Somebody Else" not in words_of(await owner.get(ACCOUNT))

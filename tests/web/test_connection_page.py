"""The page about one connection on the wire: what it tells, and how it is narrowed and widened."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from fastapi import FastAPI

from app.aemp.model.values import EquipmentHeader
from app.flows.account.change_member import change_role
from app.flows.account.choose_time_zone import choose_time_zone
from app.flows.account.register_application import register_application
from app.flows.approval.choose_machines import MOST_CHOSEN, MOST_TICKED
from app.flows.approval.terms import Terms, change_terms, read_terms
from app.flows.fleet.import_fleet import import_machines
from app.oauth.actor import COMMAND_LINE
from tests.support.browser import Browser, form_of
from tests.support.fleets import fill, machine
from tests.support.people import PASSWORD, REDIRECT_URI, World, join
from tests.support.sharing import (
    CONNECTIONS,
    change,
    fields_of,
    mails_to,
    page_of,
    pins_read,
    row_of,
    status_of,
    these,
)
from tests.web.reading import attributes_of, found, tags_of, words_of

PINS = ("PIN1", "PIN2", "PIN3")


@pytest.fixture
async def token(browser: Browser, world: World) -> str:
    """An application has it, and reads three machines. The customer is signed in."""
    await fill(world.context, world.member.customer_id, *PINS)
    return await world.token(browser)


def ticked(page: httpx2.Response) -> list[str]:
    return [str(each.get("name")) for each in found(page, "//input[@type='checkbox'][@checked]")]


def chosen(page: httpx2.Response) -> str:
    [radio] = found(page, "//input[@type='radio'][@checked]")
    return str(radio.get("value"))


async def test_stranger_signs_in_first_and_comes_back(browser: Browser, world: World) -> None:
    await fill(world.context, world.member.customer_id, *PINS)
    page = await browser.get(page_of(world))
    assert 'name="password"' in page.text
    assert "Sitewise" not in page.text
    assert page_of(world) in str((await browser.sign_in(page, world.member.email, PASSWORD)).url)


async def test_page_says_what_is_shared_since_when_and_by_whom(
    browser: Browser, world: World, token: str
) -> None:
    words = words_of(await browser.get(page_of(world)))
    assert "Sitewise by Sitewise Rentals Ltd" in words
    assert "Machines All, also those that join later" in words
    assert "History All there is" in words
    assert "Ends Not by itself" in words
    assert f"Connected {world.context.now():%-d %B %Y}" in words
    assert f"Approved by {world.member.name}" in words
    assert page_of(world) in attributes_of(await browser.get(CONNECTIONS), "a", "href")
    assert await pins_read(browser, token) == list(PINS)


async def test_looking_changes_nothing(browser: Browser, world: World, token: str) -> None:
    before = await row_of(world)
    for _ in range(2):
        assert (await browser.get(page_of(world))).status_code == 200
    assert await row_of(world) == before
    assert await pins_read(browser, token) == list(PINS)


async def test_connection_is_narrowed_and_widened_without_a_new_token(
    browser: Browser, world: World, token: str
) -> None:
    """R-19: the same token shows less and more; page and list say so, and the owners are told."""
    answer = await change(browser, world, await these(world, "PIN1", "PIN3"))
    page = await browser.follow(answer)
    assert "holds everywhere within a second" in words_of(page)
    assert "Machines 2 of 3" in words_of(page)
    assert "Machines 2 of 3" in words_of(await browser.get(CONNECTIONS))
    assert await pins_read(browser, token) == ["PIN1", "PIN3"]
    assert await status_of(browser, token, "PIN2") == 404
    fields = await fields_of(world.context, world.member.customer_id)
    assert (chosen(page), ticked(page)) == ("these", [fields["PIN1"], fields["PIN3"]])
    await change(browser, world, {"machines": "all"})
    assert await pins_read(browser, token) == list(PINS)
    await fill(world.context, world.member.customer_id, "PIN4")
    assert await pins_read(browser, token) == [*PINS, "PIN4"]
    told = ["application.approved", "application.terms_changed", "application.terms_changed"]
    assert await mails_to(world, world.member.email) == told


async def test_a_form_that_changes_nothing_writes_and_mails_nothing(
    browser: Browser, world: World, token: str
) -> None:
    """To the microsecond, which no field of the form tells."""
    terms = Terms(
        history_from=datetime(2026, 3, 2, 7, 8, 9, 123456, tzinfo=UTC),
        ends_at=(world.context.now() + timedelta(days=9)).replace(microsecond=654321),
    )
    customer, application = world.member.customer_id, world.registered.client.id
    _, version = await read_terms(world.context, customer, application)
    await change_terms(world.context, world.member.actor, customer, application, terms, version=version)
    before, mails = await row_of(world), await mails_to(world, world.member.email)
    assert (await change(browser, world, {})).status_code == 303
    assert await row_of(world) == before
    assert await mails_to(world, world.member.email) == mails
    await change(browser, world, await these(world, "PIN2"))
    after, _ = await read_terms(world.context, customer, application)
    assert (after.history_from, after.ends_at) == (terms.history_from, terms.ends_at)
    assert await pins_read(browser, token) == ["PIN2"]


async def test_machines_are_named_by_pin_serial_number_and_own_number(
    browser: Browser, world: World, token: str
) -> None:
    """In any letter case and spacing; the PIN of one is meant before the own number of another."""
    named = [
        machine("9nra2b3c4m0030117"),
        replace(machine(""), header=EquipmentHeader(oem_name="Nordhoff", serial_number="S 77")),
        replace(machine(""), header=EquipmentHeader(oem_name="Nordhoff", equipment_id="Digger  Ö 5")),
        machine("PIN9", equipment_id="PIN2"),
    ]
    await import_machines(world.context, world.member.customer_id, named)
    lines = " 9NRA2B3c4m0030117\r\n\r\ns   77\r\ndigger ö 5\r\npin2\r\npin2"
    assert (await change(browser, world, {"machines": "these", "lines": lines})).status_code == 303
    assert "Machines 4 of 7" in words_of(await browser.get(page_of(world)))
    assert await status_of(browser, token, "9NRA2B3C4M0030117") == 200
    assert await status_of(browser, token, "PIN2") == 200
    assert await status_of(browser, token, "PIN9") == 404


async def test_lines_add_to_what_is_ticked(browser: Browser, world: World, token: str) -> None:
    fields = {**await these(world, "PIN3"), "lines": "PIN1"}
    assert (await change(browser, world, fields)).status_code == 303
    assert await pins_read(browser, token) == ["PIN1", "PIN3"]


async def test_every_line_that_means_no_machine_is_told_and_all_lines_are_kept(
    browser: Browser, world: World, token: str
) -> None:
    twins = [machine(pin, equipment_id="7") for pin in ("PIN7", "PIN8")]
    await import_machines(world.context, world.member.customer_id, twins)
    before = await row_of(world)
    lines = f"PIN1\n<b>nobody's</b>\n7\n{'W' * 256}"
    answer = await change(browser, world, {"machines": "these", "lines": lines})
    words = words_of(answer)
    assert answer.status_code == 422
    assert "3 lines mean no machine." in words
    assert "<b>nobody's</b> : None of your machines goes by this." in words
    assert "7 : 2 machines go by this. Name the one by its PIN." in words
    assert ": This is longer than the name of a machine can be." in words
    assert "b" not in tags_of(answer)
    [kept] = found(answer, "//textarea")
    assert kept.text.strip("\n") == lines
    assert kept.get("aria-invalid") == "true"
    assert chosen(answer) == "these"
    assert await row_of(world) == before
    assert await pins_read(browser, token) == [*PINS, "PIN7", "PIN8"]
    # What was corrected goes through.
    assert (await browser.submit(answer, {"lines": "PIN1"}, action=page_of(world))).status_code == 303


YESTERDAY = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%dT%H:%M}"
REFUSED: list[tuple[dict[str, str], str]] = [
    ({"machines": "these"}, "Choose at least one machine."),
    ({"machines": "these", "lines": " \r\n\t\r\n"}, "Choose at least one machine."),
    ({"machines": "none"}, "Choose all machines or these."),
    ({"machines": ""}, "Choose all machines or these."),
    ({"machines": "these", "machine_0": "on"}, "not in your fleet any more"),
    ({"machines": "these", "machine_-1": "on"}, "not in your fleet any more"),
    ({"machines": "these", "machine_x": "on"}, "not in your fleet any more"),
    ({"machines": "these", "machine_": "on"}, "not in your fleet any more"),
    ({"machines": "these", "machine_\u0661": "on"}, "not in your fleet any more"),
    ({"machines": "these", f"machine_{2**63}": "on"}, "not in your fleet any more"),
    ({"machines": "these", f"machine_{2**63 - 1}": "on"}, "not in your fleet any more"),
    ({"machines": "these", f"machine_{'9' * 400}": "on"}, "not in your fleet any more"),
    ({"ends_at": YESTERDAY}, "Choose an end that is still to come."),
    ({"ends_at": "soon"}, "Give a date and a time that there is"),
    ({"ends_at": "2027-02-30T10:00"}, "Give a date and a time that there is"),
    ({"ends_at": "2027-02-03T24:00"}, "Give a date and a time that there is"),
    ({"ends_at": "2027-02-03"}, "Give a date and a time that there is"),
    ({"ends_at": "2027-02-03T10:00+02:00"}, "Give a date and a time that there is"),
    ({"ends_at": "9999-12-31T23:59"}, "Give a date and a time that there is"),
    ({"history_from": "lately"}, "Give a date that there is"),
    ({"history_from": "2026-02-29"}, "Give a date that there is"),
    ({"history_from": "0001-01-01"}, "Give a date that there is"),
    ({"history_from": "2026-W01-1"}, "Give a date that there is"),
    ({"history_from": "\u0662\u0660\u0662\u0666-01-01"}, "Give a date that there is"),
]


@pytest.mark.parametrize(("fields", "told"), REFUSED)
async def test_what_cannot_be_is_refused_at_its_field_and_kept(
    browser: Browser, world: World, token: str, fields: dict[str, str], told: str
) -> None:
    before, mails = await row_of(world), await mails_to(world, world.member.email)
    answer = await change(browser, world, fields)
    assert answer.status_code == 422
    [alert] = found(answer, "//*[@role='alert']")
    assert told in " ".join(alert.itertext())
    for name in ("ends_at", "history_from"):
        if fields.get(name):
            [box] = found(answer, f"//input[@name='{name}']")
            assert (box.get("value"), box.get("aria-invalid")) == (fields[name], "true")
    assert await row_of(world) == before
    assert await mails_to(world, world.member.email) == mails
    assert await pins_read(browser, token) == list(PINS)


async def test_machine_of_another_customer_is_refused_and_not_shown(
    browser: Browser, world: World, token: str
) -> None:
    """R-30: with a text that is also told of one that left."""
    other = await World.make(world.context)
    await fill(world.context, other.member.customer_id, "THEIRS")
    theirs = await these(other, "THEIRS")
    answer = await change(browser, world, {**theirs, **await these(world, "PIN1")})
    assert answer.status_code == 422
    assert "not in your fleet any more" in words_of(answer)
    named = await change(browser, world, {"machines": "these", "lines": "THEIRS"})
    assert named.status_code == 422
    assert "None of your machines goes by this." in words_of(named)
    assert await pins_read(browser, token) == list(PINS)


async def test_ten_thousand_lines_are_read_and_no_more(browser: Browser, world: World, token: str) -> None:
    lines = [f"UNKNOWN-MACHINE-OF-A-LONG-NAME-{number:09}" for number in range(MOST_CHOSEN - 1)]
    answer = await change(browser, world, {"machines": "these", "lines": "\r\n".join([*lines, "PIN1"])})
    assert answer.status_code == 422
    assert f"{MOST_CHOSEN - 1:,} lines mean no machine." in words_of(answer)
    assert f"And {MOST_CHOSEN - 1 - 20:,} more." in words_of(answer)
    more = {"machines": "these", "lines": "\r\n".join([*lines, "PIN1", "PIN2"])}
    answer = await change(browser, world, more)
    assert answer.status_code == 422
    assert "At most 10,000 machines can be chosen." in words_of(answer)
    assert await pins_read(browser, token) == list(PINS)


async def test_form_is_bounded_in_bytes_and_fields_and_closer_for_strangers(
    app: FastAPI, browser: Browser, world: World, token: str
) -> None:
    """R-75"""
    page = await browser.get(page_of(world))
    form = form_of(page, page_of(world))
    large = {**form.held, "machines": "these", "lines": "W" * 1000 * 1000}
    assert (await browser.http.post(form.action, data=large)).status_code == 413
    many = {**form.held, **{f"machine_{number}": "on" for number in range(1, 1000)}}
    assert (await browser.http.post(form.action, data=many)).status_code == 400
    twice = "machines=these&machine_1=on&machine_1=on"
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await browser.http.post(form.action, content=twice, headers=kind)).status_code == 400
    less = {**form.held, "lines": "W" * 100 * 1000}
    assert (await browser.http.post(form.action, data=less)).status_code == 303
    async with Browser(app) as stranger:
        assert (await stranger.http.post(form.action, data=less)).status_code == 413
        assert (await stranger.http.post(form.action, data=form.held)).status_code == 303
    assert await pins_read(browser, token) == list(PINS)


async def test_second_of_two_people_sees_what_the_first_did_before_anything_is_overwritten(
    app: FastAPI, browser: Browser, world: World, token: str
) -> None:
    bo = await join(world, "connector")
    async with Browser(app) as second:
        await second.sign_in(await second.get("/app/login"), bo.email, PASSWORD)
        page = await second.get(page_of(world))
        await change(browser, world, await these(world, "PIN1"))
        refused = await second.submit(page, await these(world, "PIN2"), action=page_of(world))
        assert refused.status_code == 409
        assert "Somebody else changed it." in words_of(refused)
        assert "Machines 1 of 3" in words_of(refused)
        fields = await fields_of(world.context, world.member.customer_id)
        assert ticked(refused) == [fields["PIN1"]]
        assert await pins_read(browser, token) == ["PIN1"]
        # A mistake in between forgets nothing: the page that was seen is still the old one.
        wrong = await second.submit(page, {"ends_at": "soon"}, action=page_of(world))
        assert wrong.status_code == 422
        again = await second.submit(wrong, {"ends_at": ""}, action=page_of(world))
        assert again.status_code == 409
        assert (await second.submit(refused, {"machines": "all"}, action=page_of(world))).status_code == 303
    assert await pins_read(browser, token) == list(PINS)
    # The page of before the first change was not used up by anybody.
    assert "application.terms_changed" in await mails_to(world, world.member.email)
    assert await mails_to(world, bo.email) == []


async def test_viewer_sees_it_and_changes_nothing(
    app: FastAPI, browser: Browser, world: World, token: str
) -> None:
    bo = await join(world, "connector")
    async with Browser(app) as viewer:
        await viewer.sign_in(await viewer.get("/app/login"), bo.email, PASSWORD)
        page = await viewer.get(page_of(world))
        await change_role(
            world.context, COMMAND_LINE, world.member.customer_id, bo.id, "viewer", before="connector"
        )
        for fields, action in ((await these(world, "PIN1"), page_of(world)), ({}, "/disconnect")):
            refused = await viewer.submit(page, fields, action=action)
            assert refused.status_code == 403
            assert "Your role does not include" in words_of(refused)
        seen = await viewer.get(page_of(world))
        assert "Machines All, also those that join later" in words_of(seen)
        assert "Owners and connectors can" in words_of(seen)
        forms = attributes_of(seen, "form", "action")
        assert page_of(world) not in forms
        assert not [action for action in forms if "disconnect" in action]
    assert await pins_read(browser, token) == list(PINS)


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize("which", ["unknown", "foreign", "never approved", "disconnected"])
async def test_page_of_no_connection_of_the_account_is_not_there(
    app: FastAPI, browser: Browser, world: World, which: str
) -> None:
    """R-30: one text for all, so that nobody learns who else uses an application."""
    form = form_of(await browser.get(page_of(world)), page_of(world))
    address = f"{CONNECTIONS}/{uuid4()}"
    if which in ("foreign", "never approved"):
        application = await register_application(
            world.context,
            COMMAND_LINE,
            name="Fuelwatch",
            company="Fuelwatch GmbH",
            redirect_uris=(REDIRECT_URI,),
        )
        address = f"{CONNECTIONS}/{application.client.id}"
        if which == "foreign":
            other = World(world.context, (await World.make(world.context)).member, application)
            async with Browser(app) as theirs:
                await other.token(theirs)
    if which == "disconnected":
        await browser.submit(await browser.get(page_of(world)), {}, action="/disconnect")
        address = page_of(world)
    answer = await browser.get(address)
    assert answer.status_code == 404
    assert "There is no such connection" in words_of(answer)
    posted = await browser.http.post(address, data=form.held)
    assert posted.status_code == (404 if which == "disconnected" else 400)


@pytest.mark.parametrize("last", ["x", "..%2f", "0" * 31, "1" * 33, "%00"])
async def test_address_that_names_no_application_is_not_served(
    browser: Browser, world: World, last: str
) -> None:
    await world.consent_page(browser)
    assert (await browser.get(f"{CONNECTIONS}/{last}")).status_code == 404


async def test_form_of_one_connection_changes_no_other(browser: Browser, world: World, token: str) -> None:
    second = await register_application(
        world.context, COMMAND_LINE, name="Fuelwatch", company="Fuelwatch GmbH", redirect_uris=(REDIRECT_URI,)
    )
    other = World(world.context, world.member, second)
    second_token = await other.token(browser)
    form = form_of(await browser.get(page_of(world)), page_of(world))
    fields = {**form.held, **await these(world, "PIN1")}
    assert (await browser.http.post(page_of(other), data=fields)).status_code == 400
    logout = form_of(await browser.get(page_of(world)), "/logout")
    assert (await browser.http.post(page_of(world), data=logout.held)).status_code == 400
    cross = await browser.http.post(page_of(world), data=fields, headers={"Sec-Fetch-Site": "cross-site"})
    assert cross.status_code == 403
    for each in (token, second_token):
        assert await pins_read(browser, each) == list(PINS)


async def test_history_begins_at_midnight_and_an_end_is_kept_as_an_instant(
    browser: Browser, world: World, token: str
) -> None:
    ends_at = (world.context.now() + timedelta(days=3)).replace(microsecond=0)
    fields = {"history_from": "2026-05-05", "ends_at": f"{ends_at:%Y-%m-%dT%H:%M:%S}"}
    page = await browser.follow(await change(browser, world, fields))
    assert "Reported since 5 May 2026, 00:00 UTC" in words_of(page)
    assert f"Ends {ends_at:%-d %B %Y, %H:%M} UTC" in words_of(page)
    assert f"Ends {ends_at:%-d %B %Y, %H:%M} UTC" in words_of(await browser.get(CONNECTIONS))
    row = await row_of(world)
    assert (row["history_from"], row["ends_at"]) == (datetime(2026, 5, 5, tzinfo=UTC), ends_at)
    assert (await world.introspect(browser, token))["exp"] == int(ends_at.timestamp())
    await change(browser, world, {"history_from": "", "ends_at": ""})
    row = await row_of(world)
    assert (row["history_from"], row["ends_at"]) == (None, None)


async def test_day_and_end_are_those_of_the_persons_time_zone(
    browser: Browser, world: World, token: str
) -> None:
    """A colleague in another zone who sends the form as it stands moves neither."""
    await choose_time_zone(world.context, world.member.actor, world.member, "America/New_York")
    fields = {"history_from": "2026-05-05", "ends_at": "2027-07-01T18:00"}
    page = await browser.follow(await change(browser, world, fields))
    assert "In America/New_York." in words_of(page)
    assert form_of(page, page_of(world)).held["ends_at"] == "2027-07-01T18:00:00"
    ends_at, history_from = datetime(2027, 7, 1, 22, tzinfo=UTC), datetime(2026, 5, 5, 4, tzinfo=UTC)
    row = await row_of(world)
    assert (row["history_from"], row["ends_at"]) == (history_from, ends_at)
    await choose_time_zone(world.context, world.member.actor, world.member, "Asia/Tokyo")
    await change(browser, world, await these(world, "PIN1"))
    row = await row_of(world)
    assert (row["history_from"], row["ends_at"]) == (history_from, ends_at)
    assert await pins_read(browser, token) == ["PIN1"]
    # Clocks leave this hour out.
    await choose_time_zone(world.context, world.member.actor, world.member, "America/New_York")
    refused = await change(browser, world, {"ends_at": "2027-03-14T02:30"})
    assert refused.status_code == 422
    assert "Give a date and a time that there is" in words_of(refused)


HOSTILE: list[dict[str, Any]] = [
    {"oem_name": "<script>alert(1)</script>", "model": '"><img src=x>'},
    {"oem_name": "\u202eevil\u2066", "model": "\u0634\u0631\u0643\u0629"},
    {"oem_name": "W" * 115, "equipment_id": "&amp;' onclick='x"},
    {"equipment_id": "\u200b"},
]


async def test_names_of_machines_stay_words(browser: Browser, world: World, token: str) -> None:
    """R-79"""
    named = [machine(f"HOSTILE{number}", **header) for number, header in enumerate(HOSTILE)]
    await import_machines(world.context, world.member.customer_id, named)
    page = await browser.get(page_of(world))
    assert not {"script", "img"} & tags_of(page)
    isolated = [each.text for each in found(page, "//ul[@class='ticked']//bdi")]
    assert '<script>alert(1)</script> "><img src=x>' in isolated
    assert "&amp;' onclick='x" in isolated
    assert not found(page, "//*[@onclick]")
    answer = await change(browser, world, await these(world, "HOSTILE0", "HOSTILE3"))
    assert answer.status_code == 303
    assert await pins_read(browser, token) == ["HOSTILE0", "HOSTILE3"]


async def test_large_fleet_lists_what_is_shared_and_takes_names(
    browser: Browser, world: World, token: str
) -> None:
    """Nothing of the share is lost when its form is sent as it stands."""
    more = [f"MORE{number:04}" for number in range(MOST_TICKED)]
    await fill(world.context, world.member.customer_id, *more)
    page = await browser.get(page_of(world))
    assert not found(page, "//input[@type='checkbox']")
    assert len(page.content) < 100_000
    await change(browser, world, {"machines": "these", "lines": "PIN2\nMORE0007"})
    page = await browser.get(page_of(world))
    fields = await fields_of(world.context, world.member.customer_id)
    assert ticked(page) == [fields["PIN2"], fields["MORE0007"]]
    await browser.submit(page, {"lines": "PIN1"}, action=page_of(world))
    assert await pins_read(browser, token) == ["PIN1", "PIN2", "MORE0007"]
    await change(browser, world, {"lines": "\n".join([*more, *PINS])})
    page = await browser.get(page_of(world))
    assert not found(page, "//input[@type='checkbox']")
    assert "Machines 503 of 503" in words_of(page)
    before = await row_of(world)
    assert (await browser.submit(page, {}, action=page_of(world))).status_code == 303
    assert await row_of(world) == before


@pytest.mark.usefixtures("token")
async def test_page_of_the_largest_list_stays_small(browser: Browser, world: World) -> None:
    made = [
        machine(
            f"9NRA2B3C4M003{number:04}",
            oem_name="Nordhoff",
            model="TL 4000 Telehandler",
            equipment_id=f"D {number}",
        )
        for number in range(MOST_TICKED - len(PINS))
    ]
    await import_machines(world.context, world.member.customer_id, made)
    page = await browser.get(page_of(world))
    assert len(found(page, "//input[@type='checkbox']")) == MOST_TICKED
    assert len(page.content) < 150_000


async def test_disconnecting_on_the_page_ends_it_and_tells_the_owners_once(
    browser: Browser, world: World, token: str
) -> None:
    """R-19"""
    page = await browser.get(page_of(world))
    listed = await browser.follow(await browser.submit(page, {}, action="/disconnect"))
    assert "The application was disconnected." in words_of(listed)
    assert (await browser.get("/api/v2/Fleet/1", Authorization=f"Bearer {token}")).status_code == 401
    await browser.submit(page, {}, action="/disconnect")
    assert await mails_to(world, world.member.email) == ["application.approved", "application.disconnected"]

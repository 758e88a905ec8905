"""Readings in on the wire: kept once, whoever sends them again; what is not kept is named; nobody writes for others."""

import asyncio
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from app.aemp.history.settle import WAITS
from app.aemp.model.times import format_time
from app.aemp.model.values import Equipment, EquipmentHeader, Hours, Location, TankLevel
from app.context import Context
from app.flows.account.register_application import register_application
from app.flows.fleet.change_owner import transfer_machine
from app.flows.fleet.import_fleet import import_machines
from app.oauth.actor import COMMAND_LINE
from tests.support.browser import Browser
from tests.support.fleets import seen_by
from tests.support.history import HOUR, THEN, add, figures, snapshot
from tests.support.people import World

TELEMETRY = "/api/v2/telemetry"
LINES = "application/x-ndjson"


@dataclass(frozen=True, slots=True)
class Sender:
    """An application that writes."""

    http: httpx2.AsyncClient
    token: str

    async def send(self, body: str | bytes, **headers: str) -> httpx2.Response:
        sent = {"Authorization": f"Bearer {self.token}", "Content-Type": LINES, **headers}
        return await self.http.post(TELEMETRY, content=body, headers=sent)

    async def write(self, *machines: dict[str, Any]) -> dict[str, Any]:
        answer = await self.send("\n".join(json.dumps(machine) for machine in machines))
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document


async def sender(
    context: Context, browser: Browser, customer_id: UUID | None, scope: str = "telemetry:write"
) -> Sender:
    registered = await register_application(
        context,
        COMMAND_LINE,
        name="Gateway",
        company="RoviTracker",
        grants=("client_credentials",),
        scope=(scope,),
        customer_id=customer_id,
    )
    assert registered.client_secret
    answer = await browser.http.post(
        "/app/oauth2/token",
        data={
            "grant_type": "client_credentials",
            "client_id": str(registered.client.id),
            "client_secret": registered.client_secret,
            "scope": scope,
        },
    )
    return Sender(browser.http, answer.json()["access_token"])


@pytest.fixture
async def own(context: Context, browser: Browser, world: World) -> Sender:
    """A sender of the test's customer, who has the machine P1."""
    await add(context, world.member.customer_id, "P1")
    return await sender(context, browser, world.member.customer_id)


def hours(value: float, at: datetime = THEN) -> dict[str, Any]:
    return {"CumulativeOperatingHours": {"Hour": value, "datetime": format_time(at)}}


async def test_readings_are_kept_and_shown_as_the_newest(own: Sender, world: World) -> None:
    place = {"Latitude": 1.5, "Longitude": 2.5, "Altitude": 30, "datetime": format_time(THEN)}
    tank = {"Percent": 40, "FuelTankCapacity": 300, "datetime": format_time(THEN)}
    written = await own.write({"PIN": "p1", **hours(7), "Location": place, "FuelRemaining": tank})
    assert written == {"accepted": 3, "stored": 3, "rejected": []}
    customer_id = world.member.customer_id
    assert await figures(world.context, customer_id, 1) == [(THEN, 7)]
    positions = await seen_by(world.context, customer_id, "SELECT at, latitude, altitude_m FROM position")
    assert [tuple(row.values()) for row in positions] == [(THEN, 1.5, 30)]
    shown = await snapshot(world.context, customer_id, "P1")
    assert shown.cumulative_operating_hours == Hours(THEN, 7)
    assert shown.location == Location(THEN, 1.5, 2.5, 30)
    assert shown.fuel_remaining == TankLevel(THEN, 40, 300)
    await own.write({"PIN": "P1", "FuelRemaining": {"Percent": 35, "datetime": format_time(THEN + HOUR)}})
    shown = await snapshot(world.context, customer_id, "P1")
    assert shown.fuel_remaining == TankLevel(THEN + HOUR, 35, 300), "a tank is not forgotten"


async def test_what_is_sent_twice_is_there_once(own: Sender, world: World) -> None:
    machine = {
        "PIN": "P1",
        **hours(7),
        "FaultCode": {"CodeIdentifier": "SPN 1", "datetime": format_time(THEN)},
    }
    for stored in (2, 0):
        assert (await own.write(machine, machine))["stored"] == stored
    assert await figures(world.context, world.member.customer_id, 1) == [(THEN, 7)]
    [fault] = await seen_by(
        world.context, world.member.customer_id, "SELECT kind, code_identifier FROM fault"
    )
    assert tuple(fault.values()) == (1, "SPN 1")


async def test_senders_of_the_same_at_once_all_succeed(own: Sender, world: World) -> None:
    """A second sender finds the row and looks again, instead of failing."""
    machine = {
        "PIN": "P1",
        "FuelUsed": [{"FuelConsumed": n, "datetime": format_time(THEN + n * HOUR)} for n in range(20)],
    }
    written = await asyncio.gather(*(own.write(machine) for _ in range(6)))
    assert [each["accepted"] for each in written] == [20] * 6
    assert sum(each["stored"] for each in written) == 20
    assert len(await figures(world.context, world.member.customer_id, 4)) == 20


async def test_late_readings_never_move_the_newest_back(own: Sender, world: World) -> None:
    for value, at in ((9.0, THEN + 2 * HOUR), (7.0, THEN), (8.0, THEN - timedelta(days=60))):
        assert (await own.write({"PIN": "P1", **hours(value, at)}))["stored"] == 1
    customer_id = world.member.customer_id
    assert [value for _, value in await figures(world.context, customer_id, 1)] == [8, 7, 9]
    shown = await snapshot(world.context, customer_id, "P1")
    assert shown.cumulative_operating_hours == Hours(THEN + 2 * HOUR, 9)


async def test_restated_readings_replace_what_was_told(own: Sender, world: World) -> None:
    await own.write({"PIN": "P1", **hours(9, THEN + HOUR)}, {"PIN": "P1", **hours(7)})
    assert (await own.write({"PIN": "P1", **hours(7.5)}, {"PIN": "P1", **hours(9)}))["stored"] == 1
    customer_id = world.member.customer_id
    assert await figures(world.context, customer_id, 1) == [(THEN, 9), (THEN + HOUR, 9)]
    assert (await own.write({"PIN": "P1", **hours(9.5, THEN + HOUR)}))["stored"] == 1
    shown = await snapshot(world.context, customer_id, "P1")
    assert shown.cumulative_operating_hours == Hours(THEN + HOUR, 9.5)


async def test_each_rejected_reading_is_named_and_the_rest_kept(
    own: Sender, world: World, context: Context
) -> None:
    future, past = context.now() + timedelta(days=2), THEN - timedelta(days=500)
    body = "\n".join(
        (
            json.dumps(
                {"PIN": "P1", **hours(7), "Distance": {"Odometer": -1, "datetime": format_time(THEN)}}
            ),
            "{",
            "",
            json.dumps({"PIN": "NOBODY", **hours(7)}),
            json.dumps({"PIN": "P1", **hours(8, future)}),
            json.dumps({"PIN": "P1", "FuelUsed": {"FuelConsumed": 3, "datetime": format_time(past)}}),
        )
    )
    document = (await own.send(body)).json()
    assert (document["accepted"], document["stored"]) == (1, 1)
    reasons = {(each["line"], each.get("reading")): each for each in document["rejected"]}
    assert reasons.keys() == {
        (1, "Distance"),
        (2, None),
        (4, "CumulativeOperatingHours"),
        (5, "CumulativeOperatingHours"),
        (6, "FuelUsed"),
    }
    assert (
        reasons[4, "CumulativeOperatingHours"]["reason"] == "no machine that you write for goes by 'NOBODY'"
    )
    assert reasons[5, "CumulativeOperatingHours"] == {
        "line": 5,
        "reading": "CumulativeOperatingHours",
        "datetime": format_time(future),
        "reason": "it is from the future",
    }
    assert "older than what is kept" in reasons[6, "FuelUsed"]["reason"]
    assert await figures(world.context, world.member.customer_id, 1) == [(THEN, 7)]


async def test_documents_of_the_standard_are_taken(own: Sender, world: World) -> None:
    at = format_time(THEN)
    machine = f"<Equipment><EquipmentHeader><PIN>P1</PIN></EquipmentHeader><FuelUsed datetime='{at}'><FuelConsumed>5</FuelConsumed></FuelUsed></Equipment>"
    xml = f"<Fleet xmlns='http://standards.iso.org/iso/15143/-3' version='1'>{machine}</Fleet>"
    in_json = json.dumps({"Equipment": [{"EquipmentHeader": {"PIN": "P1"}, **hours(7)}]})
    series = json.dumps(
        {
            "Links": [{"rel": "self", "href": "/Fleet/Equipment/P1/Distance/a/b/1"}],
            "Distance": [{"Odometer": n, "datetime": format_time(THEN + n * HOUR)} for n in range(3)],
        }
    )
    for body, content_type, stored in (
        (xml, "application/xml", 1),
        (xml, "text/xml; charset=utf-8", 0),
        (in_json, "application/json", 1),
        (series, "application/iso15143-snapshot+json", 3),
    ):
        answer = await own.send(body, **{"Content-Type": content_type})
        assert (answer.status_code, answer.json()["stored"]) == (200, stored), answer.text
    assert [value for _, value in await figures(world.context, world.member.customer_id, 8)] == [0, 1, 2]


@pytest.mark.parametrize(
    ("body", "headers", "refusal"),
    [
        (
            b"<!DOCTYPE a [<!ENTITY b 'c'>]><Fleet>&b;</Fleet>",
            {"Content-Type": "application/xml"},
            (400, "malformed_document"),
        ),
        (b"not a document", {"Content-Type": "application/json"}, (400, "malformed_document")),
        (b"{}", {"Content-Type": "application/json"}, (400, "malformed_document")),
        (b"0\n" * 25_000, {}, (400, "malformed_document")),
        (b"{}", {"Content-Type": "text/csv"}, (415, "unsupported_media_type")),
        (b"{}", {"Content-Type": ""}, (415, "unsupported_media_type")),
        (b"{}", {"Content-Encoding": "gzip"}, (415, "unsupported_media_type")),
        (b"\n" * (1024 * 1024 + 1), {}, (413, "invalid_request")),
    ],
)
async def test_bodies_that_are_refused_whole(
    body: bytes, headers: dict[str, str], refusal: tuple[int, str], own: Sender
) -> None:
    """R-70, R-75."""
    answer = await own.send(body, **{"Accept": "application/json", **headers})
    assert (answer.status_code, answer.json()["code"]) == refusal


async def test_writing_needs_its_scope(context: Context, browser: Browser, world: World) -> None:
    """O-73: a token that reads does not write, and one that writes does not read."""
    reader = await sender(context, browser, world.member.customer_id, "aemp:read")
    refused = await reader.send("{}")
    assert refused.status_code == 403
    assert 'scope="telemetry:write"' in refused.headers["www-authenticate"]
    assert (await browser.http.post(TELEMETRY, content="{}")).status_code == 401
    writer = await sender(context, browser, world.member.customer_id)
    read = await browser.get("/api/v2/Fleet/1", Authorization=f"Bearer {writer.token}")
    assert read.status_code == 403


async def test_an_application_of_a_customer_writes_for_no_other(own: Sender, context: Context) -> None:
    """R-71."""
    other = await World.make(context)
    await add(context, other.member.customer_id, "Q1")
    for name in ({"PIN": "Q1"}, {"SerialNumber": "1Q"}, {"EquipmentID": "Our Q1"}):
        written = await own.write({**name, **hours(7)})
        assert (written["accepted"], len(written["rejected"])) == (0, 1)
    assert await figures(context, other.member.customer_id, 1) == []


async def test_a_gateway_writes_for_every_customer_by_pin_or_serial_number(
    context: Context, browser: Browser
) -> None:
    worlds = [await World.make(context) for _ in range(2)]
    pins = [f"GATE-{world.client_id}" for world in worlds]
    for world, pin in zip(worlds, pins, strict=True):
        await add(context, world.member.customer_id, pin)
    gateway = await sender(context, browser, None)
    first, second = pins
    written = await gateway.write(
        {"PIN": first, **hours(1)},
        {"SerialNumber": second[::-1].lower(), **hours(2)},
        {"EquipmentID": f"Our {first}", **hours(3)},
    )
    assert (written["accepted"], written["stored"]) == (2, 2)
    [rejected] = written["rejected"]
    assert rejected["line"] == 3
    for world, value in zip(worlds, (1, 2), strict=True):
        assert await figures(context, world.member.customer_id, 1) == [(THEN, value)]


async def test_of_one_pin_in_two_fleets_the_first_gets_every_reading(
    context: Context, browser: Browser
) -> None:
    """R-71: whoever types another's PIN sees nothing of the machine, and takes nothing from its owner."""
    first, second = [await World.make(context) for _ in range(2)]
    pin = f"TWICE-{first.client_id}".upper()
    for world in (first, second):
        await add(context, world.member.customer_id, pin)
    gateway = await sender(context, browser, None)
    for name in ({"PIN": pin}, {"SerialNumber": pin[::-1]}):
        assert (await gateway.write({**name, **hours(1)}))["rejected"] == []
    late = await sender(context, browser, second.member.customer_id)
    [rejected] = (await late.write({"PIN": pin, **hours(2, THEN + HOUR)}))["rejected"]
    assert rejected["reason"] == WAITS
    assert await figures(context, first.member.customer_id, 1) == [(THEN, 1)]
    assert await figures(context, second.member.customer_id, 1) == []


async def test_one_serial_number_in_two_fleets_without_pin_means_none_and_names_none(
    context: Context, browser: Browser
) -> None:
    serial = f"SN-{uuid4().hex}".upper()
    for _ in range(2):
        world = await World.make(context)
        header = EquipmentHeader(serial_number=serial, oem_name="Kranich")
        await import_machines(context, world.member.customer_id, [Equipment(header=header)])
    gateway = await sender(context, browser, None)
    [rejected] = (await gateway.write({"SerialNumber": serial, **hours(1)}))["rejected"]
    assert rejected["reason"] == f"more than one machine goes by {serial!r}"


async def test_make_model_and_serial_number_together_name_the_one_machine(own: Sender, world: World) -> None:
    customer_id = world.member.customer_id
    twins = [
        EquipmentHeader(serial_number="77", oem_name=make, model=model, equipment_id=f"Our {make}")
        for make, model in (("Kranich", "K 8"), ("Nordhoff", None))
    ]
    await import_machines(world.context, customer_id, [Equipment(header=header) for header in twins])
    written = await own.write(
        {"OEMName": "kranich", "Model": "K 8", "SerialNumber": "77", **hours(1)},
        {"OEMName": "Nordhoff", "SerialNumber": "77", **hours(2, THEN + HOUR)},
        {"OEMName": "Veldman", "Model": "K 8", "SerialNumber": "77", **hours(3)},
        {"SerialNumber": "77", **hours(4)},
    )
    assert written["accepted"] == 2
    for name, value in (("Our Kranich", 1), ("Our Nordhoff", 2)):
        shown = await snapshot(world.context, customer_id, name)
        assert shown.cumulative_operating_hours
        assert shown.cumulative_operating_hours.hours == value
    assert [(each["line"], each["reason"]) for each in written["rejected"]] == [
        (3, "no machine that you write for goes by '77' of Veldman K 8"),
        (
            4,
            "more than one machine goes by '77': Kranich K 8 (id Our Kranich) and Nordhoff (id Our Nordhoff)",
        ),
    ]


async def test_a_series_that_names_make_model_and_serial_number_is_of_that_one(
    own: Sender, world: World
) -> None:
    customer_id = world.member.customer_id
    twins = [
        EquipmentHeader(serial_number="78", oem_name=make, model="K 8") for make in ("Kranich", "Nordhoff")
    ]
    await import_machines(world.context, customer_id, [Equipment(header=header) for header in twins])
    reading = {"FuelConsumed": 5, "datetime": format_time(THEN)}
    answers = []
    for form, accepted in (("Nordhoff/K%208/78", 1), ("makeModelSerial/Nordhoff/K%208/78", 1), ("78", 0)):
        document = {
            "FuelUsed": [reading],
            "links": [{"href": f"/Fleet/Equipment/{form}/CumulativeFuelUsed/a/b/1"}],
        }
        answer = await own.send(json.dumps(document), **{"Content-Type": "application/json"})
        answers.append(answer.json())
        assert answers[-1]["accepted"] == accepted, form
    assert "Kranich K 8 and Nordhoff K 8" in answers[-1]["rejected"][0]["reason"]


async def test_readings_go_to_whose_machine_it_was_at_their_time(context: Context, browser: Browser) -> None:
    """R-71: late readings from before a sale are the seller's, and the buyer's snapshot shows none of them."""
    seller, buyer = [await World.make(context) for _ in range(2)]
    pin = f"SOLD-{seller.client_id}"
    await add(context, seller.member.customer_id, pin)
    await transfer_machine(context, COMMAND_LINE, seller.member, buyer.member, pin)
    sold_at = context.now()
    gateway = await sender(context, browser, None)
    written = await gateway.write(
        {"PIN": pin, **hours(5)}, {"PIN": pin, **hours(6, sold_at + timedelta(seconds=2))}
    )
    assert written["accepted"] == 2
    assert [value for _, value in await figures(context, seller.member.customer_id, 1)] == [5]
    assert [value for _, value in await figures(context, buyer.member.customer_id, 1)] == [6]
    of_buyer = await sender(context, browser, buyer.member.customer_id)
    [rejected] = (await of_buyer.write({"PIN": pin, **hours(7, THEN + HOUR)}))["rejected"]
    assert rejected["reason"] == "the machine was not in this fleet then"

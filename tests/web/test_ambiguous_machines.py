"""A machine is read by what its document says of it, and a name of two machines is an error that names both."""

from urllib.parse import quote

import httpx2
import pytest

from app.aemp.model.values import Equipment, EquipmentHeader, Hours
from app.flows.fleet.import_fleet import import_machines
from tests.support.browser import Browser
from tests.support.fleets import NOW
from tests.support.people import World

BASE = "/api/v2/Fleet/Equipment"
# Two makers gave the same serial number, and one of them gave it to two models.
MACHINES = [
    EquipmentHeader(oem_name="Nordhoff", model="NX 350/LC", serial_number="30117", pin="9NRA2B3C4M0030117"),
    EquipmentHeader(oem_name="Kranich", model="K 8", serial_number="30117", equipment_id="Pit 3"),
    EquipmentHeader(oem_name="Kranich", serial_number="30117", equipment_id="Pit 4"),
    EquipmentHeader(serial_number="4711", equipment_id="30117"),
    EquipmentHeader(oem_name="Veldman", serial_number="99", pin="P-99-A", equipment_id="V"),
    EquipmentHeader(oem_name="Veldman", serial_number="99", pin="P-99-B", equipment_id="V"),
]
SUFFIXES = ["", "/CumulativeOperatingHours", "/2026-05-01/2026-05-31", "/Faults/2026-05-01/2026-05-31/1"]


@pytest.fixture
async def token(world: World, browser: Browser) -> str:
    fleet = [(header, Hours(NOW, number)) for number, header in enumerate(MACHINES)]
    machines = [Equipment(header=header, cumulative_operating_hours=hours) for header, hours in fleet]
    await import_machines(world.context, world.member.customer_id, machines)
    return await world.token(browser)


async def read(browser: Browser, token: str, path: str) -> httpx2.Response:
    return await browser.get(path, Authorization=f"Bearer {token}", Accept="application/json")


async def hours_at(browser: Browser, token: str, path: str) -> float:
    """Which of the machines it is: each has its own hours."""
    answer = await read(browser, token, path)
    assert answer.status_code == 200, answer.text
    [machine] = answer.json()["Equipment"]
    return float(machine["CumulativeOperatingHours"]["Hour"])


@pytest.mark.parametrize(
    "path", ["/api/v1/Fleet/Equipment/30117", *(f"{BASE}/30117{suffix}" for suffix in SUFFIXES)]
)
async def test_bare_serial_number_of_several_machines_is_an_error_that_names_them(
    path: str, browser: Browser, token: str
) -> None:
    """Each is named with an address that it alone has; a fourth has the number as its id, which comes last."""
    answer = await read(browser, token, path)
    assert answer.status_code == 409
    for named in (
        "Nordhoff NX 350/LC (Fleet/Equipment/9NRA2B3C4M0030117)",
        "Kranich K 8 (Fleet/Equipment/MakeModelSerial/Kranich/K%208/30117)",
        "Kranich (Fleet/Equipment/MakeModelSerial/Kranich//30117)",
    ):
        assert named in answer.text
    assert "equipment_ambiguous" in answer.text


async def test_every_address_that_the_error_names_leads_to_its_machine(browser: Browser, token: str) -> None:
    message = (await read(browser, token, f"{BASE}/30117")).json()["message"]
    addresses = [each.partition(")")[0] for each in message.split("(")[1:]]
    assert [await hours_at(browser, token, f"/api/v2/{each}") for each in addresses] == [0, 1, 2]


@pytest.mark.parametrize(
    ("written", "hours"),
    [
        ("MakeModelSerial/Nordhoff/NX%20350%2FLC/30117", 0),
        ("kranich/k%20%208/30117", 1),
        ("MakeModelSerial/KRANICH/%20K%208%20/30117", 1),
        ("Kranich//30117", 2),
        ("Kranich/%20/30117", 2),
        ("MakeModelSerial/kranich//30117", 2),
        ("MakeModelSerial///4711", 3),
        ("4711", 3),
        ("ID/30117", 3),
        ("ID/pit%204", 2),
    ],
)
async def test_make_and_model_decide_and_may_be_empty(
    written: str, hours: float, browser: Browser, token: str
) -> None:
    assert await hours_at(browser, token, f"{BASE}/{written}") == hours


@pytest.mark.parametrize("written", ["99", "ID/V", "V", "Veldman//99", "MakeModelSerial/veldman//99"])
async def test_machines_with_all_names_alike_are_told_apart_by_their_pins(
    written: str, browser: Browser, token: str
) -> None:
    answer = await read(browser, token, f"{BASE}/{written}")
    assert answer.status_code == 409
    assert "Veldman (Fleet/Equipment/P-99-A), Veldman (Fleet/Equipment/P-99-B)." in answer.json()["message"]


@pytest.mark.parametrize(
    "written", ["Nordhoff//30117", "MakeModelSerial//K%208/30117", "MakeModelSerial///30117"]
)
async def test_wrong_or_missing_make_or_model_is_not_found(
    written: str, browser: Browser, token: str
) -> None:
    answer = await read(browser, token, f"{BASE}/{written}")
    assert (answer.status_code, answer.json()["code"]) == (404, "equipment_not_found")


async def test_links_of_a_machine_without_a_model_lead_on(browser: Browser, token: str) -> None:
    index = (await read(browser, token, f"{BASE}/Kranich//30117/2026-05-01/2026-05-31")).json()
    assert index["Links"][0]["href"].endswith("/Kranich//30117/2026-05-01/2026-05-31")
    assert (await read(browser, token, index["Links"][0]["href"])).status_code == 200


async def test_error_repeats_three_machines_and_says_that_there_are_more(
    world: World, browser: Browser
) -> None:
    machines = [Equipment(header=EquipmentHeader(pin=f"P{n}", serial_number="1")) for n in range(9)]
    await import_machines(world.context, world.member.customer_id, machines)
    answer = await read(browser, await world.token(browser), f"{BASE}/1")
    assert answer.json()["message"].count(quote("Fleet/Equipment/P")) == 3
    assert "and others" in answer.json()["message"]


async def test_another_customers_machine_makes_no_name_ambiguous(world: World, browser: Browser) -> None:
    """R-71."""
    other = await World.make(world.context)
    for owner, header in ((world, MACHINES[0]), (other, MACHINES[1])):
        await import_machines(world.context, owner.member.customer_id, [Equipment(header=header)])
    answer = await read(browser, await world.token(browser), f"{BASE}/30117")
    assert [each["EquipmentHeader"]["OEMName"] for each in answer.json()["Equipment"]] == ["Nordhoff"]

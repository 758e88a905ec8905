"""Every AEMP address of the API document, asked by customers whose machines it is not about: nothing of another's is told."""

import re
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from html import unescape
from itertools import product
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from fastapi import FastAPI

from app.aemp.history.settle import WAITS
from app.aemp.model.values import Equipment, Hours
from app.context import Context
from app.flows.account.register_application import register_application
from app.flows.fleet.import_fleet import import_machines
from app.oauth.actor import COMMAND_LINE
from app.oauth.scope import KNOWN_SCOPES
from app.simulation.fleet import simulate_fleet
from app.web.reference import examples
from tests.support.browser import Browser
from tests.support.fleets import NOW, machine
from tests.support.people import REDIRECT_URI, World
from tests.web.described import OPERATIONS, Operation

API = [each for each in OPERATIONS.values() if each.path.startswith("/api/")]
READS = [each for each in API if each.method == "get"]
WRITES = [each for each in API if each.method != "get"]

# The machine of the document's examples: what is asked for by example is there, and is the owner's.
HEADER = examples.MACHINE.header
NAMES = [name for name in (HEADER.pin, HEADER.serial_number, HEADER.equipment_id) if name]
# Figures that nobody else may read, whoever asks. The twin has the same names, and an hour of its own.
FIGURES = ("4312.8", "1208.35", "81934.5", "52.1318402", "11.6276213")
TWINS_HOURS = 77.25


@dataclass(frozen=True, slots=True)
class Reader:
    """An application that may do for one customer all that there is."""

    browser: Browser
    token: str
    secrets: tuple[str, ...]

    async def ask(self, method: str, address: str, **options: Any) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        return await self.browser.http.request(method, address, headers=headers, **options)


@dataclass(frozen=True, slots=True)
class Readers:
    """owner: of the examples' machine and two pages more. stranger: of others. twin: who claims the same names later."""

    owner: Reader
    stranger: Reader
    twin: Reader


@pytest.fixture(scope="module")
async def readers(app: FastAPI, context: Context) -> AsyncIterator[Readers]:
    others = tuple(simulate_fleet(machines=120, days=2, interval_s=900, seed=41, now=context.now()))
    foreign = [machine(f"FOREIGN{number}", hours=1) for number in range(3)]
    same_names = Equipment(header=HEADER, cumulative_operating_hours=Hours(NOW, TWINS_HOURS))
    async with Browser(app) as one, Browser(app) as two, Browser(app) as three:
        pins = [str(each.header.pin) for each in others]
        yield Readers(
            await reader(context, one, (examples.MACHINE, *others), (*NAMES, *FIGURES, *pins)),
            await reader(context, two, foreign, ("FOREIGN",)),
            await reader(context, three, [same_names], (str(TWINS_HOURS),)),
        )


async def reader(
    context: Context, browser: Browser, machines: Sequence[Equipment], secrets: tuple[str, ...]
) -> Reader:
    member = (await World.make(context)).member
    await import_machines(context, member.customer_id, machines)
    scope = tuple(KNOWN_SCOPES)
    registered = await register_application(
        context,
        COMMAND_LINE,
        name="Sitewise",
        company="Sitewise Ltd",
        redirect_uris=(REDIRECT_URI,),
        scope=scope,
    )
    world = World(context, member, registered)
    code = await world.code(browser, scope=" ".join(scope))
    token = (await world.exchange(browser, code)).json()["access_token"]
    return Reader(browser, token, secrets)


def addresses_of(operation: Operation) -> Iterator[str]:
    """Addresses as documented, then with every name of the machine and every page in their places."""
    parameters = [each for each in operation.parameters if each["in"] == "path"]
    values = [values_of(each) for each in parameters]
    for chosen in product(*values):
        given = {
            each["name"]: quote(str(value), safe="") for each, value in zip(parameters, chosen, strict=True)
        }
        yield operation.path.format_map(given)


def values_of(parameter: dict[str, Any]) -> list[Any]:
    example = parameter["example"]
    if example in NAMES:
        return [example, *(name for name in NAMES if name != example)]
    return [1, 2] if parameter["name"] == "page" else [example]


CASES = [
    pytest.param(operation, form, id=f"{operation.id} {form}")
    for operation in READS
    for form in operation.answer(200)["content"]
]


@pytest.mark.parametrize(("operation", "form"), CASES)
async def test_nobody_reads_another_customers_machine(
    operation: Operation, form: str, readers: Readers
) -> None:
    """R-71: by each name, each page, each format, each link, and with the owner's ETag."""
    told = ""
    for address in addresses_of(operation):
        own = await readers.owner.ask("GET", address, headers={"Accept": form})
        told += own.text
        etag = {"If-None-Match": own.headers["etag"]} if "etag" in own.headers else {}
        for asked in {address, *links_in(own)}:
            for other in (readers.stranger, readers.twin):
                answer = await other.ask("GET", asked, headers={"Accept": form})
                assert answer.status_code in (200, 404), asked
                again = await other.ask("GET", asked, headers={"Accept": form, **etag})
                assert again.status_code == answer.status_code or answer.content == own.content, asked
                told_to_other = without_links(answer)
                secrets = readers.owner.secrets if other is readers.stranger else FIGURES
                assert [each for each in secrets if each in told_to_other] == [], asked
    assert any(each in told for each in readers.owner.secrets), "the owner is told nothing either"


def links_in(answer: httpx2.Response) -> list[str]:
    """Paths of the addresses a document leads to."""
    return [unescape(path) for path in re.findall(r'http://localhost:8000(/api/[^"<\s]+)', answer.text)]


def without_links(answer: httpx2.Response) -> str:
    """Links repeat what was asked, names and all."""
    text = answer.text
    for path in links_in(answer):
        text = text.replace(path, "")
    return text


async def test_same_name_means_each_customers_own_machine(readers: Readers) -> None:
    for name in NAMES:
        address = f"/api/v2/Fleet/Equipment/{quote(name, safe='')}"
        for who, hours in ((readers.owner, 4312.8), (readers.twin, None)):
            answer = await who.ask("GET", address, headers={"Accept": "application/json"})
            [found] = answer.json()["Equipment"]
            assert found.get("CumulativeOperatingHours", {}).get("Hour") == hours, (
                "the first claim has the readings"
            )
        assert (await readers.stranger.ask("GET", address)).status_code == 404


async def test_nobody_writes_to_another_customers_machine(readers: Readers) -> None:
    """R-71: what the document says can be written, written about a machine of the owner's names by the others."""
    own, twins = await fleet_of(readers.owner), await fleet_of(readers.twin)
    assert own[0]["EquipmentHeader"]["PIN"] == HEADER.pin
    for operation, form, body in written():
        options = {"headers": {"Content-Type": form}, "content": body.encode()}
        refused = await readers.stranger.ask(operation.method, operation.path, **options)
        assert refused.json()["accepted"] == 0, refused.text
        waits = (await readers.twin.ask(operation.method, operation.path, **options)).json()
        assert waits["accepted"] == 0
        assert WAITS in {each["reason"] for each in waits["rejected"]}
    assert await fleet_of(readers.owner) == own
    assert await fleet_of(readers.twin) == twins
    for operation, form, body in written():
        options = {"headers": {"Content-Type": form}, "content": body.encode()}
        taken = await readers.owner.ask(operation.method, operation.path, **options)
        assert taken.json()["accepted"] > 0, "nothing could be written at all"


def written() -> Iterator[tuple[Operation, str, str]]:
    """Every documented body, about the owner's machine in the place of its own."""
    for operation in WRITES:
        for form, content in operation.described["requestBody"]["content"].items():
            for example in content.get("examples", {}).values():
                body, machines = re.subn(r'"PIN": "[^"]*"', f'"PIN": "{HEADER.pin}"', example["value"])
                assert machines, form
                yield operation, form, body


async def fleet_of(who: Reader) -> list[dict[str, Any]]:
    answer = await who.ask("GET", "/api/v2/Fleet/1", headers={"Accept": "application/json"})
    found: list[dict[str, Any]] = answer.json()["Equipment"]
    return found


def test_every_part_of_an_address_has_an_example_to_ask_with() -> None:
    assert {each.path for each in READS} >= {"/api/v1/Fleet/{page}", "/api/v2/Fleet/{page}"}
    for operation in READS:
        named = {each["name"] for each in operation.parameters if "example" in each}
        assert set(re.findall(r"{(\w+)}", operation.path)) <= named, operation.path

"""The guarded AEMP routes on the wire: challenges, documents, links, errors in the asked format."""

import gzip
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from urllib.parse import quote

import httpx2
import pytest
from backports import zstd
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from app.aemp.model.values import Equipment, EquipmentHeader
from app.context import Context
from app.flows.fleet.import_fleet import import_machines
from app.simulation.fleet import simulate_fleet
from tests.support.browser import Browser
from tests.support.depth import examples
from tests.support.people import World

ISO = "{http://standards.iso.org/iso/15143/-3}"
AEMP = "{http://schemas.aemp.org/fleet}"
MACHINES = 230
ODD_ID = "ASA  B50E#9112/7 ä"


@dataclass(frozen=True, slots=True)
class Fleet:
    """A customer with three pages of machines, and an application's token for them."""

    http: httpx2.AsyncClient
    machines: tuple[Equipment, ...]
    token: str
    context: Context

    async def get(self, path: str, accept: str | None = None, **headers: str) -> httpx2.Response:
        sent = {"Authorization": f"Bearer {self.token}", **({"Accept": accept} if accept else {}), **headers}
        return await self.http.get(path, headers=sent)


@pytest.fixture(scope="module")
async def fleet(app: FastAPI, context: Context) -> AsyncIterator[Fleet]:
    world = await World.make(context)
    simulated = simulate_fleet(machines=MACHINES - 1, days=2, interval_s=900, seed=5, now=context.now())
    odd = Equipment(header=EquipmentHeader(equipment_id=ODD_ID, model="<Odd & Co>"))
    machines = (*simulated, odd)
    await import_machines(context, world.member.customer_id, machines)
    async with Browser(app) as browser:
        yield Fleet(browser.http, machines, await world.token(browser), context)


async def test_pages_hold_every_machine_once_and_in_order(fleet: Fleet) -> None:
    """Followed by `next`, as readers do; no page but the last is short."""
    address: str | None = "/api/v2/Fleet/1"
    seen, sizes = [], []
    while address:
        document = (await fleet.get(address, "application/json")).json()
        seen += [machine["EquipmentHeader"].get("PIN") for machine in document["Equipment"]]
        sizes.append(len(document["Equipment"]))
        address = next((link["href"] for link in document["Links"] if link["rel"] == "next"), None)
    assert sizes == [100, 100, 30]
    assert seen == [machine.header.pin for machine in fleet.machines]


@pytest.mark.parametrize("accept", ["application/json", "application/iso15143-snapshot+json"])
async def test_reader_that_knows_only_capital_links_meets_every_machine(accept: str, fleet: Fleet) -> None:
    """Published readers of Caterpillar's feed read `Rel` and `Href`, and ended after 100 machines without a word."""
    address, pins = "/api/v2/Fleet/1", list[str]()
    while address:
        document = (await fleet.get(address, accept)).json()
        pins += [each["EquipmentHeader"].get("PIN") for each in document["Equipment"]]
        address = next((link["Href"] for link in document["Links"] if link["Rel"] == "Next"), "")
    assert pins == [machine.header.pin for machine in fleet.machines]


async def test_links_are_absolute_and_only_to_pages_that_exist(fleet: Fleet) -> None:
    base = "http://localhost:8000/api/v2/Fleet"
    for page, expected in (
        (1, {"self": 1, "first": 1, "next": 2, "last": 3}),
        (2, {"self": 2, "first": 1, "prev": 1, "next": 3, "last": 3}),
        (3, {"self": 3, "first": 1, "prev": 2, "last": 3}),
    ):
        answer = await fleet.get(f"/api/v2/Fleet/{page}", "application/json", Host="evil.example")
        assert {link["rel"]: link["href"] for link in answer.json()["Links"]} == {
            rel: f"{base}/{to}" for rel, to in expected.items()
        }


ASKED = [
    "Fleet",
    "Fleet/",
    "fleet/1",
    "Fleet?addMetadata=true",
    "Fleet/1?addMetadata=true",
    "Fleet?page=1&x=a%20b",
]


@pytest.mark.parametrize("asked", ASKED)
async def test_reader_that_goes_on_while_its_address_differs_from_last_comes_to_an_end(
    asked: str, fleet: Fleet
) -> None:
    """It compares addresses as texts, so links keep the one that was asked for, query included."""
    origin = "http://localhost:8000/api/v2/"
    address, pins = origin + asked, list[str]()
    for _ in range(3):
        document = (await fleet.get(address, "application/json")).json()
        links = {link["rel"]: link["href"] for link in document["Links"]}
        pins += [each["EquipmentHeader"].get("PIN") for each in document["Equipment"]]
        assert links["self"] == address
        if address == links["last"]:
            break
        address = links["next"]
    assert pins == [machine.header.pin for machine in fleet.machines]


async def test_fleet_of_one_page_has_its_own_address_in_every_link(fleet: Fleet, app: FastAPI) -> None:
    other = await World.make(fleet.context)
    async with Browser(app) as browser:
        headers = {"Authorization": f"Bearer {await other.token(browser)}", "Accept": "application/json"}
        for asked in ASKED:
            document = (await browser.http.get(f"/api/v2/{asked}", headers=headers)).json()
            assert [link["rel"] for link in document["Links"]] == ["self", "first", "last"]
            assert {link["href"] for link in document["Links"]} == {f"http://localhost:8000/api/v2/{asked}"}


@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_page_may_stand_in_the_query(version: str, fleet: Fleet) -> None:
    path = f"/api/{version}/Fleet"
    for query in ("page=2", "page=2&limit=500", "x=1&Page=2"):
        assert machines_in(await fleet.get(f"{path}?{query}")) == machines_in(await fleet.get(f"{path}/2"))
    for query, status in (("page=0", 400), ("page=", 400), ("page=2&page=3", 400), ("page=99", 404)):
        assert (await fleet.get(f"{path}?{query}")).status_code == status
    assert (await fleet.get(f"{path}/1?page=2")).status_code == 400


async def test_xml_is_the_default_in_the_namespace_of_the_standard(fleet: Fleet) -> None:
    for accept in (None, "*/*", "application/xml", "text/html, */*;q=0.1"):
        answer = await fleet.get("/api/v2/Fleet/1", accept)
        assert answer.headers["content-type"] == "application/xml; charset=utf-8"
        root = etree.fromstring(answer.content)
        assert root.tag == f"{ISO}Fleet"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", root.get("snapshotTime", ""))
        assert len(root.findall(f"{ISO}Equipment")) == 100


async def test_version_1_is_one_whole_aemp_document(fleet: Fleet) -> None:
    root = etree.fromstring((await fleet.get("/api/v1/Fleet/3")).content)
    assert root.tag == f"{AEMP}Fleet"
    assert root.get("version") == "1.2"
    assert not root.findall(f"{AEMP}Links")
    machines = root.findall(f"{AEMP}Equipment")
    assert len(machines) == 30
    hours = [hour.text or "" for hour in root.iter(f"{AEMP}Hour")]
    assert hours
    assert all(re.fullmatch(r"P(?:\d+D)?T?(?:\d+H)?(?:\d+M)?(?:[\d.]+S)?", hour) for hour in hours)


@pytest.mark.parametrize(
    "accept", ["application/json", "image/png", "*/*;q=0", "application/xml; version=20190501"]
)
async def test_version_1_is_xml_whatever_accept_says(accept: str, fleet: Fleet) -> None:
    """Its errors too: it never had another format."""
    usual = await fleet.get("/api/v1/Fleet/1")
    for path, status in (
        ("/api/v1/Fleet/1", 200),
        ("/api/Fleet/1", 200),
        ("/api/v1/Fleet/99", 404),
        ("/api/fleet/0", 400),
    ):
        answer = await fleet.get(path, accept)
        assert (answer.status_code, answer.headers["content-type"]) == (
            status,
            "application/xml; charset=utf-8",
        )
        assert status != 200 or answer.content == usual.content


async def test_earlier_addresses_answer_as_their_successors(fleet: Fleet) -> None:
    """RoviTracker's documentation had them once."""
    named = next(
        machine.header for machine in fleet.machines if machine.header.pin and machine.header.equipment_id
    )
    for earlier, successor in (
        ("/api/Fleet", "/api/v1/Fleet/1"),
        ("/api/Fleet/3", "/api/v1/Fleet/3"),
        ("/api/fleet/2", "/api/v1/Fleet/2"),
        (f"/api/v2/Fleet/{quote(ODD_ID, safe='')}", f"/api/v2/Fleet/Equipment/{quote(ODD_ID, safe='')}"),
        (f"/api/v2/Fleet/{named.pin}", f"/api/v2/Fleet/Equipment/{named.pin}"),
    ):
        now, then = await fleet.get(successor), await fleet.get(earlier)
        assert now.status_code == then.status_code == 200
        assert then.content == now.content.replace(successor.encode(), earlier.encode())


async def test_slash_behind_the_fleet_changes_nothing(fleet: Fleet) -> None:
    for path in ("/api/v1/Fleet", "/api/v2/Fleet", "/api/Fleet"):
        plain, slashed = await fleet.get(path), await fleet.get(f"{path}/")
        assert slashed.status_code == plain.status_code == 200
        assert machines_in(slashed) == machines_in(plain)


def machines_in(answer: httpx2.Response) -> list[bytes]:
    return [etree.tostring(each) for each in etree.fromstring(answer.content).iter("{*}Equipment")]


async def test_one_machine_is_found_by_each_of_its_names(fleet: Fleet) -> None:
    complete = (
        machine.header
        for machine in fleet.machines
        if machine.header.serial_number and machine.header.equipment_id
    )
    machine = next(header for header in complete if header.pin)
    for identifier in (machine.pin, machine.serial_number, machine.equipment_id):
        assert identifier
        for spelling in (identifier, identifier.lower(), f" {identifier} "):
            answer = await fleet.get(
                f"/api/v2/Fleet/Equipment/{quote(spelling, safe='')}", "application/json"
            )
            assert [each["EquipmentHeader"]["PIN"] for each in answer.json()["Equipment"]] == [machine.pin]


async def test_ids_with_every_character_are_found_encoded(fleet: Fleet) -> None:
    for version in ("v1", "v2"):
        answer = await fleet.get(f"/api/{version}/Fleet/Equipment/{quote(ODD_ID, safe='')}")
        assert answer.status_code == 200, answer.text
        assert "&lt;Odd &amp; Co&gt;" in answer.text


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/v2/Fleet/4", 404, "page_not_found"),
        ("/api/v2/Fleet/0", 400, "invalid_page"),
        ("/api/v2/Fleet/999999999", 404, "page_not_found"),
        ("/api/v2/Fleet/99999999999999999999", 404, "page_not_found"),
        ("/api/v2/Fleet/-1", 400, "invalid_page"),
        ("/api/v2/Fleet/one", 404, "equipment_not_found"),
        ("/api/v2/Fleet/Equipment/NOSUCHPIN", 404, "equipment_not_found"),
        ("/api/v2/Fleet/Equipment/%00", 404, "equipment_not_found"),
        ("/api/v2/Fleet/Equipment/%ff", 404, "equipment_not_found"),
        ("/api/v2/Nothing", 404, "not_found"),
    ],
)
async def test_errors_come_in_the_asked_format(path: str, status: int, code: str, fleet: Fleet) -> None:
    """An error is never the framework's own document, and never a trace."""
    as_json = await fleet.get(path, "application/json")
    assert (as_json.status_code, as_json.json()["status"], as_json.json()["code"]) == (status, status, code)
    as_xml = await fleet.get(path)
    root = etree.fromstring(as_xml.content)
    assert (as_xml.status_code, root.tag, root.findtext("Code")) == (status, "Error", code)


PREFIXES = [f"/api/{version}/Fleet{rest}" for version in ("v1", "v2") for rest in ("", "/Equipment")]
MEANT = ["ID", "MakeModelSerial", "Distance", "Faults", "1", "999999999", ODD_ID]
MEANT += ["1900-01-01T00:00:00Z", "1900-01-31T23:59:59Z", "2099-12-31T23:59:59-23:59"]
SEGMENT = st.sampled_from(MEANT) | st.text(max_size=300)


@given(prefix=st.sampled_from(PREFIXES), segments=st.lists(SEGMENT, max_size=6))
@examples(100)
async def test_any_address_is_answered_or_refused(prefix: str, segments: list[str], fleet: Fleet) -> None:
    """R-69: no store is asked for what it cannot hold."""
    answer = await fleet.get("/".join((prefix, *(quote(each, safe="") for each in segments))))
    assert answer.status_code in (200, 400, 404), answer.text


async def test_accept_may_come_in_several_lines(fleet: Fleet) -> None:
    """RFC 9110 section 5.3: for a document and for an error."""
    headers = [
        ("Authorization", f"Bearer {fleet.token}"),
        ("Accept", "text/plain"),
        ("Accept", "application/json"),
    ]
    for page, status in ((1, 200), (4, 404)):
        answer = await fleet.http.get(f"/api/v2/Fleet/{page}", headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json")


async def test_other_methods_and_formats_are_refused_by_name(fleet: Fleet) -> None:
    headers = {"Authorization": f"Bearer {fleet.token}"}
    posted = await fleet.http.post("/api/v2/Fleet/1", headers=headers)
    assert posted.status_code == 405
    assert set(posted.headers["allow"].split(", ")) == {"GET", "HEAD"}
    assert (await fleet.get("/api/v2/Fleet/1", "image/png")).status_code == 406


# Both requests bring the same one, so that their refusals may differ in nothing.
REFERENCE = "one-and-the-same"
SIZES = {
    "/api/v2/Fleet/1": 200,
    "/api/v1/Fleet/3": 200,
    f"/api/v2/Fleet/Equipment/{quote(ODD_ID, safe='')}": 200,
    f"/api/v2/Fleet/Equipment/{quote(ODD_ID, safe='')}/Faults": 200,
    "/api/v2/Fleet/99": 404,
    "/api/v2/Fleet/0": 400,
    "/api/v2/Nothing": 404,
}


@pytest.mark.parametrize(("path", "status"), SIZES.items())
@pytest.mark.parametrize(
    ("asked", "unpack"), [("gzip", gzip.decompress), ("x-gzip", gzip.decompress), ("zstd", zstd.decompress)]
)
async def test_whoever_asks_for_a_coding_gets_it_whatever_the_size(
    asked: str, unpack: Callable[[bytes], bytes], path: str, status: int, fleet: Fleet
) -> None:
    """A large maker's client unzips whatever comes, and failed on every small fleet. Errors are coded too."""
    plain = await fleet.get(path, **{"Accept-Encoding": "identity", "X-Request-Id": REFERENCE})
    assert "content-encoding" not in plain.headers
    answer, packed = await packed_from(fleet, path, f"Bearer {fleet.token}", asked)
    assert (answer.status_code, plain.status_code) == (status, status)
    assert answer.headers["content-encoding"] == asked.removeprefix("x-")
    assert unpack(packed) == plain.content
    assert answer.headers["vary"] == plain.headers["vary"] == "Accept, Accept-Encoding"


async def test_refused_token_is_answered_in_the_asked_coding(fleet: Fleet) -> None:
    answer, packed = await packed_from(fleet, "/api/v2/Fleet/1", "Bearer nobody", "gzip")
    assert (answer.status_code, answer.headers["content-encoding"]) == (401, "gzip")
    assert etree.fromstring(gzip.decompress(packed)).findtext("Code") == "invalid_token"
    too_many, body = await packed_from(fleet, "/api/v2/Fleet/1", f"Bearer {fleet.token}", "gzip," * 201)
    assert (too_many.status_code, "content-encoding" in too_many.headers) == (431, False)
    assert etree.fromstring(body).findtext("Status") == "431"


async def packed_from(
    fleet: Fleet, path: str, authorization: str, asked: str
) -> tuple[httpx2.Response, bytes]:
    """An answer, and its body as it came over the wire."""
    headers = {"Authorization": authorization, "Accept-Encoding": asked, "X-Request-Id": REFERENCE}
    async with fleet.http.stream("GET", path, headers=headers) as answer:
        return answer, b"".join([chunk async for chunk in answer.aiter_raw()])


async def test_another_customers_machine_is_not_there(fleet: Fleet, app: FastAPI, context: Context) -> None:
    """R-71: every way to a machine, by every identifier of it."""
    other = await World.make(context)
    pin = fleet.machines[0].header.pin
    async with Browser(app) as browser:
        headers = {"Authorization": f"Bearer {await other.token(browser)}", "Accept": "application/json"}
        for path in (f"/api/v2/Fleet/Equipment/{pin}", "/api/v2/Fleet/2"):
            assert (await browser.http.get(path, headers=headers)).status_code == 404
        own = await browser.http.get("/api/v2/Fleet/1", headers=headers)
        assert own.json()["Equipment"] == []
        v1 = await browser.http.get(f"/api/v1/Fleet/Equipment/{pin}", headers={**headers, "Accept": "*/*"})
        assert v1.status_code == 404


ROUTES = ["/api/v1/Fleet/1", "/api/v1/Fleet/Equipment/X", "/api/v2/Fleet/1", "/api/v2/Fleet/Equipment/X"]


@pytest.mark.parametrize("path", ROUTES)
async def test_no_credentials_get_a_challenge_without_an_error(path: str, browser: Browser) -> None:
    """O-69, O-70, O-153."""
    answer = await browser.get(path)
    assert answer.status_code == 401
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith('Bearer realm="RoviTracker"')
    assert "error" not in challenge
    assert 'resource_metadata="http://localhost:8000/.well-known/oauth-protected-resource/api"' in challenge


async def test_bad_tokens_are_invalid_and_all_alike(browser: Browser, fleet: Fleet) -> None:
    """O-72, O-77."""
    wrong_sum = fleet.token[:-1] + ("0" if fleet.token[-1] != "0" else "1")
    answers = [
        await browser.get(ROUTES[2], Authorization=f"Bearer {token}")
        for token in ("x", wrong_sum, "rovi_at_")
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.headers["www-authenticate"] for answer in answers}) == 1
    assert 'error="invalid_token"' in answers[0].headers["www-authenticate"]


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_scheme_is_compared_without_case(scheme: str, fleet: Fleet, browser: Browser) -> None:
    """O-65."""
    assert (await browser.get(ROUTES[2], Authorization=f"{scheme} {fleet.token}")).status_code == 200


async def test_tokens_in_other_places_are_refused(fleet: Fleet, browser: Browser) -> None:
    """O-67, O-68, O-71, O-136, R-80."""
    in_query = await browser.get(f"{ROUTES[2]}?access_token={fleet.token}")
    both = await browser.get(f"{ROUTES[2]}?access_token={fleet.token}", Authorization=f"Bearer {fleet.token}")
    malformed = await browser.get(ROUTES[2], Authorization="Bearer two words")
    for answer in (in_query, both, malformed):
        assert answer.status_code == 400
        assert 'error="invalid_request"' in answer.headers["www-authenticate"]
    basic = await browser.get(ROUTES[2], Authorization="Basic eDp5")
    assert (basic.status_code, "error" in basic.headers["www-authenticate"]) == (401, False)

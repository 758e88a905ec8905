"""The running service: fleets, connections by every way in, and what each token reads at each address."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic
from urllib.parse import quote
from uuid import UUID, uuid4

from lxml import etree

from app.flows.account.add_operator import find_operator
from app.flows.account.change_application import change_application
from app.flows.account.register_application import RegisteredApplication, register_application
from app.flows.approval.connections import disconnect_application
from app.flows.approval.manual_grant import ManualRequest, issue_manually
from app.flows.approval.terms import Terms, change_terms, read_terms
from app.flows.moving.import_tokens import import_tokens
from app.oauth.actor import COMMAND_LINE, Actor
from app.oauth.token_string import secret_digest
from app.storage.people.application_changes import ApplicationChanges
from tests.lifecycle.house import OPERATOR, PROCESSES, House
from tests.lifecycle.service import document_or_error, request
from tests.sharing.model import Connection, Machine, Model, Way
from tests.support.browser import Browser, query_of
from tests.support.fleets import seen_by
from tests.support.people import CHALLENGE, REDIRECT_URI, VERIFIER, World
from tests.support.raw import RawAnswer, get


@dataclass(slots=True)
class Service:
    house: House
    worlds: list[World] = field(default_factory=list)
    applications: dict[tuple[int, Way], RegisteredApplication] = field(default_factory=dict)
    tokens: dict[tuple[int, Way], str] = field(default_factory=dict)

    def customer(self, owner: int) -> UUID:
        return self.worlds[owner].member.customer_id

    # ---- Every way in ----

    async def register(self, owner: int, way: Way) -> None:
        self.applications[owner, way] = await register_application(
            self.house.context,
            COMMAND_LINE,
            name=f"By {way}",
            company="Sitewise Ltd",
            kind="strict" if way == "strict" else "classic",
            grants=("client_credentials",) if way == "client" else (),
            redirect_uris=() if way == "client" else (REDIRECT_URI,),
            customer_id=self.customer(owner) if way == "client" else None,
        )

    async def connect(self, owner: int, way: Way) -> None:
        """Approve, and get a token by this way."""
        self.tokens[owner, way] = await getattr(self, f"_by_{way}")(owner, self.applications[owner, way])

    async def _by_code(self, owner: int, application: RegisteredApplication, **more: str) -> str:
        world = World(self.house.context, self.worlds[owner].member, application)
        strict = {"response_type": "code", "code_challenge": CHALLENGE, "code_challenge_method": "S256"}
        browser = Browser(base_url=f"http://localhost:{self.house.ports[0]}")
        async with browser:
            page = await world.consent_page(browser, **(strict if more else {}))
            answer = await browser.submit(page, {"decision": "approve"}, action="/consent")
            return await self._token(application, code=query_of(answer)["code"], **more)

    async def _by_strict(self, owner: int, application: RegisteredApplication) -> str:
        return await self._by_code(
            owner, application, grant_type="authorization_code", code_verifier=VERIFIER
        )

    async def _by_client(self, owner: int, application: RegisteredApplication) -> str:
        client_id = str(application.client.id)
        changes = ApplicationChanges(customer_id=self.customer(owner))
        await change_application(self.house.context, COMMAND_LINE, client_id, changes)
        return await self._token(application, grant_type="client_credentials")

    async def _by_manual(self, owner: int, application: RegisteredApplication) -> str:
        context = self.house.context
        issuer = Actor("operator", (await find_operator(context, OPERATOR)).id)
        email = self.worlds[owner].member.email
        asked = ManualRequest(str(application.client.id), email, "confirmed by telephone")
        return (await issue_manually(context, issuer, asked)).text

    async def _by_imported(self, owner: int, application: RegisteredApplication) -> str:
        context, text = self.house.context, uuid4().hex
        line = {
            "sha256": secret_digest(text).hex(),
            "client_id": str(application.client.id),
            "customer_email": self.worlds[owner].member.email,
            "issued_at": context.now().isoformat(),
        }
        moved = await import_tokens(context, COMMAND_LINE, [json.dumps(line).encode()])
        assert moved.imported == 1
        return text

    async def _token(self, application: RegisteredApplication, **fields: str) -> str:
        [answer] = await self.house.ask(0, [request("token", by=application, **fields)])
        document = document_or_error(answer)
        assert isinstance(document, dict), document
        return str(document["access_token"])

    # ---- Terms ----

    async def narrow(self, connection: Connection, ends_at: datetime | None = None) -> None:
        """Set the terms that the model's connection has, by the page's verb."""
        context, customer_id = self.house.context, self.customer(connection.owner)
        application_id = self.applications[connection.owner, connection.way].client.id
        keys = None
        if connection.machines is not None:
            statement = "SELECT key FROM equipment WHERE pin = ANY($1::text[])"
            rows = await seen_by(context, customer_id, statement, sorted(connection.machines))
            keys = frozenset(row["key"] for row in rows)
        _, version = await read_terms(context, customer_id, application_id)
        terms = Terms(keys, connection.history_from, ends_at)
        actor = self.worlds[connection.owner].member.actor
        await change_terms(context, actor, customer_id, application_id, terms, version=version)

    async def cut(self, connection: Connection) -> None:
        application_id = self.applications[connection.owner, connection.way].client.id
        actor = self.worlds[connection.owner].member.actor
        await disconnect_application(
            self.house.context, actor, self.customer(connection.owner), application_id
        )

    # ---- What is read ----

    async def hold(self, model: Model, asked: list[Machine]) -> None:
        """Everything that is read is what the model says, in each process, within a second."""
        began = monotonic()
        while True:
            late = monotonic() - began > 1
            wrong = [each for process in PROCESSES for each in await self._wrong(process, model, asked)]
            if not wrong:
                break
            assert not late, wrong[:5]
        await self._hold_bytes(model)

    async def _hold_bytes(self, model: Model) -> None:
        """A process that remembers pages sends the very bytes of one that does not, also when it is asked again."""
        requests = [
            get(address, b"Authorization: Bearer " + self.tokens[by].encode(), b"Accept: " + accept)
            for by, connection in model.connections.items()
            if connection.stands
            for address in (b"/api/v2/Fleet/1", b"/api/v1/Fleet/1")
            for accept in (b"application/xml", b"application/json")
        ]
        first, again, afresh = [
            [answer.body for answer in await self.house.ask(process, requests)] for process in (0, 0, 1)
        ]
        assert first == again == afresh

    async def _wrong(self, process: int, model: Model, asked: list[Machine]) -> list[object]:
        expected: list[tuple[str, object]] = []
        requests: list[bytes] = []
        readers = []
        for (owner, way), connection in model.connections.items():
            token = self.tokens[owner, way]
            for address, told, read in addresses(model, connection, asked):
                expected.append((f"{owner} {way} {address}", told))
                requests.append(
                    get(
                        address.encode(),
                        b"Authorization: Bearer " + token.encode(),
                        b"Accept: " + accepted(address),
                    )
                )
                readers.append(read)
        answers = await self.house.ask(process, requests)
        found = [read(answer) for read, answer in zip(readers, answers, strict=True)]
        return [
            (process, where, {"told": told, "found": each})
            for (where, told), each in zip(expected, found, strict=True)
            if told != each
        ]


def accepted(address: str) -> bytes:
    return b"application/xml" if "/v1/" in address else b"application/json"


def addresses(
    model: Model, connection: Connection, asked: list[Machine]
) -> Iterator[tuple[str, object, Callable[[RawAnswer], object]]]:
    """Addresses, what the model expects there, and the reader of the answer."""
    shown = [each for each in model.machines.values() if connection.shows(each)]
    fleet = {each.pin: connection.newest(each) for each in shown}
    yield "/api/v2/Fleet/1", fleet if connection.stands else 401, read_fleet_json
    yield "/api/v1/Fleet/1", set(fleet) if connection.stands else 401, read_fleet_v1
    for machine in asked:
        pin, seen = quote(machine.pin), connection.shows(machine)
        alone = {machine.pin: connection.newest(machine)} if seen else 404
        yield f"/api/v2/Fleet/Equipment/{pin}", alone if connection.stands else 401, read_fleet_json
        yield f"/api/v2/Fleet/Equipment/ID/No{pin}", alone if connection.stands else 401, read_fleet_json
        until = datetime.now(UTC) + timedelta(minutes=1)
        dates = f"{until - timedelta(days=13):%Y-%m-%dT%H:%M:%SZ}/{until:%Y-%m-%dT%H:%M:%SZ}"
        series = connection.series(machine) if seen else 404
        address = f"/api/v2/Fleet/Equipment/{pin}/CumulativeOperatingHours/{dates}/1"
        yield address, series if connection.stands else 401, read_series


def read_fleet_json(answer: RawAnswer) -> object:
    if answer.status != 200:
        return answer.status
    return {
        each["EquipmentHeader"]["PIN"]: each.get("CumulativeOperatingHours", {}).get("Hour")
        for each in answer.document["Equipment"]
    }


def read_fleet_v1(answer: RawAnswer) -> object:
    if answer.status != 200:
        return answer.status
    return {
        str(each.text).removeprefix("No") for each in etree.fromstring(answer.body).iter("{*}EquipmentID")
    }


def read_series(answer: RawAnswer) -> object:
    if answer.status != 200:
        return answer.status
    return [each["Hour"] for each in answer.document["CumulativeOperatingHours"]]

"""Customers with fleets, and the connections by which applications read them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from app.aemp.model.values import Equipment
from app.context import Context
from app.flows.account.register_application import register_application
from app.flows.approval.connections import disconnect_application
from app.flows.approval.terms import Terms, change_terms, read_terms
from app.flows.fleet.import_fleet import import_machines
from app.oauth.actor import COMMAND_LINE
from app.storage.people.members import Member
from tests.lifecycle.service import document_or_error, request
from tests.soak.processes import Pair
from tests.soak.quiet import Quiet
from tests.support.approvals import waiting_code
from tests.support.fleets import machine, seen_by
from tests.support.people import REDIRECT_URI, VERIFIER, World
from tests.support.raw import RawAnswer, send


@dataclass(frozen=True, slots=True)
class House:
    """What a soak works on. database_url: of PostgreSQL's owner."""

    context: Context
    processes: Pair
    database_url: str
    redis_url: str


Way = Literal["classic", "strict", "client", "gateway"]
READERS: tuple[Way, ...] = ("classic", "strict", "client")  # a gateway only writes

# A process hears of a change of terms, or of an end, within a second.
HEARD_WITHIN_S = 1.0


@dataclass(slots=True)
class Connection:
    """An application and its newest token for one customer. tags: what each address was answered with last."""

    world: World
    way: Way
    token: str
    tags: dict[tuple[bytes, ...], str] = field(default_factory=dict)

    @property
    def bearer(self) -> bytes:
        return b"Authorization: Bearer " + self.token.encode()


@dataclass(slots=True)
class Customer:
    """pins: of the machines in their fleet. left: of those that were released, and may come back."""

    member: Member
    pins: list[str]
    left: list[str] = field(default_factory=list)
    connections: dict[Way, Connection] = field(default_factory=dict)
    quiet: Quiet = field(default_factory=Quiet)


async def make_customer(house: House, machines: int) -> Customer:
    """A customer whose machines reported ten days ago and yesterday, and every way in."""
    context = house.context
    world = await World.make(context)
    mark = world.member.id.hex[-8:].upper()
    customer = Customer(world.member, [f"{mark}M{number:03}" for number in range(machines)])
    now = datetime.now(UTC).replace(microsecond=0)
    for hours, days in ((10.0, 10), (20.0, 1)):
        told = [told_by(pin, hours, now - timedelta(days=days)) for pin in customer.pins]
        await import_machines(context, world.member.customer_id, told)
    ways: tuple[Way, ...] = (*READERS, "gateway")
    for way in ways:
        made = await _register(context, world, way)
        customer.connections[way] = Connection(made, way, await approve(house, made, way))
    return customer


def told_by(pin: str, hours: float, at: datetime, *, equipment_id: str | None = None) -> Equipment:
    """A machine's header and its hours at a time."""
    header = {"equipment_id": equipment_id or f"No{pin}", "oem_name": "Volvo & Co", "model": "EC220E"}
    return machine(pin, hours=hours, at=at, **header)


async def _register(context: Context, world: World, way: Way) -> World:
    """The same customer with an application of this kind."""
    by_itself = way in ("client", "gateway")
    registered = await register_application(
        context,
        COMMAND_LINE,
        name=f"By {way}",
        company="Sitewise Rentals Ltd",
        kind="strict" if way == "strict" else "classic",
        grants=("client_credentials",) if by_itself else (),
        scope=("telemetry:write",) if way == "gateway" else (),
        redirect_uris=() if by_itself else (REDIRECT_URI,),
        customer_id=world.member.customer_id if by_itself else None,
    )
    return replace(world, registered=registered)


async def approve(house: House, world: World, way: Way) -> str:
    """A new access token; the customer approves it first where the application does not act by itself."""
    return str((await exchange(house.processes[0].port, world, way))["access_token"])


async def exchange(port: int, world: World, way: Way) -> Mapping[str, object]:
    """What a token request of this way is answered."""
    fields: dict[str, str] = {}
    if way in ("client", "gateway"):
        fields["grant_type"] = "client_credentials"
    else:
        fields["code"] = (await waiting_code(world)).text
    if way == "gateway":
        fields["scope"] = "telemetry:write"
    if way == "strict":
        fields |= {"grant_type": "authorization_code", "code_verifier": VERIFIER}
    return await ask(port, "token", world, **fields)


async def ask(port: int, path: str, world: World, **fields: str) -> Mapping[str, object]:
    """Ask by a connection that is closed afterwards. Raises AssertionError when it is refused."""
    document = document_or_error(await ask_raw(port, path, world, **fields))
    assert not isinstance(document, str), f"{path} was answered {document}"
    return document


async def ask_raw(port: int, path: str, world: World, **fields: str) -> RawAnswer:
    [answer] = await send(port, request(path, by=world.registered, **fields), patience_s=30)
    return answer


async def choose(
    context: Context, customer: Customer, way: Way, pins: list[str] | None, history_from: datetime | None
) -> None:
    """Narrow a connection to these machines, None for all, by the verb of its page."""
    customer_id, application_id = (
        customer.member.customer_id,
        customer.connections[way].world.registered.client.id,
    )
    keys = None
    if pins is not None:
        statement = "SELECT key FROM equipment WHERE pin = ANY($1::text[])"
        keys = frozenset(row["key"] for row in await seen_by(context, customer_id, statement, pins))
    _, version = await read_terms(context, customer_id, application_id)
    terms = Terms(keys, history_from)
    await change_terms(context, customer.member.actor, customer_id, application_id, terms, version=version)


async def connect_anew(house: House, customer: Customer, way: Way) -> None:
    """Disconnect an application, and approve it again."""
    connection = customer.connections[way]
    application_id = connection.world.registered.client.id
    actor, customer_id = customer.member.actor, customer.member.customer_id
    await disconnect_application(house.context, actor, customer_id, application_id)
    connection.token = await approve(house, connection.world, way)

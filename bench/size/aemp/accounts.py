"""The two customers, their machines with everything these have told, and the applications that read it."""

import secrets
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from app.context import Context
from app.flows.account.add_customer import add_customer
from app.flows.account.register_application import register_application
from app.flows.fleet.import_fleet import import_machines
from app.flows.fleet.last_24 import refresh_last_24
from app.flows.fleet.load_history import load_history
from app.flows.fleet.write_history import prepare_history
from app.oauth.actor import COMMAND_LINE
from app.storage.fleet.fleet_import import ingest, select_headers
from bench.ground.database import connected
from bench.size.aemp.figures import DAY, METRICS, STEP, Fleet, tell
from bench.size.aemp.fill import Filling, fill
from bench.size.database import keep

SMALL_MACHINES, SMALL_STEPS = 100, DAY // STEP

# Bytes of table and index together. The index grows in a hundred thousand places at once, which leaves its pages half full.
_BYTES_A_READING = 143
# Later readings are told while the ingest is measured, and none may be from the future.
_ROOM = timedelta(hours=12)
_LONGEST = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Account:
    """A fleet, and who reads it."""

    fleet: Fleet
    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Accounts:
    """Kept in the database, where a later run finds them."""

    small: Account
    large: Account


def count_steps(machines: int, gigabytes: float) -> int:
    """The number of steps that fit if all machines report all the time, and that history keeps."""
    fitting = int(gigabytes * 2**30 / _BYTES_A_READING / (machines * len(METRICS)))
    return min(fitting, _LONGEST // STEP)


async def fill_accounts(context: Context, owner_url: str, machines: int, steps: int) -> Any:
    """Fill two accounts, and return them as they are kept.

    Machines and the last of their steps are told as any others are; the steps before are put under them.
    """
    step_s = STEP.total_seconds()
    ends_at = datetime.fromtimestamp((datetime.now(UTC) - _ROOM).timestamp() // step_s * step_s, UTC)
    accounts = [
        await _add_account(context, name, count, told, ends_at)
        for name, count, told in (("small", SMALL_MACHINES, SMALL_STEPS), ("large", machines, steps))
    ]
    fleets = [account.fleet for account in accounts]
    kept = await prepare_history(context, (fleets[1].at(step) for step in range(steps)))
    fillings = [await _filling(context, fleet) for fleet in fleets]
    await fill(owner_url, fillings)
    for fleet, filling in zip(fleets, fillings, strict=True):
        last = [(key, tell(fleet, number, fleet.last)) for number, key in enumerate(filling.keys, start=1)]
        await load_history(context, fleet.customer_id, last, kept)
    await refresh_last_24(context)  # else the service would, while it is measured
    async with connected(owner_url) as owner:
        await owner.execute("VACUUM (ANALYZE)", timeout=None)
    return asdict(Accounts(*accounts))


def found(kept: Any) -> Accounts:
    """The accounts, from what the filling keeps about itself."""
    return Accounts(_account(kept["small"]), _account(kept["large"]))


async def keep_told(owner_url: str, accounts: Accounts, told: int) -> None:
    """Remember how much the large fleet has told."""
    large = replace(accounts.large, fleet=replace(accounts.large.fleet, told=told))
    await keep(owner_url, asdict(replace(accounts, large=large)))


async def keys_of(context: Context, fleet: Fleet) -> list[int]:
    """The keys of the machines, in the order of their numbers."""
    async with ingest(context.database) as transaction:
        headers = await select_headers(transaction, fleet.customer_id)
    return sorted(headers, key=lambda key: headers[key].serial_number or "")


async def _add_account(context: Context, name: str, machines: int, steps: int, ends_at: datetime) -> Account:
    member = await add_customer(
        context, COMMAND_LINE, email=f"{name}@customer.example", name=name, password=secrets.token_urlsafe(16)
    )
    registered = await register_application(
        context,
        COMMAND_LINE,
        name=name,
        company="Bench Ltd",
        grants=("client_credentials",),
        customer_id=member.customer_id,
    )
    fleet = Fleet(name, member.customer_id, machines, ends_at - (steps - 1) * STEP, steps)
    await import_machines(context, fleet.customer_id, tuple(fleet.equipment()))
    return Account(fleet, str(registered.client.id), registered.client_secret or "")


async def _filling(context: Context, fleet: Fleet) -> Filling:
    """A filling of all steps but the last."""
    async with ingest(context.database) as transaction:
        row = await transaction.row("SELECT number FROM fleet WHERE customer_id = $1", fleet.customer_id)
    assert row is not None  # noqa: S101  # it has machines
    return Filling(replace(fleet, told=fleet.told - 1), row["number"], await keys_of(context, fleet))


def _account(kept: Any) -> Account:
    fleet = kept["fleet"]
    begins_at, customer_id = datetime.fromisoformat(fleet["begins_at"]), UUID(fleet["customer_id"])
    return Account(
        **{**kept, "fleet": Fleet(**{**fleet, "begins_at": begins_at, "customer_id": customer_id})}
    )

"""The callers of a run: applications, and customers with their machines, added as the command line adds them."""

import itertools
import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import uvloop

from app.context import Context
from app.flows.account.add_customer import add_customer
from app.flows.account.register_application import RegisteredApplication, register_application
from app.flows.fleet.add_simulated import Simulation, add_simulated
from app.oauth.actor import COMMAND_LINE
from app.oauth.client import ClientKind
from bench.ground.codes import Application, Stores
from bench.ground.context import opened
from bench.ground.service import Service

_REDIRECT_URI = "https://integrator.example/callback"  # never called: the code is read from the redirect
_DAY, _SEED = timedelta(days=1), 1


@dataclass(frozen=True, slots=True)
class Registered:
    """The applications, and the customers they act for."""

    customer_id: UUID
    applications: Sequence[Application]


def register_applications(
    service: Service, stores: Stores, count: int, *, strict: bool = False, machines: int = 1
) -> Registered:
    """They exchange codes, and act by themselves for a customer with machines; strict ones refresh instead."""
    return uvloop.run(_register_applications(service, stores, count, strict=strict, machines=machines))


def seed_accounts(service: Service, stores: Stores, count: int, *, machines: int) -> list[dict[str, Any]]:
    """Make so many pairs of a customer with a fleet and an application, from as few of both as give them."""
    return uvloop.run(_seed_accounts(service, stores, count, machines))


async def _register_applications(
    service: Service, stores: Stores, count: int, *, strict: bool, machines: int
) -> Registered:
    async with opened(service, stores.database_url, stores.redis_url) as context:
        customer_id, _ = await _add_customer(context, machines, timedelta(minutes=5))
        kind: ClientKind = "strict" if strict else "classic"
        made = [await _register(context, kind, None if strict else customer_id) for _ in range(count)]
    return Registered(
        customer_id,
        [Application(each.client.id, each.client_secret or "", customer_id, strict) for each in made],
    )


async def _seed_accounts(service: Service, stores: Stores, count: int, machines: int) -> list[dict[str, Any]]:
    fewest = math.ceil(math.sqrt(count))
    async with opened(service, stores.database_url, stores.redis_url) as context:
        customers = [await _add_customer(context, machines, timedelta(minutes=15)) for _ in range(fewest)]
        made = [await _register(context, "classic") for _ in range(math.ceil(count / fewest))]
    applications = [
        {"client_id": str(each.client.id), "client_secret": each.client_secret, "redirect_uri": _REDIRECT_URI}
        for each in made
    ]
    pairs = itertools.product((account for _, account in customers), applications)
    return [{**customer, **application} for customer, application in itertools.islice(pairs, count)]


async def _add_customer(context: Context, machines: int, interval: timedelta) -> tuple[UUID, dict[str, Any]]:
    """Its id, and with what it signs in to how many machines."""
    name = f"bench-{secrets.token_hex(4)}"
    email, password = f"{name}@customer.example", secrets.token_urlsafe(16)
    member = await add_customer(context, COMMAND_LINE, email=email, name=name, password=password)
    simulation = Simulation(machines, _DAY, _DAY, interval, _SEED, context.now())
    await add_simulated(context, member.customer_id, simulation)
    return member.customer_id, {"email": email, "password": password, "machines": machines}


async def _register(
    context: Context, kind: ClientKind, acts_for: UUID | None = None
) -> RegisteredApplication:
    """acts_for: the customer of its client_credentials tokens."""
    return await register_application(
        context,
        COMMAND_LINE,
        name="Bench",
        company="Bench Ltd",
        redirect_uris=(_REDIRECT_URI,),
        kind=kind,
        grants=("authorization_code", "client_credentials") if acts_for else (),
        customer_id=acts_for,
    )

"""Applications that exchange codes, and may act by themselves for a customer that has one machine; strict ones refresh."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import uvloop

from bench.codes import Application
from bench.seed import Service

_SELECT_CUSTOMER = "SELECT customer_id FROM customer_member WHERE email = $1"


@dataclass(frozen=True, slots=True)
class Registered:
    """The applications, and whom they act for."""

    customer_id: UUID
    applications: Sequence[Application]


def register_applications(
    service: Service, database_url: str, count: int, *, strict: bool = False
) -> Registered:
    email = f"bench-{secrets.token_hex(4)}@customer.example"
    service.run("customer", "add", "--email", email, "--name", "Bench", secret=secrets.token_urlsafe(16))
    service.run("fleet", "simulate", "--customer", email, "--machines", "1", "--days", "1")
    customer_id = uvloop.run(_customer_of(database_url, email))
    grants = ("--grant", "authorization_code", "--grant", "client_credentials", "--customer", email)
    kind = ("--strict",) if strict else grants
    registered = [_register(service, *kind) for _ in range(count)]
    return Registered(
        customer_id, [Application(*credentials, customer_id, strict) for credentials in registered]
    )


def _register(service: Service, *kind: str) -> tuple[UUID, str]:
    address = ("--redirect-uri", "https://integrator.example/callback")
    registered = service.run("app", "register", "--name", "Bench", "--company", "Bench Ltd", *address, *kind)
    return UUID(registered["client_id"]), registered["client_secret"]


async def _customer_of(database_url: str, email: str) -> UUID:
    connection = await asyncpg.connect(database_url)
    try:
        return UUID(str(await connection.fetchval(_SELECT_CUSTOMER, email)))
    finally:
        await connection.close()

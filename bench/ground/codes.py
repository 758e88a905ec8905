"""Codes as consent pages leave them, many at once: in the storage layer's own format, by pipeline and COPY."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import uvloop

from app.oauth.token_string import TokenString, bucket_of, mint, new_id
from app.storage.token.codes import Approval, keys_of, pack_approval
from bench.ground.valkey import BareConnection, RoutedConnection, connect_to
from bench.load.records import form_request, write_requests

CODE_LIFE_S = 3600

# A customer keeps ten tokens of an application; with fewer codes than that, none of a round's is surplus.
_CODES_A_CUSTOMER = 5
_PIPELINE = 1000
# RFC 7636 appendix B
_VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
_CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
# Tables that filled within seconds are planned as if they were small, until autovacuum has seen them.
_ANALYZE = "ANALYZE authorization_grant, classic_token, strict_token"
_CONNECT = """
INSERT INTO connection (customer_id, application_id, approved_at, route)
SELECT customer_id, application_id, clock_timestamp(), 'code'
FROM unnest($1::uuid[], $2::uuid[]) AS pair(customer_id, application_id)
ON CONFLICT DO NOTHING
"""
_NOW_US = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"


@dataclass(frozen=True, slots=True)
class Application:
    """One that exchanges codes; customer_id: the customer it acts for by itself."""

    client_id: UUID
    client_secret: str = field(repr=False)
    customer_id: UUID
    strict: bool = False

    @property
    def credentials(self) -> dict[str, str]:
        return {"client_id": str(self.client_id), "client_secret": self.client_secret}

    def exchange(self, code: TokenString) -> dict[str, str]:
        """The fields of the request that redeems it."""
        more = {"grant_type": "authorization_code", "code_verifier": _VERIFIER} if self.strict else {}
        return {**self.credentials, **more, "code": code.text}


@dataclass(frozen=True, slots=True)
class Stores:
    """The stores in which a contender keeps its codes and tokens, and how.

    pack: key and value of a code in Valkey. has_customers: codes are of customers that exist in PostgreSQL.
    """

    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    pack: Callable[[Approval], tuple[bytes, bytes]]
    has_customers: bool


def pack_for_service(approval: Approval) -> tuple[bytes, bytes]:
    return keys_of(approval.code_id)[1].encode(), pack_approval(approval)


def write_exchanges(
    stores: Stores,
    applications: Sequence[Application],
    path: Path,
    count: int,
    *,
    codes_a_customer: int = _CODES_A_CUSTOMER,
) -> None:
    """Write so many fresh codes of new customers to Valkey, and the requests that exchange them.

    Codes left from before are gone.
    """
    customers = [new_id() for _ in range(-(-count // codes_a_customer))]
    if stores.has_customers:
        uvloop.run(_add_customers(stores.database_url, customers))
    write_exchanges_of(stores, applications, customers, path, count)


def write_exchanges_of(
    stores: Stores, applications: Sequence[Application], customers: Sequence[UUID], path: Path, count: int
) -> None:
    """The same of customers that there are, in turn."""
    codes = uvloop.run(_make_codes(stores, applications, customers, count))
    requests = (form_request("/app/oauth2/token", application.exchange(code)) for application, code in codes)
    write_requests(path, requests)


def write_client_credentials(applications: Sequence[Application], path: Path, _count: int) -> None:
    fields = ({"grant_type": "client_credentials", **each.credentials} for each in applications)
    write_requests(path, (form_request("/app/oauth2/token", each) for each in fields))


async def _make_codes(
    stores: Stores, applications: Sequence[Application], customers: Sequence[UUID], count: int
) -> list[tuple[Application, TokenString]]:
    valkey = await connect_to(stores.redis_url)
    try:
        await valkey.call(b"FLUSHDB")
        codes = []
        waiting: list[Any] = []
        parties = list(islice(zip(cycle(applications), cycle(customers), strict=False), count))
        if stores.has_customers:
            await _connect(stores.database_url, parties)
        approved_at_us = await _now_us(stores.database_url)
        for application, customer_id in parties:
            code = mint("ac", "s" if application.strict else "c", bucket_of(customer_id))
            approval = _approval(code, application, customer_id, approved_at_us)
            waiting.append(_put(valkey, *stores.pack(approval)))
            codes.append((application, code))
            if len(waiting) == _PIPELINE:
                await _answered(waiting)
        await _answered(waiting)
    finally:
        await valkey.close()
    return codes


async def _now_us(database_url: str) -> int:
    database = await asyncpg.connect(database_url)
    try:
        await database.execute(_ANALYZE)
        return int(await database.fetchval(_NOW_US))
    finally:
        await database.close()


async def _add_customers(database_url: str, customers: Sequence[UUID]) -> None:
    database = await asyncpg.connect(database_url)
    try:
        await database.copy_records_to_table(
            "customer",
            columns=("id", "name"),
            records=[(customer_id, "Bench") for customer_id in customers],
        )
        await database.execute("ANALYZE customer")
    finally:
        await database.close()


async def _connect(database_url: str, parties: Sequence[tuple[Application, UUID]]) -> None:
    pairs = list({(customer_id, application.client_id) for application, customer_id in parties})
    database = await asyncpg.connect(database_url)
    try:
        await database.execute(
            _CONNECT, [customer_id for customer_id, _ in pairs], [client_id for _, client_id in pairs]
        )
        await database.execute("ANALYZE connection")
    finally:
        await database.close()


def _approval(
    code: TokenString, application: Application, customer_id: UUID, approved_at_us: int
) -> Approval:
    return Approval(
        code_id=code.id,
        code_digest=code.digest,
        application_id=application.client_id,
        customer_id=customer_id,
        member_id=new_id(),  # named by the grant, and not looked up
        redirect_uri="https://integrator.example/callback",
        scope="aemp:read",
        code_challenge=_CHALLENGE if application.strict else None,
        approved_at_us=approved_at_us,
    )


def _put(valkey: BareConnection | RoutedConnection, key: bytes, value: bytes) -> Any:
    return valkey.call(b"SET", key, value, b"EX", b"%d" % CODE_LIFE_S)


async def _answered(waiting: list[Any]) -> None:
    for future in waiting:
        await future
    waiting.clear()

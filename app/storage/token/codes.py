"""Authorization codes in Valkey: written by one script with the decision they came from, and deleted once redeemed."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import orjson
from asyncpg.pgproto.pgproto import UUID as DriverUUID  # noqa: N811  # a UUID too, made in a tenth of the time

from app.storage.valkey.valkey import Valkey

# Both keys carry the same hash tag, so that they live in one slot of a cluster and one script may touch both.
_APPROVE = """
local standing = redis.call('GET', KEYS[1])
if standing then
    return {standing, redis.call('EXISTS', KEYS[2])}
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if ARGV[3] ~= '' then
    redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[4])
end
return {ARGV[1], 1}
"""


@dataclass(frozen=True, slots=True)
class Marker:
    """The decision taken on one consent page; the first one stands."""

    code_id: UUID
    member_id: UUID
    decision: Literal["approve", "deny"]
    key_name: str
    approved_at_us: int


@dataclass(slots=True)
class Approval:
    """What an authorization code stands for. Times are microseconds since 1970, by PostgreSQL's clock.

    redirect_uri: where the code went; None where no browser takes it. details: what was granted, in JSON, where the
    application asked by authorization details.
    """

    code_id: UUID
    code_digest: bytes
    application_id: UUID
    customer_id: UUID
    member_id: UUID
    redirect_uri: str | None
    scope: str
    code_challenge: str | None
    approved_at_us: int
    details: str | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """The standing decision, and whether its code may still be taken."""

    marker: Marker
    code_waits: bool


async def write_decision(
    valkey: Valkey, marker: Marker, approval: Approval | None, *, marker_life_ms: int, code_life_ms: int
) -> Decided:
    """Write marker and code unless a decision stands; return the one that stands."""
    flow_key, code_key = keys_of(marker.code_id)
    standing, waits = await valkey.run(
        _APPROVE,
        [flow_key, code_key],
        [_pack_marker(marker), marker_life_ms, pack_approval(approval) if approval else b"", code_life_ms],
    )
    return Decided(_unpack_marker(standing), bool(waits))


async def read_code(valkey: Valkey, code_id: UUID) -> Approval | None:
    """The approval, which stands for whoever asks next too: PostgreSQL decides who redeems it."""
    value = await valkey.get(_code_key(code_id))
    return _unpack_approval(code_id, value) if value is not None else None


async def burn_code(valkey: Valkey, code_id: UUID) -> None:
    """Delete a code, surely. Raises StoreUnavailableError when nobody knows whether it is gone."""
    await valkey.delete(_code_key(code_id))


def forget_code(valkey: Valkey, code_id: UUID) -> None:
    """Delete a code that PostgreSQL knows as redeemed."""
    valkey.delete_soon(_code_key(code_id))


def keys_of(code_id: UUID) -> tuple[str, str]:
    """Keys of marker and code. The last 12 bits are left out: the flow has them random, the code has the bucket there."""
    return f"rovi:{{{code_id.hex[:29]}}}:flow", _code_key(code_id)


def _code_key(code_id: UUID) -> str:
    return f"rovi:{{{code_id.hex[:29]}}}:code"


def _pack_marker(marker: Marker) -> bytes:
    return orjson.dumps(marker, default=str)  # str: asyncpg has a kind of UUID of its own


def _unpack_marker(value: bytes) -> Marker:
    fields = orjson.loads(value)
    return Marker(**{**fields, "code_id": UUID(fields["code_id"]), "member_id": UUID(fields["member_id"])})


def pack_approval(approval: Approval) -> bytes:
    """The value of a code's key: the fields in their order. It is read once for every token from a code, so as little as can be."""
    fields = (
        approval.code_digest.hex(),
        approval.application_id.hex,
        approval.customer_id.hex,
        approval.member_id.hex,
        approval.redirect_uri,
        approval.scope,
        approval.code_challenge,
        approval.approved_at_us,
    )
    return orjson.dumps(fields if approval.details is None else (*fields, approval.details))


def _unpack_approval(code_id: UUID, value: bytes) -> Approval:
    code_digest, application_id, customer_id, member_id, *rest = orjson.loads(value)
    return Approval(
        code_id,
        bytes.fromhex(code_digest),
        DriverUUID(application_id),
        DriverUUID(customer_id),
        DriverUUID(member_id),
        *rest,
    )

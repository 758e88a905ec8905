"""Client assertions that were used, remembered in Valkey until they are past."""

from hashlib import sha256
from uuid import UUID

from app.storage.valkey.valkey import Valkey


async def mark_assertion_used(valkey: Valkey, client_id: UUID, jti: str, *, life_ms: int) -> bool:
    """False when it was used before."""
    return await valkey.mark(key_of(client_id, jti), life_ms=life_ms)


def key_of(client_id: UUID, jti: str) -> str:
    """Fixed length. The client id is hashed in, so two applications may use the same jti."""
    return f"rovi:{{{sha256(client_id.bytes + jti.encode()).hexdigest()}}}:assertion"

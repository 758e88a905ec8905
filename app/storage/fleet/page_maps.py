"""The page map that a reader began with is kept in Valkey, under the reader's token."""

from uuid import UUID

import orjson

from app.storage.fleet.fleet import PageMap
from app.storage.valkey.valkey import Valkey

_LIFE_MS = 35 * 60 * 1000  # half an hour, and as long as it is not pinned again


async def set_page_map(valkey: Valkey, token_id: UUID, page_map: PageMap) -> bool:
    """Replace the token's map. Without Valkey nothing is pinned, nobody waits for it, and it is False."""
    value = orjson.dumps((page_map.version, page_map.machine_count, page_map.joined))
    return await valkey.set_soon(page_map_key(token_id), value, life_ms=_LIFE_MS)


async def get_page_map(valkey: Valkey, token_id: UUID) -> PageMap | None:
    """The token's map; None when none is pinned, or Valkey does not answer."""
    value = await valkey.get_soon(page_map_key(token_id))
    return PageMap(*orjson.loads(value)) if value is not None else None


def page_map_key(token_id: UUID) -> str:
    return f"rovi:{{{token_id.hex}}}:pages"

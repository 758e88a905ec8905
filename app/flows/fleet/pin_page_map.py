"""Pin the page map that a reader begins with."""

from uuid import UUID

from app.context import Context
from app.storage.fleet.fleet import PageMap
from app.storage.fleet.page_maps import set_page_map


async def pin_page_map(context: Context, token_id: UUID, page_map: PageMap) -> None:
    """Pin it for the token's next pages. One that was pinned here a moment ago stands: readers come again each minute."""
    if context.pinned.get(token_id) != page_map and await set_page_map(context.valkey, token_id, page_map):
        context.pinned.keep(token_id, page_map)

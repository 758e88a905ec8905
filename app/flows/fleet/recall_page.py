"""Give a page of a fleet again, where a reader would be shown the same now."""

from uuid import UUID

from app.context import Context
from app.flows.fleet.pin_page_map import pin_page_map
from app.flows.fleet.read_fleet import SeenPage
from app.process.pages import Page, PageKey
from app.storage.fleet.page_maps import get_page_map
from app.storage.fleet.unchanged import Seen


async def recall_page(context: Context, key: PageKey, page: int, *, token_id: UUID) -> Page | None:
    """The page that is remembered, if nothing that it shows has changed, whoever wrote it; else None.

    token_id: of a reader, whose pinned map is kept to, and pinned by page 1, as where a page is read.
    """
    kept = context.pages.recall(key)
    if kept is None:
        return None
    if (
        page > 1
        and kept.map is not None
        and await get_page_map(context.valkey, token_id) not in (None, kept.map)
    ):
        return None
    if not await context.unchanged.ask(Seen(key.view.customer_id, kept.snapshot)):
        context.pages.forget(key)
        return None
    if page == 1 and kept.map is not None:
        await pin_page_map(context, token_id, kept.map)
    return kept


def remember_page(context: Context, key: PageKey, seen: SeenPage, *, tag: str, body: bytes | None) -> None:
    context.pages.put(key, Page(tag, body, seen.map, seen.snapshot, seen.asked_at))

"""Give a page of a fleet again where it would show the same, and read anew what changed of it."""

from typing import NamedTuple
from uuid import UUID

from app.context import Context
from app.flows.fleet.pin_page_map import pin_page_map
from app.flows.fleet.read_fleet import FleetPage, SeenPage
from app.process.pages import Page, PageKey, Rows
from app.storage.fleet.changed_figures import select_changed_figures
from app.storage.fleet.page_maps import get_page_map
from app.storage.fleet.unchanged import Seen


class Recalled(NamedTuple):
    """A page that is remembered, and whether it is known that nothing that it shows has changed, whoever wrote it."""

    page: Page
    is_current: bool


async def recall_page(context: Context, key: PageKey, page: int, *, token_id: UUID) -> Recalled | None:
    """The page that is remembered; None when there is none, or the reader goes by another map.

    token_id: of a reader, whose pinned map is kept to, and pinned by page 1, as where a page is read. A page whose figures
    had changed the last time will have changed again: it is not asked whether, but what.
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
    is_current = not kept.is_changing and await context.unchanged.ask(
        Seen(key.view.customer_id, kept.snapshot)
    )
    if is_current and page == 1 and kept.map is not None:
        await pin_page_map(context, token_id, kept.map)
    return Recalled(kept, is_current)


async def read_changed(
    context: Context, key: PageKey, kept: Page, page: int, *, token_id: UUID
) -> FleetPage | None:
    """Read the figures of a recalled page that may have changed since; all other machines stand as they stood.

    None when more may have changed: then the page is read whole.
    """
    asked_at = context.changes.number
    found = await select_changed_figures(context.database, key.view, kept.rows.keys, snapshot=kept.snapshot)
    if found is None:
        context.pages.forget(key)
        return None
    if page == 1 and kept.map is not None:
        await pin_page_map(context, token_id, kept.map)
    return FleetPage(found.machines, page, kept.last_page, SeenPage(found.snapshot, kept.map, asked_at))


def remember_page(
    context: Context,
    key: PageKey,
    found: FleetPage,
    rows: Rows,
    *,
    tag: str,
    body: bytes | None,
    over: Page | None = None,
) -> None:
    """Nothing is remembered of a page that may not be given again. over: the page of which this one was made."""
    if found.seen is None:
        return
    seen = found.seen
    is_changing = over is not None and len(found.machines) > 0
    page = Page(tag, body, rows, seen.map, found.last_page, seen.snapshot, seen.asked_at, is_changing)
    if over is None:
        context.pages.put(key, page)
    else:
        context.pages.renew(key, over, page)

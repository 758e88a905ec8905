"""A page of a fleet: given again as it was while nothing changed, else read, written and remembered.

Where a page is remembered, only machines that changed are read and written. The rest is taken from its bytes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from starlette.requests import Request

from app.aemp.address.negotiation import Representation
from app.aemp.address.paging import Pages, links_for
from app.aemp.model.columns import NEVER
from app.aemp.write.document import Document, write_over
from app.aemp.write.snapshot import Snapshot, snapshot_time
from app.context import Context
from app.flows.fleet.read_fleet import FleetPage, read_fleet_page
from app.flows.fleet.recall_page import read_changed, recall_page, remember_page
from app.process.pages import Page, PageKey, Rows, rows_of
from app.storage.fleet.view import FleetView
from app.web.answer import Answer
from app.web.api.bearer import Caller
from app.web.api.documents import answer_finished, answer_not_modified, decode, encode
from app.web.api.entity_tag import digest_again, digest_rows, is_known, tag_of_rows
from app.web.api.wanted import Form, Wanted
from app.web.paths import V2
from app.web.request import context_of, field_value

Write = Callable[[Snapshot, Representation], Document]


class _Sent(NamedTuple):
    """What a client is sent. body: None where it has the page already."""

    tag: str
    body: bytes | None


@dataclass(slots=True)  # not frozen: each request builds one
class _Asked:
    """One request for a page. key: None where the page is not remembered. known: the tags that the client has."""

    context: Context
    view: FleetView
    token_id: UUID
    pages: Pages
    form: Form
    write: Write
    key: PageKey | None
    known: str

    def document(self, found: FleetPage, newest: Sequence[float]) -> Document:
        """newest: of all machines of the page."""
        links = links_for(root_of(self.context), self.pages, found.last_page)
        at = snapshot_time(newest, now=self.context.now())
        return self.write(Snapshot(at, found.machines, links), self.form.representation)

    def send(self, found: FleetPage, document: Document, rows: Rows, over: Page | None = None) -> _Sent:
        """Finish the page, and remember it. rows: of the document. over: the page of which it was made."""
        tag = tag_of_rows(document.head, rows.digests, self.form.coding)
        sent = _Sent(tag, None if is_known(self.known, tag) else encode(document.body, self.form.coding))
        # A document about machines that never reported anything says which day it is.
        if self.key and max(rows.newest, default=NEVER) > NEVER:
            remember_page(self.context, self.key, found, rows, tag=tag, body=sent.body, over=over)
        return sent


def root_of(context: Context) -> str:
    """What stands before every address in a link: our own origin, never the Host that the client sent."""
    return context.policy.issuer + V2


async def answer_fleet_page(
    request: Request, caller: Caller, wanted: Wanted, pages: Pages, write: Write
) -> Answer:
    """The order is: remembered, unchanged, known to the client."""
    view = caller.view
    key = PageKey(view, wanted.plain, wanted.form) if wanted.plain else None
    asked = _Asked(
        context_of(request),
        view,
        caller.token.id,
        pages,
        wanted.form,
        write,
        key,
        field_value(request, b"if-none-match"),
    )
    sent = (key and await _remembered(asked, key)) or await _read(asked)
    if sent.body is None:
        return answer_not_modified(request, sent.tag)
    return answer_finished(request, wanted.form, sent.tag, sent.body)


async def _remembered(asked: _Asked, key: PageKey) -> _Sent | None:
    """The page from memory, with what changed of it; None where it has to be read whole."""
    number, token_id = asked.pages.number, asked.token_id
    recalled = await recall_page(asked.context, key, number, token_id=token_id)
    if recalled is None:
        return None
    kept = recalled.page
    if not recalled.is_current:
        found = await read_changed(asked.context, key, kept, number, token_id=token_id)
        if found is None:
            return None
        if len(found.machines):
            return _renew(asked, kept, found)
        remember_page(asked.context, key, found, kept.rows, tag=kept.tag, body=kept.body, over=kept)
    if is_known(asked.known, kept.tag):
        return _Sent(kept.tag, None)
    return _Sent(kept.tag, kept.body) if kept.body is not None else None


async def _read(asked: _Asked) -> _Sent:
    found = await read_fleet_page(asked.context, asked.view, asked.pages.number, token_id=asked.token_id)
    keys, newest = found.machines.columns.get("key", ()), found.machines.newest
    document = asked.document(found, newest)
    return asked.send(found, document, _rows_of(document, keys, newest, digest_rows(document.rows)))


def _renew(asked: _Asked, kept: Page, found: FleetPage) -> _Sent | None:
    """Write the figures that were found over what is remembered; None where only the tag of it is."""
    if kept.body is None:
        return None
    keys, newest = kept.rows.keys, [*kept.rows.newest]
    place_of = {key: place for place, key in enumerate(keys)}
    places = [place_of[key] for key in found.machines.columns["key"]]
    for place, at in zip(places, found.machines.newest, strict=True):
        newest[place] = at
    changed = asked.document(found, newest)
    body = decode(kept.body, asked.form.coding)
    document = write_over(changed, places, body, kept.rows.lengths, kept.rows.headers)
    digests = digest_again(kept.rows.digests, document.rows, places)
    return asked.send(found, document, _rows_of(document, keys, newest, digests), over=kept)


def _rows_of(document: Document, keys: Sequence[int], newest: Sequence[float], digests: bytes) -> Rows:
    return rows_of(keys, newest, map(len, document.rows), document.headers, digests)

"""A page of a fleet: given again as it was while nothing changed, else read, rendered and remembered."""

from collections.abc import Callable

from starlette.requests import Request

from app.aemp.address.negotiation import Representation
from app.aemp.address.paging import Pages, links_for
from app.aemp.write.snapshot import Snapshot, take_snapshot
from app.context import Context
from app.flows.fleet.read_fleet import read_fleet_page
from app.flows.fleet.recall_page import recall_page, remember_page
from app.process.pages import PageKey
from app.web.answer import Answer
from app.web.api.bearer import Caller
from app.web.api.documents import answer_finished, answer_not_modified, encode
from app.web.api.entity_tag import entity_tag, is_known
from app.web.api.wanted import Wanted
from app.web.paths import V2
from app.web.request import context_of, field_value

Render = Callable[[Snapshot, Representation], bytes]


def root_of(context: Context) -> str:
    """What stands before every address in a link: our own origin, never the Host that the client sent."""
    return context.policy.issuer + V2


async def answer_fleet_page(
    request: Request, caller: Caller, wanted: Wanted, pages: Pages, render: Render
) -> Answer:
    """The order is: remembered, unchanged, known to the client."""
    context, form = context_of(request), wanted.form
    page, token_id, known = pages.number, caller.token.id, field_value(request, "if-none-match")
    key = PageKey(caller.view, wanted.plain, form) if wanted.plain else None
    kept = await recall_page(context, key, page, token_id=token_id) if key else None
    if kept is not None and is_known(known, kept.tag):
        return answer_not_modified(request, kept.tag)
    if kept is not None and kept.body is not None:
        return answer_finished(request, form, kept.tag, kept.body)
    found = await read_fleet_page(context, caller.view, page, token_id=token_id)
    links = links_for(root_of(context), pages, found.last_page)
    body = render(take_snapshot(found.machines, links, now=context.now()), form.representation)
    tag = entity_tag(body, form.coding)
    sent = None if is_known(known, tag) else encode(body, form.coding)
    # A document about machines that never reported anything says which day it is.
    if key and found.seen and found.machines.tell_something:
        remember_page(context, key, found.seen, tag=tag, body=sent)
    return answer_not_modified(request, tag) if sent is None else answer_finished(request, form, tag, sent)

"""A page of a fleet: given again as it was while nothing changed, else read, rendered and remembered."""

import re
from collections.abc import Callable

from starlette.requests import Request

from app.aemp.address.addresses import FleetAddress
from app.aemp.address.negotiation import Representation
from app.aemp.address.paging import links_for
from app.aemp.write.snapshot import Snapshot, take_snapshot
from app.flows.fleet.read_fleet import read_fleet_page
from app.flows.fleet.recall_page import recall_page, remember_page
from app.process.pages import PageKey
from app.web.answer import Answer
from app.web.api.bearer import Caller
from app.web.api.documents import Form, answer_finished, answer_not_modified, encode
from app.web.api.entity_tag import entity_tag, is_known
from app.web.api.negotiated import coding_of
from app.web.request import context_of, field_value, raw_query

Render = Callable[[Snapshot, Representation], bytes]

# A client may spell an address in endless ways, and each is shown in the links of its own document.
_PLAIN = re.compile(rb"/api/(v1/|v2/)?Fleet(/[1-9][0-9]{0,6})?")


async def answer_fleet_page(
    request: Request,
    caller: Caller,
    address: FleetAddress,
    representation: Representation,
    render: Render,
    *,
    origin: str,
) -> Answer:
    """origin: what stands before each address in a link. The order is: remembered, unchanged, known to the client."""
    context = context_of(request)
    form = Form(representation, coding_of(request))
    page, token_id, known = address.pages.number, caller.token.id, field_value(request, "if-none-match")
    key = _key(request, caller, form)
    kept = await recall_page(context, key, page, token_id=token_id) if key else None
    if kept is not None and is_known(known, kept.tag):
        return answer_not_modified(request, kept.tag)
    if kept is not None and kept.body is not None:
        return answer_finished(request, form, kept.tag, kept.body)
    found = await read_fleet_page(context, caller.view, page, token_id=token_id)
    links = links_for(origin, address.pages, found.last_page)
    body = render(take_snapshot(found.machines, links, now=context.now()), representation)
    tag = entity_tag(body, form.coding)
    sent = None if is_known(known, tag) else encode(body, form.coding)
    # A document about machines that never reported anything says which day it is.
    if key and found.seen and found.machines.tell_something:
        remember_page(context, key, found.seen, tag=tag, body=sent)
    return answer_not_modified(request, tag) if sent is None else answer_finished(request, form, tag, sent)


def _key(request: Request, caller: Caller, form: Form) -> PageKey | None:
    path: bytes = request.scope["raw_path"]
    if raw_query(request) or not _PLAIN.fullmatch(path):
        return None
    return PageKey(caller.view, path, form)

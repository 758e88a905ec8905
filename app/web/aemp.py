"""The AEMP routes: fleet pages and single machines, as AEMP 1.2 (v1) and ISO 15143-3 (v2)."""

import gzip
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from app.aemp.negotiation import AEMP_1_2_OFFER, Representation, accepts_gzip, negotiate
from app.aemp.paging import Link, links_for, parse_page
from app.aemp.render_json import render_fleet_v2_json
from app.aemp.render_xml import render_fleet_v1_xml, render_fleet_v2_xml
from app.aemp.snapshot import Snapshot
from app.aemp.values import Equipment
from app.flows.read_fleet import FleetPage, read_equipment, read_fleet_page
from app.web.bearer import Caller, bearer
from app.web.request import context_of

Reader = Annotated[Caller, Depends(bearer("aemp:read"))]

# Below this a compressed answer is hardly smaller and costs both sides time.
_WORTH_COMPRESSING = 1000


async def fleet_v1(request: Request, caller: Reader) -> Response:
    """GET /api/v1/Fleet/{page}: AEMP 1.2, XML only."""
    representation = negotiate(request.headers.get("accept"), AEMP_1_2_OFFER)
    found = await _page(request, caller)
    return _answer(request, representation, render_fleet_v1_xml(_snapshot(request, found.machines)))


async def equipment_v1(request: Request, caller: Reader) -> Response:
    """GET /api/v1/Fleet/Equipment/{vin}: a fleet of one."""
    representation = negotiate(request.headers.get("accept"), AEMP_1_2_OFFER)
    machine = await read_equipment(context_of(request), caller.customer_id, _last_segment(request))
    return _answer(request, representation, render_fleet_v1_xml(_snapshot(request, (machine,))))


async def fleet_v2(request: Request, caller: Reader) -> Response:
    """GET /api/v2/Fleet/{page}: ISO 15143-3, XML or JSON."""
    representation = negotiate(request.headers.get("accept"))
    found = await _page(request, caller)
    links = links_for(_address(request).rpartition("/")[0], found.page, found.last_page)
    return _answer(
        request, representation, _render_v2(representation, _snapshot(request, found.machines, links))
    )


async def equipment_v2(request: Request, caller: Reader) -> Response:
    """GET /api/v2/Fleet/Equipment/{identifier}: one machine by PIN, VIN, serial number or its own id."""
    representation = negotiate(request.headers.get("accept"))
    machine = await read_equipment(context_of(request), caller.customer_id, _last_segment(request))
    links = (Link("self", _address(request)),)
    return _answer(request, representation, _render_v2(representation, _snapshot(request, (machine,), links)))


async def _page(request: Request, caller: Caller) -> FleetPage:
    number = parse_page(request.path_params["page"])
    return await read_fleet_page(context_of(request), caller.customer_id, number, token_id=caller.token_id)


def _snapshot(request: Request, machines: tuple[Equipment, ...], links: tuple[Link, ...] = ()) -> Snapshot:
    return Snapshot(context_of(request).now(), machines, links)


def _render_v2(representation: Representation, snapshot: Snapshot) -> bytes:
    render = render_fleet_v2_json if representation.is_json else render_fleet_v2_xml
    return render(snapshot, representation)


def _last_segment(request: Request) -> str:
    """The identifier as it was sent: decoded by the router, an encoded slash would part it."""
    return _raw_path(request).partition("/Equipment/")[2]


def _address(request: Request) -> str:
    """This resource as the client wrote its path, at our own origin: never the Host it sent."""
    return context_of(request).policy.issuer + _raw_path(request)


def _raw_path(request: Request) -> str:
    raw_path: bytes = request.scope["raw_path"]
    return raw_path.decode("ascii", errors="replace")


def _answer(request: Request, representation: Representation, body: bytes) -> Response:
    headers = {
        "Content-Type": representation.value,
        "Vary": "Accept, Accept-Encoding",
        "Cache-Control": "private, no-cache",
    }
    if len(body) > _WORTH_COMPRESSING and accepts_gzip(request.headers.get("accept-encoding")):
        body = gzip.compress(body, compresslevel=4, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Response(body, headers=headers)

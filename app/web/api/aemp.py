"""The AEMP routes: every form of address below `Fleet`, as AEMP 1.2 (v1) and ISO 15143-3 (v2)."""

from typing import Annotated, NamedTuple

from fastapi import Depends
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response

from app.aemp.address.addresses import (
    Address,
    FleetAddress,
    IndexAddress,
    MachineAddress,
    SeriesAddress,
    no_such_address,
    parse_address,
)
from app.aemp.address.negotiation import Representation
from app.aemp.address.paging import Asked, Link, links_for
from app.aemp.address.ranges import recent_range
from app.aemp.address.read_kind import ReadKind, read_kind
from app.aemp.model.values import Equipment
from app.aemp.write.render_json import render_fleet_v2_json, render_series_json
from app.aemp.write.render_xml import render_fleet_v1_xml, render_fleet_v2_xml, render_series_xml
from app.aemp.write.snapshot import SeriesPage, Snapshot, newest_reading_at, take_snapshot
from app.flows.fleet.count_reads import note_read
from app.flows.fleet.read_fleet import read_equipment
from app.flows.fleet.read_series import read_reported, read_series
from app.web.answer import Answer, as_response
from app.web.api.bearer import Caller, bearer
from app.web.api.documents import answer_document
from app.web.api.fleet_page import Render, answer_fleet_page
from app.web.api.negotiated import representation_of
from app.web.api.rate_limit import take_from_budget
from app.web.paths import API, V1, V2
from app.web.request import context_of, raw_query


class _FleetConvertor(Convertor[str]):
    """The one word that every address begins with, in whatever case a provider's clients write it."""

    regex = "(?i:fleet)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("fleet", _FleetConvertor())


class Form(NamedTuple):
    """A form of address by the name that measurements have it."""

    path: str


_guard = bearer("aemp:read")


async def reader(request: Request) -> Caller:
    caller = await _guard(request)
    take_from_budget(request, caller)
    return caller


Reader = Annotated[Caller, Depends(reader)]


async def read_v1(request: Request, caller: Reader) -> Response:
    return as_response(await answer_v1(request, caller))


async def read_v2(request: Request, caller: Reader) -> Response:
    return as_response(await answer_v2(request, caller))


async def answer_v1(request: Request, caller: Caller) -> Answer:
    """GET /api/v1/Fleet... and, as it was before, /api/Fleet...: AEMP 1.2: pages of the fleet and single machines."""
    representation = representation_of(request)
    address = _parse(request, V1 if _asked(request).path.startswith(V1) else API)
    if not isinstance(address, FleetAddress | MachineAddress):
        raise no_such_address()
    answer, key = await _answer(request, caller, address, representation, _render_v1)
    _note(request, caller, read_kind(address, aemp_1_2=True), key)
    return answer


async def answer_v2(request: Request, caller: Caller) -> Answer:
    """GET /api/v2/Fleet...: ISO 15143-3, XML or JSON."""
    representation = representation_of(request)
    address = _parse(request, V2)
    answer, key = await _answer(request, caller, address, representation, _render_fleet)
    _note(request, caller, read_kind(address, aemp_1_2=False), key)
    return answer


async def _answer(
    request: Request, caller: Caller, address: Address, representation: Representation, render: Render
) -> tuple[Answer, int]:
    """The document, and the key of the one machine that was named, else 0."""
    if isinstance(address, FleetAddress):
        origin = _at(request)
        return await answer_fleet_page(request, caller, address, representation, render, origin=origin), 0
    if isinstance(address, SeriesAddress):
        series, key = await _series(request, caller, address)
        body = _render_series(series, representation)
    else:
        snapshot, key = await _snapshot(request, caller, address)
        body = render(snapshot, representation)
    return answer_document(request, representation, body), key


async def _snapshot(
    request: Request, caller: Caller, address: MachineAddress | IndexAddress
) -> tuple[Snapshot, int]:
    match address:
        case MachineAddress():
            return await _machine(request, caller, address)
        case IndexAddress():
            return await _index(request, caller, address)


def _note(request: Request, caller: Caller, kind: ReadKind, key: int) -> None:
    """Count what is answered, 304 too: the reader knows the content. key: of the machine that was named, else 0."""
    note_read(context_of(request), caller.customer_id, caller.token, kind, equipment_key=key)


def _render_v1(snapshot: Snapshot, _representation: Representation) -> bytes:
    return render_fleet_v1_xml(snapshot)


def _render_fleet(snapshot: Snapshot, representation: Representation) -> bytes:
    render = render_fleet_v2_json if representation.is_json else render_fleet_v2_xml
    return render(snapshot, representation)


def _render_series(page: SeriesPage, representation: Representation) -> bytes:
    render = render_series_json if representation.is_json else render_series_xml
    return render(page, representation)


async def _machine(request: Request, caller: Caller, address: MachineAddress) -> tuple[Snapshot, int]:
    context = context_of(request)
    machine = await read_equipment(context, caller.view, address.machine, address.perhaps)
    return take_snapshot(machine.flat, (_self(request),), now=context.now()), machine.key


async def _series(request: Request, caller: Caller, address: SeriesAddress) -> tuple[SeriesPage, int]:
    context = context_of(request)
    within, pages = address.range, address.pages
    if within is None:
        within = recent_range(context.now())
        pages = pages.between(within)
    found = await read_series(
        context,
        caller.view,
        address.machine,
        series=address.series,
        within=within,
        page=pages.number,
    )
    links = links_for(_at(request), pages, found.last_page)
    return SeriesPage(address.series, found.readings, links), found.machine_key


async def _index(request: Request, caller: Caller, address: IndexAddress) -> tuple[Snapshot, int]:
    """The machine's name alone, with a link to each series that has readings in the range, by the series' name."""
    machine, reported = await read_reported(context_of(request), caller.view, address.machine, address.range)
    base, rest = _at(request) + address.base, f"{address.dates}/1{address.query}"
    links = (Link(series.name, f"{base}/{series.name}/{rest}") for series in reported)
    newest = newest_reading_at(machine.equipment) or address.range.end_at
    shown = Equipment(header=machine.equipment.header)
    return Snapshot(newest, (shown,), (_self(request), *links)), machine.key


def _parse(request: Request, version: str) -> Address:
    """The undecoded path: decoded by the router, an encoded slash would part it."""
    asked = _asked(request)
    address = parse_address(Asked(asked.path.removeprefix(version), asked.query))
    request.scope["route"] = Form(version + address.form)
    return address


def _self(request: Request) -> Link:
    return Link("self", context_of(request).policy.issuer + _asked(request).address)


def _at(request: Request) -> str:
    """What stands before every address in a link: our own origin, never the Host that the client sent."""
    return context_of(request).policy.issuer + V2


def _asked(request: Request) -> Asked:
    raw_path: bytes = request.scope["raw_path"]
    path, query = (each.decode("ascii", errors="replace") for each in (raw_path, raw_query(request)))
    return Asked(path, query)

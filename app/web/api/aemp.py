"""The AEMP routes: every form of address below `Fleet`, as AEMP 1.2 (v1) and ISO 15143-3 (v2)."""

from typing import Annotated, TypeAlias

from fastapi import Depends
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response

from app.aemp.address.addresses import FleetAddress, IndexAddress, MachineAddress, SeriesAddress
from app.aemp.address.negotiation import Representation
from app.aemp.address.paging import Link, links_for
from app.aemp.address.ranges import recent_range
from app.aemp.model.values import Equipment
from app.aemp.write.document import Document
from app.aemp.write.render_json import render_series_json, write_fleet_v2_json
from app.aemp.write.render_xml import render_series_xml, write_fleet_v1_xml, write_fleet_v2_xml
from app.aemp.write.snapshot import SeriesPage, Snapshot, newest_reading_at, take_snapshot
from app.context import Context
from app.flows.fleet.count_reads import note_read
from app.flows.fleet.read_fleet import read_equipment
from app.flows.fleet.read_series import read_reported, read_series
from app.web.answer import Answer, as_response
from app.web.api.bearer import Caller, bearer
from app.web.api.documents import answer_document
from app.web.api.fleet_page import Write, answer_fleet_page, root_of
from app.web.api.rate_limit import take_from_budget
from app.web.api.wanted import Wanted, wanted_of
from app.web.request import context_of


class _FleetConvertor(Convertor[str]):
    """The one word that every address begins with, in whatever case a provider's clients write it."""

    regex = "(?i:fleet)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("fleet", _FleetConvertor())


OfMachine: TypeAlias = MachineAddress | SeriesAddress | IndexAddress

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
    return await _answer(request, caller, wanted_of(request, aemp_1_2=True), _write_v1)


async def answer_v2(request: Request, caller: Caller) -> Answer:
    """GET /api/v2/Fleet...: ISO 15143-3, XML or JSON."""
    return await _answer(request, caller, wanted_of(request, aemp_1_2=False), _write_fleet)


async def _answer(request: Request, caller: Caller, wanted: Wanted, write: Write) -> Answer:
    """Count what is answered, 304 too: the reader knows the content."""
    address, key = wanted.address, 0  # of the one machine that was named
    if isinstance(address, FleetAddress):
        answer = await answer_fleet_page(request, caller, wanted, address.pages, write)
    else:
        body, key = await _of_machine(request, caller, wanted, address, write)
        answer = answer_document(request, wanted.form, body)
    note_read(context_of(request), caller.customer_id, caller.token, wanted.kind, equipment_key=key)
    return answer


async def _of_machine(
    request: Request, caller: Caller, wanted: Wanted, address: OfMachine, write: Write
) -> tuple[bytes, int]:
    """A document about one machine, and that machine's key."""
    context, representation = context_of(request), wanted.form.representation
    here = Link("self", context.policy.issuer + wanted.asked.address)
    if isinstance(address, SeriesAddress):
        series, key = await _series(context, caller, address)
        return _render_series(series, representation), key
    if isinstance(address, IndexAddress):
        snapshot, key = await _index(context, caller, address, here)
    else:
        snapshot, key = await _machine(context, caller, address, here)
    return write(snapshot, representation).body, key


def _write_v1(snapshot: Snapshot, _representation: Representation) -> Document:
    return write_fleet_v1_xml(snapshot)


def _write_fleet(snapshot: Snapshot, representation: Representation) -> Document:
    write = write_fleet_v2_json if representation.is_json else write_fleet_v2_xml
    return write(snapshot, representation)


def _render_series(page: SeriesPage, representation: Representation) -> bytes:
    render = render_series_json if representation.is_json else render_series_xml
    return render(page, representation)


async def _machine(
    context: Context, caller: Caller, address: MachineAddress, here: Link
) -> tuple[Snapshot, int]:
    machine = await read_equipment(context, caller.view, address.machine, address.perhaps)
    return take_snapshot(machine.flat, (here,), now=context.now()), machine.key


async def _series(context: Context, caller: Caller, address: SeriesAddress) -> tuple[SeriesPage, int]:
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
    links = links_for(root_of(context), pages, found.last_page)
    return SeriesPage(address.series, found.readings, links), found.machine_key


async def _index(context: Context, caller: Caller, address: IndexAddress, here: Link) -> tuple[Snapshot, int]:
    """The machine's name alone, with a link to each series that has readings in the range, by the series' name."""
    machine, reported = await read_reported(context, caller.view, address.machine, address.range)
    base, rest = root_of(context) + address.base, f"{address.dates}/1{address.query}"
    links = (Link(series.name, f"{base}/{series.name}/{rest}") for series in reported)
    newest = newest_reading_at(machine.equipment) or address.range.end_at
    shown = Equipment(header=machine.equipment.header)
    return Snapshot(newest, (shown,), (here, *links)), machine.key

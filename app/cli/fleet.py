"""`rovitracker fleet`: machines of a customer."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from app.aemp.history.history import readings_of
from app.aemp.model.bounds import LARGEST_DOCUMENT, LONGEST_PAGE
from app.aemp.model.values import Equipment
from app.aemp.read.read import parse_file, read_machines
from app.aemp.read.report import Report, read_series
from app.cli import fleet_changes, fleet_offset
from app.cli.files import read_file
from app.cli.fleet_changes import named
from app.cli.members import Customer
from app.cli.output import Json, errors, print_record, print_records
from app.cli.work import with_context
from app.context import Context
from app.flows.account.change_customer import find_member
from app.flows.fleet.add_simulated import Added, Simulation, add_simulated
from app.flows.fleet.import_fleet import import_machines
from app.flows.fleet.read_fleet import read_fleet_page
from app.flows.fleet.write_telemetry import write_telemetry
from app.setting_kinds import parse_duration
from app.storage.people.people import Member

_LAST_PAGE = 10**LONGEST_PAGE - 1

cli = typer.Typer(
    help="Manage a customer's machines: import, show, simulate, offset, remove, transfer.",
    no_args_is_help=True,
)


@cli.command(
    "import",
    epilog="Example: rovitracker fleet import --customer ann@hillside.example fleet.xml fleet.json",
)
def import_(
    customer: Customer,
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Documents of AEMP 1.2 or ISO 15143-3, fleets or series, XML or JSON; or assets of the Rovi API.",
            exists=True,
            dir_okay=False,
        ),
    ],
    machine: Annotated[
        str | None, typer.Option(help="The machine of the series, if their links do not name it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Import machines and their readings; a file with a fault is not imported at all.

    Known readings are not stored again. History does not keep some figures; only the newest of these is shown.
    """
    documents = [_read(file, machine) for file in files]

    async def work(context: Context) -> list[dict[str, Any]]:
        member = await find_member(context, customer)
        return [await _import(context, member, document) for document in documents]

    print_records(with_context(work), as_json=as_json, empty="")


@cli.command(
    epilog="Example: rovitracker fleet simulate --customer ann@hillside.example --machines 250 --days 30"
)
def simulate(
    customer: Customer,
    machines: Annotated[int, typer.Option(min=1, max=100_000, help="The number of machines.")],
    days: Annotated[float, typer.Option(min=0.1, max=3650, help="The days that they have been at work.")],
    interval: Annotated[str, typer.Option(help="The time between two readings.")] = "5m",
    seed: Annotated[int, typer.Option(help="The same seed gives the same machines.")] = 1,
    as_json: Json = False,
) -> None:
    """Add plausible machines to a customer's fleet, with every reading of their days that is kept."""
    simulation = Simulation(
        machines, timedelta(days=days), timedelta(days=days), _interval(interval), seed, datetime.now(UTC)
    )

    async def work(context: Context) -> Added:
        member = await find_member(context, customer)
        with _progress() as progress:
            task = progress.add_task("simulating", total=None)
            return await add_simulated(
                context,
                member.customer_id,
                simulation,
                lambda done, total: progress.update(task, advance=done, total=total),
            )

    added = with_context(work)
    print_record(
        {"added": added.machines.added, "updated": added.machines.updated, "stored": added.stored},
        as_json=as_json,
    )


@cli.command(epilog="Example: rovitracker fleet show --customer ann@hillside.example --page 2")
def show(
    customer: Customer,
    page: Annotated[int, typer.Option(min=1, max=_LAST_PAGE, help="The page; each has 100 machines.")] = 1,
    as_json: Json = False,
) -> None:
    """List a customer's machines with their newest readings."""

    async def work(context: Context) -> list[dict[str, Any]]:
        member = await find_member(context, customer)
        found = await read_fleet_page(context, member.customer_id, page)
        return [_machine(machine) for machine in found.machines]

    print_records(
        with_context(work), as_json=as_json, empty="No machines yet: rovitracker fleet import --help"
    )


fleet_changes.add_to(cli)
fleet_offset.add_to(cli)


@dataclass(frozen=True, slots=True)
class _Document:
    """A file as it was read: machines, or series of machines that are known."""

    name: str
    machines: tuple[Equipment, ...]
    series: tuple[Report, ...]


def _read(file: Path, machine: str | None) -> _Document:
    document = parse_file(read_file(file, most=LARGEST_DOCUMENT), file.name)
    series = read_series(document, file.name, machine)
    return _Document(file.name, () if series else read_machines(document, file.name), series)


async def _import(context: Context, member: Member, document: _Document) -> dict[str, Any]:
    if document.series:
        return await _import_series(context, member, document)
    with _progress() as progress:
        task = progress.add_task(document.name, total=len(document.machines))
        imported = await import_machines(
            context, member.customer_id, document.machines, lambda count: progress.advance(task, count)
        )
    _warn(document.name, [(each.element, each.reason) for each in imported.refused])
    return {
        "file": document.name,
        "machines": len(document.machines),
        "added": imported.added,
        "updated": imported.updated,
        "repeated": imported.repeated,
        "readings": sum(1 for each in document.machines for _ in readings_of(each)) - len(imported.refused),
        "stored": imported.stored,
        "refused": len(imported.refused),
    }


async def _import_series(context: Context, member: Member, document: _Document) -> dict[str, Any]:
    written = await write_telemetry(context, member.customer_id, document.series)
    _warn(document.name, [(each.element or "", each.reason) for each in written.rejections])
    return {
        "file": document.name,
        "machines": len({report.name for report in document.series}),
        "added": 0,
        "updated": 0,
        "repeated": 0,
        "readings": written.accepted,
        "stored": written.stored,
        "refused": len(written.rejections),
    }


def _warn(name: str, refused: list[tuple[str, str]]) -> None:
    """Print a line for each reason, however many readings it concerns."""
    for (element, reason), count in Counter(refused).items():
        errors.print(f"{name}: {count} of {element} not kept: {reason}", soft_wrap=True, markup=False)


def _progress() -> Progress:
    """Show progress on stderr, and only where somebody watches."""
    return Progress(console=errors, transient=True, disable=not errors.is_terminal)


def _interval(text: str) -> timedelta:
    try:
        interval: timedelta = parse_duration(text)
    except ValueError as refused:
        raise typer.BadParameter(str(refused), param_hint="--interval") from None
    if interval < timedelta(seconds=1):
        raise typer.BadParameter("at least 1s", param_hint="--interval")
    return interval


def _machine(machine: Equipment) -> dict[str, Any]:
    location, hours = machine.location, machine.cumulative_operating_hours
    return {
        **named(machine.header),
        "hours": hours and round(hours.hours, 1),
        "position": location and f"{location.latitude:.5f}, {location.longitude:.5f}",
        "fuel_percent": machine.fuel_remaining and machine.fuel_remaining.percent,
    }

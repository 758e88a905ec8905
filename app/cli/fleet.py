"""`rovitracker fleet`: machines of a customer."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from app.aemp.read import read_document
from app.aemp.simulate import simulate_fleet
from app.aemp.values import Equipment
from app.cli import fleet_changes
from app.cli.output import Json, errors, fail, print_record, print_records
from app.cli.work import with_context
from app.context import Context
from app.flows.import_fleet import Imported, import_machines
from app.flows.read_fleet import read_fleet_page
from app.flows.sign_in import normal_email
from app.settings import parse_duration
from app.storage.people import Member, select_member

cli = typer.Typer(
    help="Machines of a customer: import, show, simulate, remove, transfer.", no_args_is_help=True
)

Customer = Annotated[
    str, typer.Option("--customer", metavar="EMAIL", help="Somebody who signs in for the account.")
]


@cli.command(
    "import",
    epilog="Example: rovitracker fleet import --customer ann@hillside.example fleet.xml fleet.json",
)
def import_(
    customer: Customer,
    files: Annotated[
        list[Path], typer.Argument(help="AEMP 1.2 or ISO 15143-3, XML or JSON.", exists=True, dir_okay=False)
    ],
    as_json: Json = False,
) -> None:
    """Import machines; of a file with a fault nothing is imported."""
    documents = {file: read_document(file.read_bytes(), file.name) for file in files}

    async def work(context: Context) -> list[dict[str, Any]]:
        member = await _member(context, customer)
        with _progress() as progress:
            return [
                _row(file.name, machines, await _import(context, member, machines, progress, file.name))
                for file, machines in documents.items()
            ]

    print_records(with_context(work), as_json=as_json, empty="")


@cli.command(
    epilog="Example: rovitracker fleet simulate --customer ann@hillside.example --machines 250 --days 30"
)
def simulate(
    customer: Customer,
    machines: Annotated[int, typer.Option(min=1, max=100_000, help="How many.")],
    days: Annotated[float, typer.Option(min=0.1, max=3650, help="How long they have been at work.")],
    interval: Annotated[str, typer.Option(help="Between two readings.")] = "5m",
    seed: Annotated[int, typer.Option(help="The same seed gives the same machines.")] = 1,
    as_json: Json = False,
) -> None:
    """Add plausible machines to a customer's fleet."""
    interval_s = _interval_s(interval)

    async def work(context: Context) -> Imported:
        member = await _member(context, customer)
        with _progress() as progress:
            simulated = simulate_fleet(
                machines=machines, days=days, interval_s=interval_s, seed=seed, now=datetime.now(UTC)
            )
            made = tuple(progress.track(simulated, total=machines, description="simulating"))
            return await _import(context, member, made, progress, "storing")

    imported = with_context(work)
    print_record({"added": imported.added, "updated": imported.updated}, as_json=as_json)


@cli.command(epilog="Example: rovitracker fleet show --customer ann@hillside.example --page 2")
def show(
    customer: Customer,
    page: Annotated[int, typer.Option(min=1, help="100 machines each.")] = 1,
    as_json: Json = False,
) -> None:
    """List a customer's machines with their newest readings."""

    async def work(context: Context) -> list[dict[str, Any]]:
        member = await _member(context, customer)
        found = await read_fleet_page(context, member.customer_id, page)
        return [_machine(machine) for machine in found.machines]

    print_records(
        with_context(work), as_json=as_json, empty="No machines yet: rovitracker fleet import --help"
    )


fleet_changes.add_to(cli)


async def _member(context: Context, email: str) -> Member:
    member = await select_member(context.database, normal_email(email))
    if member is None:
        fail(f"nobody signs in with {email}: `rovitracker customer add --help`")
    return member


async def _import(
    context: Context, member: Member, machines: tuple[Equipment, ...], progress: Progress, title: str
) -> Imported:
    task = progress.add_task(title, total=len(machines))
    return await import_machines(
        context, member.customer_id, machines, lambda count: progress.advance(task, count)
    )


def _progress() -> Progress:
    """On stderr, and only where somebody watches."""
    return Progress(console=errors, transient=True, disable=not errors.is_terminal)


def _interval_s(text: str) -> int:
    try:
        seconds = int(parse_duration(text).total_seconds())
    except ValueError as refused:
        raise typer.BadParameter(str(refused), param_hint="--interval") from None
    if seconds < 1:
        raise typer.BadParameter("at least 1s", param_hint="--interval")
    return seconds


def _row(name: str, machines: tuple[Equipment, ...], imported: Imported) -> dict[str, Any]:
    return {
        "file": name,
        "machines": len(machines),
        "added": imported.added,
        "updated": imported.updated,
        "repeated": imported.repeated,
    }


def _machine(machine: Equipment) -> dict[str, Any]:
    header, location, hours = machine.header, machine.location, machine.cumulative_operating_hours
    return {
        "oem_name": header.oem_name,
        "model": header.model,
        "equipment_id": header.equipment_id,
        "serial_number": header.serial_number,
        "pin": header.pin,
        "hours": hours and round(hours.hours, 1),
        "position": location and f"{location.latitude:.5f}, {location.longitude:.5f}",
        "fuel_percent": machine.fuel_remaining and machine.fuel_remaining.percent,
    }

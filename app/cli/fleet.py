"""`rovitracker fleet`: machines of a customer."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.progress import Progress

from app.aemp.model.bounds import LONGEST_PAGE
from app.aemp.model.values import Equipment
from app.cli import fleet_changes, fleet_import, fleet_offset
from app.cli.fleet_changes import named
from app.cli.members import Customer
from app.cli.output import Json, errors, print_record, print_records
from app.cli.work import with_context
from app.context import Context
from app.flows.account.change_customer import find_member
from app.flows.fleet.add_simulated import Added, Simulation, add_simulated
from app.flows.fleet.read_fleet import read_fleet_page
from app.setting_kinds import parse_duration
from app.storage.fleet.view import FleetView

_LAST_PAGE = 10**LONGEST_PAGE - 1

cli = typer.Typer(
    help="Manage a customer's machines: import, show, simulate, offset, remove, transfer.",
    no_args_is_help=True,
)


fleet_import.add_to(cli)


@cli.command(
    epilog="Example: rovitracker fleet simulate --customer ann@hillside.example --machines 250 --days 30"
)
def simulate(
    customer: Customer,
    machines: Annotated[int, typer.Option(min=1, max=100_000, help="The number of machines.")],
    days: Annotated[float, typer.Option(min=0.1, max=3650, help="The days that they have been at work.")],
    interval: Annotated[str, typer.Option(help="The time between two readings.")] = "5m",
    seed: Annotated[int, typer.Option(help="The same seed gives the customer the same machines.")] = 1,
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
        found = await read_fleet_page(context, FleetView(member.customer_id), page)
        return [_machine(machine) for machine in found.machines]

    print_records(
        with_context(work), as_json=as_json, empty="No machines yet: rovitracker fleet import --help"
    )


fleet_changes.add_to(cli)
fleet_offset.add_to(cli)


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

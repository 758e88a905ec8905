"""`rovitracker fleet offset`: continues a machine's figures after its device was replaced."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from app.aemp.model.errors import FlawError
from app.aemp.model.series import Metric
from app.aemp.model.times import parse_time
from app.cli.members import Customer
from app.cli.output import Json, print_record
from app.cli.work import with_context
from app.context import Context
from app.flows.account.change_customer import find_member
from app.flows.fleet.set_offset import set_offset
from app.oauth.actor import COMMAND_LINE


def add_to(cli: typer.Typer) -> None:
    cli.command(
        epilog="Example: rovitracker fleet offset --customer ann@hillside.example --machine 9NOR4KX0XLA482113 "
        "--from 2026-05-04T09:30:00Z"
    )(offset)


def offset(
    customer: Customer,
    machine: Annotated[str, typer.Option(help="PIN, serial number or equipment id.")],
    from_: Annotated[
        str, typer.Option("--from", metavar="TIME", help="When the new device began to report.")
    ],
    hours: Annotated[float | None, typer.Option(help="The hours to add to its operating hours.")] = None,
    kilometres: Annotated[float | None, typer.Option(help="The kilometres to add to its odometer.")] = None,
    as_json: Json = False,
) -> None:
    """Continue a machine's hours and distance after its device was replaced.

    Without figures both continue from where they stood, as if the new device began at zero. Figures that came
    since then are restated. Repeating the command changes nothing.
    """
    from_at = _time(from_)
    told = {Metric.CUMULATIVE_OPERATING_HOURS: hours, Metric.DISTANCE: kilometres}
    values = {metric: value for metric, value in told.items() if value is not None}

    async def work(context: Context) -> dict[str, Any]:
        member = await find_member(context, customer)
        put = await set_offset(context, COMMAND_LINE, member, machine, from_at, values=values)
        return {
            "machine": machine,
            "from": from_at,
            "hours": put.values.get(Metric.CUMULATIVE_OPERATING_HOURS),
            "kilometres": put.values.get(Metric.DISTANCE),
            "restated": put.restated,
        }

    print_record(with_context(work), as_json=as_json)


def _time(text: str) -> datetime:
    try:
        return parse_time(text) or datetime.min.replace(tzinfo=UTC)
    except FlawError as flaw:
        raise typer.BadParameter(str(flaw), param_hint="--from") from None

"""`rovitracker fleet`: machines that leave a fleet, for another one or for none."""

from typing import Annotated

import typer

from app.aemp.model.values import EquipmentHeader
from app.cli.members import Customer
from app.cli.output import Json, print_record
from app.cli.work import with_context
from app.context import Context
from app.flows.account.change_customer import find_member
from app.flows.fleet.change_owner import release_machine, transfer_machine
from app.oauth.actor import COMMAND_LINE

Identifier = Annotated[
    str,
    typer.Argument(
        metavar="IDENTIFIER",
        help="The machine's PIN or VIN, else its serial number, else the customer's own id.",
    ),
]


def add_to(cli: typer.Typer) -> None:
    cli.command(
        "remove", epilog="Example: rovitracker fleet remove --customer ann@hillside.example 9NRA2B3C4M0030117"
    )(remove)
    cli.command(
        "transfer",
        epilog="Example: rovitracker fleet transfer --from ann@hillside.example --to bo@quarry.example 9NRA2B3C4M0030117",
    )(transfer)


def remove(
    customer: Customer,
    identifier: Identifier,
    as_json: Json = False,
) -> None:
    """Take a machine out of a customer's fleet, from now on."""

    async def work(context: Context) -> EquipmentHeader:
        return await release_machine(context, COMMAND_LINE, await find_member(context, customer), identifier)

    print_record({**named(with_context(work)), "status": "removed"}, as_json=as_json)


def transfer(
    owner: Annotated[
        str,
        typer.Option("--from", metavar="EMAIL", help="Somebody who signs in for the account that has it."),
    ],
    to: Annotated[
        str, typer.Option("--to", metavar="EMAIL", help="Somebody who signs in for the account that gets it.")
    ],
    identifier: Identifier,
    as_json: Json = False,
) -> None:
    """Hand a machine over to another customer, who sees only what it reports from now on."""

    async def work(context: Context) -> EquipmentHeader:
        return await transfer_machine(
            context,
            COMMAND_LINE,
            await find_member(context, owner),
            await find_member(context, to),
            identifier,
        )

    print_record({**named(with_context(work)), "status": "transferred"}, as_json=as_json)


def named(header: EquipmentHeader) -> dict[str, str | None]:
    """The names of a machine, as every verb prints them."""
    return {
        "oem_name": header.oem_name,
        "model": header.model,
        "equipment_id": header.equipment_id,
        "serial_number": header.serial_number,
        "pin": header.pin,
    }

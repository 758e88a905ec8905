"""`rovitracker customer`: accounts that own machines, and who signs in for them."""

from typing import Annotated

import typer

from app.cli.output import Json, print_record, print_records
from app.cli.secret import read_secret
from app.cli.work import with_context
from app.flows.account.add_customer import add_customer
from app.flows.account.change_customer import disable_customer, enable_customer, set_password
from app.oauth.actor import COMMAND_LINE
from app.storage.people.people import Member, select_customers

cli = typer.Typer(
    help="Manage customers: accounts that own machines, and the people who sign in for them.",
    no_args_is_help=True,
)

Email = Annotated[
    str, typer.Argument(metavar="EMAIL", help="The e-mail address of somebody who signs in for the account.")
]


@cli.command(
    epilog="Example: rovitracker customer add --email ann@hillside.example --name 'Hillside Plant Hire' < password.txt"
)
def add(
    email: Annotated[str, typer.Option(help="The e-mail address that the first person signs in with.")],
    name: Annotated[str, typer.Option(help="The account's name.")],
    as_json: Json = False,
) -> None:
    """Add a customer. It reads the password from stdin or asks for it."""
    password = read_secret("Password", confirm=True)
    member = with_context(
        lambda context: add_customer(context, COMMAND_LINE, email=email, name=name, password=password)
    )
    print_record(_record(member), as_json=as_json)


@cli.command("list", epilog="Example: rovitracker customer list --json")
def list_(as_json: Json = False) -> None:
    """List the customers and who signs in for them."""
    customers = with_context(lambda context: select_customers(context.database))
    rows = [
        {
            "customer_id": str(each.id),
            "name": each.name,
            "emails": list(each.emails),
            "status": "disabled" if each.disabled_at else "enabled",
            "added_at": each.created_at,
        }
        for each in customers
    ]
    print_records(rows, as_json=as_json, empty="No customer yet: rovitracker customer add --help")


@cli.command(epilog="Example: rovitracker customer disable ann@hillside.example")
def disable(email: Email, as_json: Json = False) -> None:
    """Make an account's sessions and tokens inactive, until it is enabled again. Nothing is deleted."""
    member = with_context(lambda context: disable_customer(context, COMMAND_LINE, email))
    print_record({**_record(member), "status": "disabled"}, as_json=as_json)


@cli.command(epilog="Example: rovitracker customer enable ann@hillside.example")
def enable(email: Email, as_json: Json = False) -> None:
    """Make a disabled account's tokens active again."""
    member = with_context(lambda context: enable_customer(context, COMMAND_LINE, email))
    print_record({**_record(member), "status": "enabled"}, as_json=as_json)


@cli.command("set-password", epilog="Example: rovitracker customer set-password ann@hillside.example")
def set_password_(
    email: Email,
    keep_applications: Annotated[
        bool,
        typer.Option(
            "--keep-applications",
            help="Keep the applications connected, because the password was only forgotten and nobody else knew it.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Set a new password, read from stdin or asked for. It ends the person's sessions and disconnects applications."""
    password = read_secret("New password", confirm=True)
    member, ended = with_context(
        lambda context: set_password(
            context, COMMAND_LINE, email, password, cut_applications=not keep_applications
        )
    )
    outcome = {"sessions_ended": ended, "applications_cut": not keep_applications}
    print_record({**_record(member), **outcome}, as_json=as_json)


def _record(member: Member) -> dict[str, str]:
    return {
        "customer_id": str(member.customer_id),
        "email": member.email,
        "name": member.customer_name,
    }

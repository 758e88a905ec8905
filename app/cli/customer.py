"""`rovitracker customer`: accounts that own machines."""

from typing import Annotated

import typer

from app.cli.output import Json, print_record
from app.cli.secret import read_secret
from app.cli.work import with_context
from app.flows.add_customer import add_customer

cli = typer.Typer(
    help="Customers: accounts that own machines, and the people who sign in for them.", no_args_is_help=True
)


@cli.command(
    epilog="Example: `rovitracker customer add --email ann@hillside.example --name 'Hillside Plant Hire' < password.txt`"
)
def add(
    email: Annotated[str, typer.Option(help="With which the first person signs in.")],
    name: Annotated[str, typer.Option(help="Of the account.")],
    as_json: Json = False,
) -> None:
    """Add a customer; the password is read from stdin or asked for."""
    password = read_secret("Password", confirm=True)
    member = with_context(lambda context: add_customer(context, email=email, name=name, password=password))
    print_record(
        {"customer_id": str(member.customer_id), "email": member.email, "name": member.customer_name},
        as_json=as_json,
    )

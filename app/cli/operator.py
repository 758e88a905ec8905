"""`rovitracker operator`: people of RoviTracker."""

from typing import Annotated

import typer

from app.cli.output import Json, print_record
from app.cli.secret import read_secret
from app.cli.work import with_context
from app.flows.account.add_operator import add_operator
from app.oauth.actor import COMMAND_LINE

cli = typer.Typer(help="Manage people of RoviTracker.", no_args_is_help=True)


@cli.callback()
def _group() -> None:
    """With one verb, typer would otherwise make it the group itself."""


@cli.command(
    epilog="Example: rovitracker operator add --email olga@rovitracker.example --name 'Olga Reyes' < password.txt"
)
def add(
    email: Annotated[str, typer.Option(help="The e-mail address that the operator signs in with.")],
    name: Annotated[str, typer.Option(help="The person's name, as the audit trail has it.")],
    as_json: Json = False,
) -> None:
    """Add an operator. It reads the password from stdin or asks for it."""
    password = read_secret("Password", confirm=True)
    operator = with_context(
        lambda context: add_operator(context, COMMAND_LINE, email=email, name=name, password=password)
    )
    print_record(
        {"operator_id": str(operator.id), "email": operator.email, "name": operator.name}, as_json=as_json
    )

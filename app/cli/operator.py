"""`rovitracker operator`: people of RoviTracker."""

from typing import Annotated

import typer

from app.cli.output import Json, print_record
from app.cli.secret import read_secret
from app.cli.work import with_context
from app.flows.account.add_operator import add_operator
from app.oauth.actor import COMMAND_LINE

cli = typer.Typer(help="People of RoviTracker.", no_args_is_help=True)


@cli.callback()
def _group() -> None:
    """With one verb, typer would otherwise make it the group itself."""


@cli.command(
    epilog="Example: rovitracker operator add --email olga@rovitracker.example --name 'Olga Reyes' < password.txt"
)
def add(
    email: Annotated[str, typer.Option(help="With which the operator signs in.")],
    name: Annotated[str, typer.Option(help="Of the person, as the audit trail names them.")],
    as_json: Json = False,
) -> None:
    """Add an operator; the password is read from stdin or asked for."""
    password = read_secret("Password", confirm=True)
    operator = with_context(
        lambda context: add_operator(context, COMMAND_LINE, email=email, name=name, password=password)
    )
    print_record(
        {"operator_id": str(operator.id), "email": operator.email, "name": operator.name}, as_json=as_json
    )

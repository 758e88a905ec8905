"""`rovitracker operator`: people of RoviTracker."""

from typing import Annotated

import typer

from app.cli.output import Json, print_record, print_records
from app.cli.secret import read_secret
from app.cli.work import with_context
from app.flows.account.add_operator import add_operator
from app.flows.account.change_operator import disable_operator, enable_operator, set_operator_role
from app.oauth.actor import COMMAND_LINE
from app.storage.people.operators import select_operators
from app.storage.people.people import OperatorRole, Person

cli = typer.Typer(help="Manage people of RoviTracker.", no_args_is_help=True)

Email = Annotated[
    str, typer.Argument(metavar="EMAIL", help="The e-mail address that the operator signs in with.")
]


@cli.command(
    epilog="Example: rovitracker operator add --email olga@rovitracker.example --name 'Olga Reyes' < password.txt"
)
def add(
    email: Annotated[str, typer.Option(help="The e-mail address that the operator signs in with.")],
    name: Annotated[str, typer.Option(help="The person's name, as the audit trail has it.")],
    role: Annotated[
        OperatorRole, typer.Option(help="What the person may do: support, reviewer or admin.")
    ] = "support",
    as_json: Json = False,
) -> None:
    """Add an operator. It reads the password from stdin or asks for it."""
    password = read_secret("Password", confirm=True)
    operator = with_context(
        lambda context: add_operator(
            context, COMMAND_LINE, email=email, name=name, role=role, password=password
        )
    )
    print_record({**_record(operator), "role": role}, as_json=as_json)


@cli.command("list", epilog="Example: rovitracker operator list --json")
def list_(as_json: Json = False) -> None:
    """List the operators, their roles, and whether each has a second factor."""
    operators = with_context(lambda context: select_operators(context.database))
    rows = [
        {
            "operator_id": str(each.person_id),
            "email": each.email,
            "name": each.name,
            "role": each.role,
            "second_factor": each.second_factor,
            "status": "disabled" if each.disabled_at else "enabled",
            "added_at": each.created_at,
        }
        for each in operators
    ]
    print_records(rows, as_json=as_json, empty="No operator yet: rovitracker operator add --help")


@cli.command(epilog="Example: rovitracker operator role olga@rovitracker.example admin")
def role(
    email: Email,
    new_role: Annotated[OperatorRole, typer.Argument(metavar="ROLE", help="support, reviewer or admin.")],
    as_json: Json = False,
) -> None:
    """Change a role. Somebody of a customer account becomes an operator too. The person signs in anew."""
    person = with_context(lambda context: set_operator_role(context, COMMAND_LINE, email, new_role))
    print_record({**_record(person), "role": new_role}, as_json=as_json)


@cli.command(epilog="Example: rovitracker operator disable olga@rovitracker.example")
def disable(email: Email, as_json: Json = False) -> None:
    """Take the role away and end the sessions, until it is enabled again."""
    person = with_context(lambda context: disable_operator(context, COMMAND_LINE, email))
    print_record({**_record(person), "status": "disabled"}, as_json=as_json)


@cli.command(epilog="Example: rovitracker operator enable olga@rovitracker.example")
def enable(email: Email, as_json: Json = False) -> None:
    """Give a disabled operator the former role back."""
    person = with_context(lambda context: enable_operator(context, COMMAND_LINE, email))
    print_record({**_record(person), "status": "enabled"}, as_json=as_json)


def _record(person: Person) -> dict[str, str]:
    return {"operator_id": str(person.id), "email": person.email, "name": person.name}

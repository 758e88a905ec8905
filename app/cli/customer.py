"""`rovitracker customer`: accounts that own machines, and who signs in for them."""

from typing import Annotated, Any

import typer

from app.cli.customer_people import add_people_verbs
from app.cli.moving import add_customer_import
from app.cli.output import Json, confirm, print_record, print_records
from app.cli.secret import read_secret
from app.cli.work import with_context
from app.context import Context
from app.flows.account.add_customer import add_customer
from app.flows.account.change_customer import (
    disable_customer,
    enable_customer,
    find_account,
    find_member,
    find_person,
    set_password,
)
from app.flows.account.change_email import set_email
from app.flows.account.close import close_customer, erase_person
from app.flows.account.second_factor import reset_second_factor
from app.flows.approval.connections import find_connections
from app.flows.fleet.count_machines import count_machines
from app.oauth.actor import COMMAND_LINE
from app.storage.people.customers import Customer, select_customers
from app.storage.people.members import Member
from app.storage.people.people import Person

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
    """List the customers and who signs in for them, each with a role."""
    customers = with_context(lambda context: select_customers(context.database))
    print_records(
        [_listed(each) for each in customers],
        as_json=as_json,
        empty="No customer yet: rovitracker customer add --help",
    )


@cli.command(epilog="Example: rovitracker customer show ann@hillside.example")
def show(
    account: Annotated[
        str,
        typer.Argument(metavar="ACCOUNT", help="Somebody who signs in for the account, or the account's id."),
    ],
    as_json: Json = False,
) -> None:
    """Show an account: who signs in, how many machines it has, and which applications may act for it."""

    async def work(context: Context) -> dict[str, Any]:
        customer_id, _ = await find_account(context, account)
        [customer] = await select_customers(context.database, customer_id)
        counted = await count_machines(context, customer_id)
        connected = await find_connections(context, customer=str(customer_id))
        return {
            **_listed(customer),
            "machines": counted.machines,
            "machines_heard_today": counted.heard_today,
            "applications": [each.application for each in connected if each.state == "connected"],
        }

    print_record(with_context(work), as_json=as_json)


def _listed(customer: Customer) -> dict[str, Any]:
    status = "closed" if customer.closed_at else "disabled" if customer.disabled_at else "enabled"
    return {
        "customer_id": str(customer.id),
        "name": customer.name,
        "emails": list(customer.emails),
        "roles": list(customer.roles),
        "status": status,
        "added_at": customer.created_at,
    }


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
            help="Keep the applications connected, and the passkeys: the password was only forgotten, and nobody else knew it.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Set a new password, read from stdin or asked for. It ends sessions, disconnects applications and removes passkeys."""
    password = read_secret("New password", confirm=True)
    person, ended = with_context(
        lambda context: set_password(
            context, COMMAND_LINE, email, password, cut_applications=not keep_applications
        )
    )
    outcome = {"sessions_ended": ended, "applications_cut": not keep_applications}
    print_record({**_record(person), **outcome}, as_json=as_json)


@cli.command(
    "reset-second-factor", epilog="Example: rovitracker customer reset-second-factor ann@hillside.example"
)
def reset_second_factor_(
    email: Email,
    keep_passkeys: Annotated[
        bool,
        typer.Option(
            "--keep-passkeys",
            help="Keep the passkeys, because only the authenticator app was lost, and no device with a passkey.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Turn off the app and remove the passkeys of somebody who lost them. It ends their sessions; the password stays."""
    reset = with_context(
        lambda context: reset_second_factor(context, COMMAND_LINE, email, keep_passkeys=keep_passkeys)
    )
    outcome = {"sessions_ended": reset.sessions, "passkeys_removed": reset.passkeys}
    print_record({**_record(reset.person), **outcome}, as_json=as_json)


@cli.command(
    "set-email",
    epilog="Example: rovitracker customer set-email ann@hillside.example ann.lee@hillside.example",
)
def set_email_(
    email: Email,
    new_email: Annotated[
        str, typer.Argument(metavar="NEW", help="The address that the person signs in with from now on.")
    ],
    as_json: Json = False,
) -> None:
    """Change the address of somebody who lost the mailbox. Both addresses are told, and the person is signed out."""
    person = with_context(lambda context: set_email(context, COMMAND_LINE, email, new_email))
    print_record(_record(person), as_json=as_json)


@cli.command(epilog="Example: rovitracker customer close ann@hillside.example")
def close(email: Email, as_json: Json = False) -> None:
    """Close an account: disconnect all applications now, and erase everything in 30 days unless it is enabled again."""

    async def work(context: Context) -> Member:
        member = await find_member(context, email)
        await close_customer(context, COMMAND_LINE, member)
        return member

    print_record({**_record(with_context(work)), "status": "closed"}, as_json=as_json)


@cli.command(epilog="Example: rovitracker customer erase ann@hillside.example --yes")
def erase(
    email: Email,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Erase a person: name, address, password and second factor go at once and for ever, and the account stays."""
    if not yes:
        confirm(f"Erase {email} for ever?", skip="--yes")

    async def work(context: Context) -> Person:
        person = await find_person(context, email)
        await erase_person(context, COMMAND_LINE, person)
        return person

    print_record({**_record(with_context(work)), "status": "erased"}, as_json=as_json)


add_people_verbs(cli)
add_customer_import(cli)


def _record(person: Person) -> dict[str, str | None]:
    return {
        "customer_id": str(person.customer_id) if person.customer_id else None,
        "email": person.email,
        "name": person.customer_name or person.name,
    }

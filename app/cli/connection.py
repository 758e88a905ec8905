"""`rovitracker connection`: which application may act for which customer, and ending that."""

from typing import Annotated

import typer

from app.cli.output import Json, print_record, print_records
from app.cli.work import with_context
from app.context import Context
from app.flows.account.change_application import find_application
from app.flows.account.change_customer import find_account
from app.flows.approval.connections import MOST_FOUND, disconnect_application, find_connections
from app.oauth.actor import COMMAND_LINE

cli = typer.Typer(
    help="Show which applications may act for which customers, and end that.", no_args_is_help=True
)

Customer = Annotated[
    str, typer.Option(metavar="EMAIL", help="Somebody who signs in for the account, or the account's id.")
]
ClientId = Annotated[str, typer.Option(metavar="CLIENT_ID", help="The application.")]


@cli.command(
    "list",
    epilog="Example: rovitracker connection list --customer ann@hillside.example --json",
    help=f"List the connections, the newest first and {MOST_FOUND:,} at most: those that ended too.",
)
def list_(customer: Customer | None = None, client_id: ClientId | None = None, as_json: Json = False) -> None:
    found = with_context(lambda context: find_connections(context, customer=customer, client_id=client_id))
    rows = [
        {
            "customer_id": str(each.customer_id),
            "customer": each.customer,
            "client_id": each.client_id,
            "application": each.application,
            "company": each.company,
            "state": each.state,
            "route": each.route,
            "approved_at": each.approved_at,
            "approved_by": each.approved_by,
            "cut_at": each.cut_at,
            "ends_at": each.ends_at,
            "last_read_at": each.last_read_at,
            "reads_30_days": each.reads_30_days,
        }
        for each in found
    ]
    print_records(rows, as_json=as_json, empty="No application is connected to a customer.")


@cli.command(
    epilog="Example: rovitracker connection end --customer ann@hillside.example "
    "--client-id 0192f0c1-7b1e-7c3a-9d7e-0c6f5a4b3c2d"
)
def end(customer: Customer, client_id: ClientId, as_json: Json = False) -> None:
    """End what an application may do for a customer, until somebody approves anew. Its tokens end at once."""

    async def work(context: Context) -> dict[str, str]:
        customer_id, name = await find_account(context, customer)
        client = (await find_application(context, client_id)).client
        await disconnect_application(context, COMMAND_LINE, customer_id, client.id)
        return {"customer": name, "client_id": client.client_id, "application": client.name, "state": "cut"}

    print_record(with_context(work), as_json=as_json)

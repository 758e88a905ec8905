"""`rovitracker audit`: the trail of what was done, and who did it."""

from typing import Annotated, Any

import typer

from app.cli.output import Json, print_records
from app.cli.work import with_context
from app.context import Context
from app.flows.account.change_application import find_application
from app.flows.account.change_customer import find_member
from app.storage.people.audit import WrittenEvent, select_audit_events

cli = typer.Typer(help="Read the audit trail.", no_args_is_help=True)


@cli.callback()
def _group() -> None:
    """With one verb, typer would otherwise make it the group itself."""


@cli.command(epilog="Example: rovitracker audit tail --customer ann@hillside.example --lines 50")
def tail(
    lines: Annotated[int, typer.Option(min=1, max=10_000, help="The number of events.")] = 20,
    customer: Annotated[
        str | None, typer.Option(metavar="EMAIL", help="Only events about this customer.")
    ] = None,
    client_id: Annotated[str | None, typer.Option(help="Only events about this application.")] = None,
    as_json: Json = False,
) -> None:
    """Print the newest events of the audit trail, the newest last."""

    async def work(context: Context) -> tuple[WrittenEvent, ...]:
        return await select_audit_events(
            context.database,
            application_id=(await find_application(context, client_id)).client.id if client_id else None,
            customer_id=(await find_member(context, customer)).customer_id if customer else None,
            most=lines,
        )

    rows = [_record(event) for event in with_context(work)]
    print_records(rows, as_json=as_json, empty="The audit trail has no such event.")


def _record(event: WrittenEvent) -> dict[str, Any]:
    actor = event.actor or event.actor_id
    return {
        "at": event.at,
        "event": event.event,
        "actor": f"{event.actor_kind} {actor}" if actor else event.actor_kind,
        "client_id": str(event.application_id) if event.application_id else None,
        "application": event.application,
        "customer_id": str(event.customer_id) if event.customer_id else None,
        "customer": event.customer,
        "request_id": event.request_id,
        "address": event.address,
        "detail": event.detail,
    }

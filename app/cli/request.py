"""`rovitracker request`: the manual route, as the operators' page has it."""

from typing import Annotated, Any, get_args
from uuid import UUID

import typer

from app.cli.output import Json, print_record, print_records
from app.cli.work import with_context
from app.context import Context
from app.flows.account.add_operator import find_operator
from app.flows.account.change_application import find_application
from app.flows.manual.ask import ask_customer
from app.flows.manual.judge import (
    MOST_IN_QUEUE,
    find_request,
    list_requests,
    refuse_request,
    release_request,
)
from app.oauth.actor import COMMAND_LINE, Actor
from app.storage.people.access_requests import AccessRequest, RequestState
from app.storage.people.applications import Application, select_applications

cli = typer.Typer(
    help="The manual route: applications that ask a customer for access through RoviTracker.",
    no_args_is_help=True,
)

_ID = "0192f0c1-7b1e-7c3a-9d7e-0c6f5a4b3c2d"
RequestId = Annotated[UUID, typer.Argument(metavar="REQUEST", help="The request's id, from the list.")]
Operator = Annotated[
    str, typer.Option(metavar="EMAIL", help="The operator who is answerable for it: a reviewer or an admin.")
]


@cli.command(
    "list",
    epilog="Example: rovitracker request list --state asked --json",
    help=f"List the requests, the newest first and {MOST_IN_QUEUE:,} at most.",
)
def list_(
    state: Annotated[
        RequestState | None, typer.Option(help=f"Only those: {', '.join(get_args(RequestState))}.")
    ] = None,
    as_json: Json = False,
) -> None:
    async def work(context: Context) -> list[dict[str, Any]]:
        found = await list_requests(context, state)
        applications = await select_applications(context.database, [each.application_id for each in found])
        return [_row(each, applications[each.application_id]) for each in found]

    print_records(with_context(work), as_json=as_json, empty="No request.")


@cli.command(epilog=f"Example: rovitracker request show {_ID}")
def show(request: RequestId, as_json: Json = False) -> None:
    """Show one request: who asks, why, and who decided what when."""
    print_record(with_context(lambda context: _shown(context, request)), as_json=as_json)


@cli.command(
    epilog="Example: rovitracker request ask --client-id 0192f0c1-7b1e-7c3a-9d7e-0c6f5a4b3c2d "
    "--customer ann@hillside.example --reason 'The site manager wants the hours in the rental desk'"
)
def ask(
    client_id: Annotated[str, typer.Option(help="The application that asks.")],
    customer: Annotated[
        str, typer.Option(metavar="EMAIL", help="The customer's address. Nobody is told whether it is one.")
    ],
    reason: Annotated[str, typer.Option(help="The asker's words, which the customer reads.")],
    as_json: Json = False,
) -> None:
    """Enter a request that came by mail. It waits to be released like every other."""

    async def work(context: Context) -> dict[str, Any]:
        client = (await find_application(context, client_id)).client
        request_id = await ask_customer(context, COMMAND_LINE, client.id, email=customer, reason=reason)
        return await _shown(context, request_id)

    print_record(with_context(work), as_json=as_json)


@cli.command(
    epilog=f"Example: rovitracker request release {_ID} "
    "--operator olga@rovitracker.example --reason 'Known company, case 4711'"
)
def release(
    request: RequestId,
    operator: Operator,
    reason: Annotated[str, typer.Option(help="The reason, for the audit trail.")],
    as_json: Json = False,
) -> None:
    """Let a request through: the customer is asked by mail, if the address is a customer's."""

    async def work(context: Context) -> dict[str, Any]:
        await release_request(context, await _operator(context, operator), request, reason=reason)
        return await _shown(context, request)

    print_record(with_context(work), as_json=as_json)


@cli.command(
    epilog=f"Example: rovitracker request refuse {_ID} "
    "--operator olga@rovitracker.example --reason 'We could not reach the company'"
)
def refuse(
    request: RequestId,
    operator: Operator,
    reason: Annotated[
        str,
        typer.Option(
            help="The reason, for the audit trail and the application's owners. Do not say whether there is such a customer."
        ),
    ],
    as_json: Json = False,
) -> None:
    """Refuse a request. Nothing reaches the customer."""

    async def work(context: Context) -> dict[str, Any]:
        await refuse_request(context, await _operator(context, operator), request, reason=reason)
        return await _shown(context, request)

    print_record(with_context(work), as_json=as_json)


async def _operator(context: Context, email: str) -> Actor:
    return Actor("operator", (await find_operator(context, email)).id)


async def _shown(context: Context, request_id: UUID) -> dict[str, Any]:
    found = await find_request(context, request_id)
    [application] = (await select_applications(context.database, [found.application_id])).values()
    return {
        **_row(found, application),
        "scope": found.scope,
        "judged_at": found.judged_at,
        "judged_by": found.judge,
        "judged_reason": found.judged_reason,
        "decided_at": found.decided_at,
        "decided_by": found.decider,
        "closed_at": found.closed_at,
    }


def _row(found: AccessRequest, application: Application) -> dict[str, Any]:
    return {
        "request_id": str(found.id),
        "state": found.state,
        "client_id": application.client.client_id,
        "application": application.client.name,
        "company": application.client.company,
        "customer": found.customer_email,
        "reason": found.reason,
        "asked_by": found.asker,
        "asked_at": found.asked_at,
        "ends_at": found.ends_at,
    }

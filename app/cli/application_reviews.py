"""`rovitracker app`: the reviews that wait, and the operator's yes or no."""

from typing import Annotated, Any

import typer

from app.cli.application_options import ClientId
from app.cli.output import Json, print_record, print_records
from app.cli.work import with_context
from app.context import Context
from app.flows.account.change_application import find_application
from app.flows.developer.review import approve_application, refuse_review
from app.flows.developer.reviews import WaitingReview, find_review, list_reviews
from app.oauth.actor import COMMAND_LINE
from app.oauth.client import Client
from app.storage.people.applications import select_all_applications

_EXAMPLE_ID = "0192f0c1-7b1e-7c3a-9d7e-0c6f5a4b3c2d"
Seen = Annotated[
    str | None,
    typer.Option(
        metavar="SEEN",
        help="What `app list --pending` printed as seen: nothing is decided when it was changed since.",
    ),
]


def add_to(cli: typer.Typer) -> None:
    cli.command(epilog=f"Example: rovitracker app approve {_EXAMPLE_ID}")(approve)
    cli.command(epilog=f"Example: rovitracker app refuse {_EXAMPLE_ID} --reason 'The logo is not yours.'")(
        refuse
    )


def print_pending(*, as_json: bool) -> None:
    """Print the applications that wait, with what to look at twice."""
    print_records(with_context(_pending), as_json=as_json, empty="No application waits for review.")


def approve(client_id: ClientId, seen: Seen = None, as_json: Json = False) -> None:
    """Approve what waits for review. An application in test mode meets real customers from now on."""

    async def work(context: Context) -> Client:
        return await approve_application(context, COMMAND_LINE, client_id, seen=seen)

    client = with_context(work)
    print_record(
        {
            "client_id": client.client_id,
            "name": client.name,
            "company": client.company,
            "redirect_uris": list(client.redirect_uris),
            "status": client.status,
        },
        as_json=as_json,
    )


def refuse(
    client_id: ClientId,
    reason: Annotated[str, typer.Option(help="Why, for its owners, who are told by mail.")],
    seen: Seen = None,
    as_json: Json = False,
) -> None:
    """Refuse what waits for review. What is live stays as it is."""

    async def work(context: Context) -> Client:
        client = (await find_application(context, client_id)).client
        await refuse_review(context, COMMAND_LINE, client.id, reason=reason, seen=seen)
        return client

    client = with_context(work)
    print_record({"client_id": client.client_id, "name": client.name, "refused": True}, as_json=as_json)


async def _pending(context: Context) -> list[dict[str, Any]]:
    waiting = [await _row(context, each) for each in await list_reviews(context)]
    stored = await select_all_applications(context.database)
    return waiting + [
        {**_named(each.client), "asked_at": each.created_at, "changes": "goes live", "marks": [], "seen": ""}
        for each in stored
        if each.client.status == "pending"
    ]


async def _row(context: Context, waiting: WaitingReview) -> dict[str, Any]:
    found = await find_review(context, waiting.review.id)
    review, client = found.review, found.standing.application.client
    return {
        **_named(client),
        "name": review.proposed.name,
        "company": review.proposed.company,
        "asked_at": review.asked_at,
        "changes": "goes live" if review.goes_live else ", ".join(waiting.changed),
        "marks": [str(each) for each in found.marks],
        "seen": found.standing.seen,
    }


def _named(client: Client) -> dict[str, Any]:
    return {"client_id": client.client_id, "name": client.name, "company": client.company}

"""`rovitracker token`: issue a token by hand, inspect one, end one."""

from datetime import timedelta
from typing import Annotated, Any

import typer

from app.cli.duration import duration
from app.cli.moving import add_token_import
from app.cli.output import Json, fail, print_record
from app.cli.secret import read_secret
from app.cli.work import with_context
from app.context import Context
from app.flows.account.add_operator import find_operator
from app.flows.approval.manual_grant import ManualRequest, ManualToken, issue_manually
from app.flows.token.explain_token import Explained, explain_token
from app.flows.token.revoke_token import revoke_any_token
from app.oauth.actor import COMMAND_LINE, Actor

cli = typer.Typer(
    help="Manage access and refresh tokens. A token to inspect or revoke is read from stdin.",
    no_args_is_help=True,
)


@cli.command(
    epilog="Example: rovitracker token issue --client-id 0192f0c1-7b1e-7c3a-9d7e-0c6f5a4b3c2d "
    "--customer ann@hillside.example --operator olga@rovitracker.example --reason 'Confirmed by phone, case 4711'"
)
def issue(
    client_id: Annotated[str, typer.Option(help="The application that gets the token.")],
    customer: Annotated[str, typer.Option(metavar="EMAIL", help="The customer whose machines it may read.")],
    operator: Annotated[
        str, typer.Option(metavar="EMAIL", help="The operator who confirmed it with the customer.")
    ],
    reason: Annotated[str, typer.Option(help="The reason, for the audit trail.")],
    scope: Annotated[
        str | None, typer.Option(help="The scope of the token.", show_default="aemp:read")
    ] = None,
    expires_in: Annotated[
        timedelta | None,
        typer.Option(
            parser=duration,
            metavar="DURATION",
            help="When the token ends, whether used or not.",
            show_default="that of every classic token",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Issue a token that a customer agreed to by other means, and print it, only this once."""
    asked = ManualRequest(client_id, customer, reason, scope, expires_in)

    async def work(context: Context) -> ManualToken:
        issuer = Actor("operator", (await find_operator(context, operator)).id)
        return await issue_manually(context, issuer, asked)

    issued = with_context(work)
    print_record(
        {
            "access_token": issued.text,
            "client_id": issued.client.client_id,
            "name": issued.client.name,
            "company": issued.client.company,
            "customer": customer,
            "scope": issued.scope,
            "expires_at": issued.expires_at,
        },
        as_json=as_json,
    )


@cli.command(epilog="Example: rovitracker token inspect < token.txt")
def inspect(as_json: Json = False) -> None:
    """Show whether a token is active, what it may do for which customer, and why it is dead."""
    text = read_secret("Token")
    explained = with_context(lambda context: explain_token(context, text))
    print_record(_record(explained), as_json=as_json)


def _record(explained: Explained) -> dict[str, Any]:
    facts = explained.facts
    judged = {"active": not explained.reasons, "kind": explained.kind, "reasons": list(explained.reasons)}
    if facts is None:
        return judged
    return {
        **judged,
        "client_id": facts.client_id,
        "application": facts.application,
        "company": facts.company,
        "customer_id": str(facts.customer_id) if facts.customer_id else None,
        "customer": facts.customer,
        "scope": facts.scope,
        "audience": facts.audience,
        "issued_at": facts.issued_at,
        "used_at": facts.used_at,
        "expires_at": facts.expires_at,
    }


@cli.command(epilog="Example: rovitracker token revoke < token.txt")
def revoke(as_json: Json = False) -> None:
    """Revoke a token at once, for every process. A refresh token ends with all tokens from its approval."""
    text = read_secret("Token")
    if not with_context(lambda context: revoke_any_token(context, COMMAND_LINE, text)):
        fail("no such token was issued here")
    print_record({"revoked": True}, as_json=as_json)


add_token_import(cli)

"""`rovitracker token`: issue a token by hand, inspect one, end one."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from app.cli.duration import duration
from app.cli.output import Json, fail, print_record
from app.cli.secret import read_secret
from app.cli.work import with_context
from app.context import Context
from app.flows.account.add_operator import find_operator
from app.flows.approval.manual_grant import ManualRequest, ManualToken, issue_manually
from app.flows.token.check_token import AccessToken, RefreshToken, check_refresh_token, check_token
from app.flows.token.revoke_token import revoke_any_token
from app.oauth.actor import COMMAND_LINE, Actor
from app.oauth.token_string import parse
from app.storage.token.refresh_tokens import StoredRefreshToken

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
            "client_id": str(issued.client.id),
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
    """Show whether a token is active, and what it may do."""
    text = read_secret("Token")
    token = with_context(lambda context: _check(context, text))
    print_record({"active": False} if token is None else _details(token), as_json=as_json)


async def _check(context: Context, unverified_token: str) -> AccessToken | RefreshToken | None:
    token = parse(unverified_token)
    check = check_refresh_token if token is not None and token.kind == "rt" else check_token
    return await check(context, token, "command line")


def _details(token: AccessToken | RefreshToken) -> dict[str, Any]:
    kind, used_at = (
        ("refresh token", None) if isinstance(token, StoredRefreshToken) else ("access token", token.used_at)
    )
    return {
        "active": True,
        "kind": kind,
        "client_id": str(token.application_id),
        "customer_id": str(token.customer_id) if token.customer_id else None,
        "scope": token.scope,
        "audience": token.audience,
        "issued_at": datetime.fromtimestamp(token.issued_at, UTC),
        "used_at": datetime.fromtimestamp(used_at, UTC) if used_at else None,
        "expires_at": datetime.fromtimestamp(token.expires_at, UTC),
    }


@cli.command(epilog="Example: rovitracker token revoke < token.txt")
def revoke(as_json: Json = False) -> None:
    """Revoke a token at once, for every process. A refresh token ends with all tokens from its approval."""
    text = read_secret("Token")
    if not with_context(lambda context: revoke_any_token(context, COMMAND_LINE, text)):
        fail("no such token was issued here")
    print_record({"revoked": True}, as_json=as_json)

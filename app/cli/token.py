"""`rovitracker token`: look at a token, end it."""

import typer

from app.cli.output import Json, fail, print_record
from app.cli.secret import read_secret
from app.cli.work import with_context
from app.flows.check_token import check_token
from app.flows.revoke_token import revoke_any_token

cli = typer.Typer(help="Access tokens; the token is read from stdin.", no_args_is_help=True)


@cli.command(epilog="Example: `rovitracker token inspect < token.txt`")
def inspect(as_json: Json = False) -> None:
    """Show whether a token is active, and what it may do."""
    text = read_secret("Token")
    token = with_context(lambda context: check_token(context, text))
    if token is None:
        print_record({"active": False}, as_json=as_json)
        return
    print_record(
        {
            "active": True,
            "client_id": str(token.application_id),
            "customer_id": str(token.customer_id) if token.customer_id else None,
            "scope": " ".join(token.scope),
            "audience": token.audience,
            "issued_at": token.issued_at,
            "used_at": token.used_at,
            "expires_at": token.expires_at,
        },
        as_json=as_json,
    )


@cli.command(epilog="Example: `rovitracker token revoke < token.txt`")
def revoke(as_json: Json = False) -> None:
    """Revoke a token at once, for every process."""
    text = read_secret("Token")
    if not with_context(lambda context: revoke_any_token(context, text)):
        fail("no such access token was issued here")
    print_record({"revoked": True}, as_json=as_json)

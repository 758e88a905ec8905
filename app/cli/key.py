"""`rovitracker key`: the keys the service signs with."""

from typing import Annotated

import typer

from app.cli.output import Json, print_record, print_records
from app.cli.work import with_context
from app.flows.upkeep.signing_keys import list_signing_keys, rotate_signing_key
from app.oauth.actor import COMMAND_LINE

cli = typer.Typer(help="The keys the service signs its answers with.", no_args_is_help=True)


@cli.command("list", epilog="Example: rovitracker key list")
def list_(as_json: Json = False) -> None:
    """List the published keys: one that waits, the one that signs, those that signed."""
    found = with_context(list_signing_keys)
    rows = [
        {
            "kid": key.kid,
            "stage": stage if key.private else f"{stage}, cannot be opened",
            "created_at": key.created_at,
            "begins_to_sign_at": key.begins_at,
            "leaves_at": key.leaves_at,
        }
        for key, stage in found
    ]
    print_records(rows, as_json=as_json, empty="There is none yet: the service makes one when it starts.")


@cli.command(epilog="Example: rovitracker key rotate")
def rotate(
    at_once: Annotated[
        bool,
        typer.Option(
            "--at-once",
            help="For a key that has become known: the new one signs now and the others are published no longer. "
            "Verifiers that kept them fail until they fetch anew.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a new key: published now, it signs once nobody can be without it; the one before stays for a day."""
    key = with_context(lambda context: rotate_signing_key(context, COMMAND_LINE, at_once=at_once))
    print_record({"kid": key.kid, "begins_to_sign_at": key.begins_at}, as_json=as_json)

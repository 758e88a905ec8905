"""`rovitracker key`: the keys the service signs with."""

from typing import Annotated

import typer

from app.cli.output import Json, print_record, print_records
from app.cli.work import with_context
from app.flows.upkeep.signing_keys import list_signing_keys, rotate_signing_key
from app.oauth.actor import COMMAND_LINE

cli = typer.Typer(help="Manage the keys that the service signs its answers with.", no_args_is_help=True)


@cli.command("list", epilog="Example: rovitracker key list")
def list_(as_json: Json = False) -> None:
    """List the published keys: one that waits, the one that signs, and those that signed before."""
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
            help="Use this when a key has become known. The new key signs now, and the others are no longer published. "
            "Verifiers that kept those fail until they fetch again.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Make and publish a new key, which signs once every verifier can have it. The key before stays for a day."""
    key = with_context(lambda context: rotate_signing_key(context, COMMAND_LINE, at_once=at_once))
    print_record({"kid": key.kid, "begins_to_sign_at": key.begins_at}, as_json=as_json)

"""`rovitracker maintain`: does now what the service does by itself every hour."""

from dataclasses import asdict

import typer

from app.cli.output import Json, print_record
from app.cli.work import with_stores
from app.flows.upkeep.maintain import maintain as maintain_stores


def add_to(cli: typer.Typer) -> None:
    cli.command(epilog="Example: rovitracker maintain")(maintain)


def maintain(as_json: Json = False) -> None:
    """Create the partitions of the coming days, drop past ones, and delete past rows.

    It also keeps up the signing keys, computes the figures of the last 24 hours, and tells owners of connections that end.
    """
    done = with_stores(lambda context, stores: maintain_stores(context, stores.owner_url))
    print_record(asdict(done), as_json=as_json)

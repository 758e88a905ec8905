"""`rovitracker migrate`: the database schema."""

import asyncio
from dataclasses import asdict
from typing import Annotated, Any

import typer

from app.cli.output import Json, errors, print_records
from app.settings import load_settings
from app.storage.distributed.distribute import MOST_SHARDS, SHARDS, distribute_tables
from app.storage.schema.migrations import (
    Migration,
    MigrationState,
    apply_migrations,
    read_migrations,
    read_status,
)
from app.stores import open_stores

Shards = Annotated[
    int, typer.Option(min=1, max=MOST_SHARDS, help="Parts of each table: more than nodes there will ever be.")
]

cli = typer.Typer(help="Migrate the database schema.", no_args_is_help=True)


@cli.command(epilog="Example: rovitracker migrate up")
def up(as_json: Json = False) -> None:
    """Apply pending migrations. This is safe when two run at once, and after one was killed."""
    applied: list[Migration] = []
    with open_stores(load_settings()) as stores:
        asyncio.run(apply_migrations(stores.owner_url, read_migrations(), applied.append))
    rows = [{"number": migration.number, "name": migration.name} for migration in applied]
    print_records(rows, as_json=as_json, empty="The schema is up to date.")


@cli.command(epilog="Example: rovitracker migrate status")
def status(as_json: Json = False) -> None:
    """List the migrations and when each was applied."""
    with open_stores(load_settings()) as stores:
        states = asyncio.run(read_status(stores.owner_url, read_migrations()))
    print_records([_row(state) for state in states], as_json=as_json, empty="There are no migrations.")


@cli.command(epilog="Example: rovitracker migrate distribute --shards 32")
def distribute(shards: Shards = SHARDS, as_json: Json = False) -> None:
    """Spread the tables of tokens over the nodes of Citus. Stop the service first; a run that was killed is taken up again."""
    with open_stores(load_settings()) as stores:
        tables = asyncio.run(
            distribute_tables(
                stores.owner_url, shards=shards, told=lambda name: errors.print(f"distributing {name} ...")
            )
        )
    print_records([asdict(table) for table in tables], as_json=as_json, empty="")


def _row(state: MigrationState) -> dict[str, Any]:
    return {
        "number": state.migration.number,
        "name": state.migration.name,
        "status": "applied" if state.applied_at else "pending",
        "applied_at": state.applied_at,
    }

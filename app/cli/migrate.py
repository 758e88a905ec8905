"""`rovitracker migrate`: the database schema."""

import asyncio
from typing import Any

import typer

from app.cli.output import Json, print_records
from app.settings import load_settings
from app.storage.schema.migrations import (
    Migration,
    MigrationState,
    apply_migrations,
    read_migrations,
    read_status,
)
from app.stores import open_stores

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


def _row(state: MigrationState) -> dict[str, Any]:
    return {
        "number": state.migration.number,
        "name": state.migration.name,
        "status": "applied" if state.applied_at else "pending",
        "applied_at": state.applied_at,
    }

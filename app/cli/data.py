"""`rovitracker data`: the data directory of the private servers."""

from typing import Annotated

import typer

from app.cli.output import Json, confirm, fail, print_record
from app.embedded.removal import remove as remove_servers
from app.settings import load_settings
from app.stores import data_dir, files_of

cli = typer.Typer(help="Manage the data directory of the private servers.", no_args_is_help=True)


@cli.callback()
def _group() -> None:
    """With one verb, typer would otherwise make it the group itself."""


@cli.command(epilog="Example: rovitracker data remove --yes")
def remove(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False, as_json: Json = False
) -> None:
    """Remove the data directory: the private servers, all that they store, the demo and the development key.

    Where root runs the servers, their folder in /var/lib/rovitracker goes too. Files that are not ours stay.
    """
    folder = data_dir(load_settings())
    if not folder.is_dir():
        fail(f"there is no data directory at {folder}: ROVITRACKER_DATA_DIR names another")
    if not yes:
        confirm(f"Remove {folder} and everything that its servers store, for ever?", skip="--yes")
    removed = list(remove_servers(folder))
    for file in files_of(folder):
        file.unlink()
        removed.append(file)
    kept = sorted(str(each) for each in folder.iterdir())
    if not kept:
        folder.rmdir()
        removed.append(folder)
    print_record({"removed": [str(each) for each in removed], "kept": kept}, as_json=as_json)

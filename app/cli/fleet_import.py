"""`rovitracker fleet import`: machines and readings out of files, and what is refused of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.progress import Progress

from app.aemp.model.bounds import LARGEST_DOCUMENT
from app.aemp.model.errors import ReadError
from app.aemp.model.times import format_time
from app.aemp.read.read_file import File, read_file
from app.aemp.read.report import Rejection
from app.cli import files
from app.cli.hints import told
from app.cli.members import Customer
from app.cli.output import Json, errors, print_records
from app.cli.work import with_context
from app.context import Context
from app.flows.account.change_customer import find_member
from app.flows.fleet.import_file import FileImported, import_file
from app.flows.fleet.write_history import NotWholeError

_NOTHING_KEPT, _SOME_REFUSED = 1, 3  # exit codes


def add_to(cli: typer.Typer) -> None:
    cli.command(
        "import",
        epilog="Example: rovitracker fleet import --customer ann@hillside.example fleet.xml fleet.json",
    )(import_)


def import_(
    customer: Customer,
    documents: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILES...",
            help="Documents of AEMP 1.2 or ISO 15143-3, fleets or series, XML or JSON; or assets of the Rovi API.",
            exists=True,
            dir_okay=False,
        ),
    ],
    machine: Annotated[
        str | None, typer.Option(help="The machine of the series, if they do not name it themselves.")
    ] = None,
    all_or_nothing: Annotated[
        bool, typer.Option("--all-or-nothing", help="Import nothing of a file of which something is refused.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Import machines and their readings, and name on stderr each reading that is refused, and why.

    It ends with 0 when all was kept, with 3 when something was refused, and with 1 when nothing was kept. Known readings
    are not stored again. History does not keep some figures; only the newest of these is shown.
    """
    read = [_read(document, machine) for document in documents]
    readable = [file for file in read if file is not None]

    async def work(context: Context) -> list[FileImported | None]:
        member = await find_member(context, customer)
        return [await _import(context, member.customer_id, file, whole=all_or_nothing) for file in readable]

    imported = with_context(work) if readable else []
    done = [(file, each) for file, each in zip(readable, imported, strict=True) if each is not None]
    if done:
        print_records([_record(file, each) for file, each in done], as_json=as_json, empty="")
    _end([each for _, each in done], files=len(read))


def _end(imported: Sequence[FileImported], *, files: int) -> None:
    """Raises typer.Exit with the status that says how much was kept."""
    all_kept = len(imported) == files and not any(each.rejections for each in imported)
    if not all_kept:
        some_kept = any(each.keeps_something for each in imported)
        raise typer.Exit(_SOME_REFUSED if some_kept else _NOTHING_KEPT)


def _read(path: Path, machine: str | None) -> File | None:
    """Read a file, or say why it cannot be read."""
    try:
        return read_file(files.read_file(path, most=LARGEST_DOCUMENT), path.name, machine)
    except ReadError as refused:
        errors.print(f"rovitracker: {told(refused)}", soft_wrap=True, markup=False)
        return None


async def _import(context: Context, customer_id: UUID, file: File, *, whole: bool) -> FileImported | None:
    with Progress(console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task(file.name, total=len(file.reports))
        try:
            imported = await import_file(
                context, customer_id, file, lambda count: progress.advance(task, count), whole=whole
            )
        except NotWholeError as refused:
            _tell(file.name, refused.rejections)
            errors.print(f"rovitracker: {file.name}: {refused}", soft_wrap=True, markup=False)
            return None
    _tell(file.name, imported.rejections)
    return imported


def _tell(name: str, rejections: Sequence[Rejection]) -> None:
    """Print a line for each reading that is not kept."""
    for each in rejections:
        place = f"{each.place}" and f"{each.place}: "
        at = f" of {format_time(each.at)}" if each.at else ""
        reason = each.reason.removeprefix(f"{each.element}: ")
        errors.print(
            f"{name}: {place}{each.element or 'it'}{at} is not kept: {reason}", soft_wrap=True, markup=False
        )


def _record(file: File, imported: FileImported) -> dict[str, Any]:
    return {
        "file": file.name,
        "machines": imported.machines,
        "added": imported.added,
        "updated": imported.updated,
        "repeated": imported.repeated,
        "readings": imported.readings,
        "stored": imported.stored,
        "refused": len(imported.rejections),
        "ignored": file.ignored,
    }

"""`rovitracker customer import`, `app import`, `token import`: what moves in from a former system, and what is refused."""

from collections.abc import Awaitable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Protocol

import typer
from rich.progress import Progress

from app.cli.output import Json, errors, print_records
from app.cli.work import with_context
from app.context import Context
from app.flows.bounds import LONGEST_LINE
from app.flows.moving.import_applications import import_applications
from app.flows.moving.import_customers import import_customers
from app.flows.moving.import_tokens import import_tokens
from app.flows.moving.move_in import Moved, Watcher
from app.oauth.actor import COMMAND_LINE, Actor

_NOTHING_KEPT, _SOME_REFUSED = 1, 3  # exit codes
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

Files = Annotated[
    list[Path],
    typer.Argument(metavar="FILES...", help="Files of one JSON object a line.", exists=True, dir_okay=False),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Do and count everything, and undo it at the end.")]


class Import(Protocol):
    """One of the imports of `flows/moving/`."""

    def __call__(
        self, context: Context, actor: Actor, lines: Iterator[bytes], watcher: Watcher, *, dry_run: bool
    ) -> Awaitable[Moved]: ...


def add_customer_import(cli: typer.Typer) -> None:
    cli.command("import", epilog="Example: rovitracker customer import --dry-run customers.jsonl")(
        customer_import
    )


def add_application_import(cli: typer.Typer) -> None:
    cli.command("import", epilog="Example: rovitracker app import --dry-run applications.jsonl")(
        application_import
    )


def add_token_import(cli: typer.Typer) -> None:
    cli.command("import", epilog="Example: rovitracker token import --dry-run tokens.jsonl")(token_import)


def customer_import(files: Files, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Import customers of a former system, and name each line that is refused on stderr.

    A line has name and email, and may have former_id, person and password_hash (argon2, PBKDF2 or scrypt). A second run
    changes nothing. It ends with 0 when all is kept, with 3 when something is refused, and with 1 when nothing is kept.
    """
    _import(import_customers, files, dry_run=dry_run, as_json=as_json)


def application_import(files: Files, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Import applications of a former system with their client_id, and name each line that is refused on stderr.

    A line has client_id, name, company, and secret_sha256 or secret_hash (argon2, PBKDF2 or scrypt). It may have
    redirect_uris, kind, public, scope, grants, and customer_email or customer_former_id. A second run changes nothing.
    It ends with 0 when all is kept, with 3 when something is refused, and with 1 when nothing is kept.
    """
    _import(import_applications, files, dry_run=dry_run, as_json=as_json)


def token_import(files: Files, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Import access tokens of a former system as digests, and name each line that is refused on stderr.

    A line has sha256, client_id, and customer_email or customer_former_id. It may have scope, issued_at and expires_at.
    ROVITRACKER_LEGACY_TOKENS_UNTIL says how long they are accepted. A second run changes nothing. It ends with 0 when
    all is kept, with 3 when something is refused, and with 1 when nothing is kept.
    """
    _import(import_tokens, files, dry_run=dry_run, as_json=as_json)


def _import(run: Import, files: Sequence[Path], *, dry_run: bool, as_json: bool) -> None:
    """Raises typer.Exit with the status that says how much was kept."""

    async def work(context: Context) -> list[Moved]:
        return [await _import_file(context, run, file, dry_run=dry_run) for file in files]

    moved = with_context(work)
    print_records(
        [_record(file, each, dry_run=dry_run) for file, each in zip(files, moved, strict=True)],
        as_json=as_json,
        empty="",
    )
    if any(each.refused or not each.lines for each in moved):
        some_kept = any(each.imported or each.known for each in moved)
        raise typer.Exit(_SOME_REFUSED if some_kept else _NOTHING_KEPT)


async def _import_file(context: Context, run: Import, path: Path, *, dry_run: bool) -> Moved:
    with Progress(console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task(path.name, total=_size(path))

        def tell(number: int, reason: str) -> None:
            errors.print(f"{path.name}: line {number}: not kept: {reason}", soft_wrap=True, markup=False)

        watcher = Watcher(tell, lambda passed: progress.advance(task, passed))
        moved = await run(context, COMMAND_LINE, _lines(path), watcher, dry_run=dry_run)
    if not moved.lines:
        errors.print(f"rovitracker: {path.name}: no line in it", soft_wrap=True, markup=False)
    return moved


def _size(path: Path) -> int | None:
    """None where nobody knows it beforehand, as of a pipe."""
    return path.stat().st_size or None


def _lines(path: Path) -> Iterator[bytes]:
    """The lines of a file. One that is too long is cut behind its bound, so that the rule that owns it refuses the line."""
    with path.open("rb") as file:
        begins = True
        while line := file.readline(LONGEST_LINE + 2):
            yield line.removeprefix(_BYTE_ORDER_MARK) if begins else line
            begins = False
            while len(line) == LONGEST_LINE + 2 and not line.endswith(b"\n"):
                line = file.readline(LONGEST_LINE + 2)


def _record(path: Path, moved: Moved, *, dry_run: bool) -> dict[str, Any]:
    return {
        "file": path.name,
        "lines": moved.lines,
        "imported": moved.imported,
        "known": moved.known,
        "refused": moved.refused,
        "dry_run": dry_run,
    }

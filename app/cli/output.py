"""The command line prints tables for people on a terminal, one JSON document for programs, one line for errors."""

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, NoReturn

import orjson
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

Json = Annotated[
    bool,
    typer.Option("--json", help="Print one JSON document; the default when stdout is not a terminal."),
]

errors = Console(stderr=True, highlight=False)


def wants_json(flag: bool) -> bool:  # the value of an option, handed on
    return flag or not sys.stdout.isatty()


def print_json(document: Any) -> None:
    sys.stdout.buffer.write(
        orjson.dumps(document, default=str, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    )
    sys.stdout.flush()


def print_records(records: Sequence[Mapping[str, Any]], *, as_json: bool, empty: str) -> None:
    """Print records of one shape, as a table with a column a key, or a JSON array."""
    if wants_json(as_json):
        print_json(list(records))
        return
    if not records:
        Console().print(empty)
        return
    table = Table(*(name.replace("_", " ") for name in records[0]), header_style="bold")
    for record in records:
        table.add_row(*(escape(_cell(value)) for value in record.values()))
    Console().print(table)


def print_record(record: Mapping[str, Any], *, as_json: bool) -> None:
    """Print one record, as a line a key, or a JSON object."""
    if wants_json(as_json):
        print_json(record)
        return
    grid = Table.grid(padding=(0, 2))
    for name, value in record.items():
        grid.add_row(f"[bold]{name.replace('_', ' ')}[/bold]", escape(_cell(value)))
    Console().print(grid)


def confirm(question: str, *, skip: str) -> None:
    """Go on only when a person says yes; a script says so beforehand with the option `skip`."""
    if not sys.stdin.isatty():
        fail(f"{question} Nobody is there to ask: add {skip}")
    typer.confirm(question, abort=True, err=True)


def fail(message: str) -> NoReturn:
    """Print one clear line on stderr, and end with an exit code that says failure."""
    errors.print(f"rovitracker: {message}", soft_wrap=True, markup=False)
    raise typer.Exit(1)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, (list, tuple, frozenset)):
        return "\n".join(str(part) for part in value)
    return str(value)

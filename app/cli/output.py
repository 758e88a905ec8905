"""The command line prints tables for people on a terminal, one JSON document for programs, one line for errors."""

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, NoReturn

import orjson
import typer
from rich.cells import cell_len
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
    print_table([{name: _cell(value) for name, value in record.items()} for record in records])


def print_record(record: Mapping[str, Any], *, as_json: bool) -> None:
    """Print one record, as a line a key, or a JSON object."""
    if wants_json(as_json):
        print_json(record)
    else:
        _print_lines({name: _cell(value) for name, value in record.items()})


def print_table(rows: Sequence[Mapping[str, str]], *, styles: Mapping[str, str] | None = None) -> None:
    """Print rows of one shape. No word is ever split, since identifiers are copied from here.

    A screen too narrow for the longest words gets a line for each value instead. styles: of single values.
    """
    screen = Console()
    columns = [_Column(name, [row[name] for row in rows]) for name in rows[0]]
    between = 3 * len(columns) + 1  # a blank on both sides of each value, and the lines
    widths = _fit(columns, screen.width - between)
    if widths is None:
        for number, row in enumerate(rows):
            if number:
                screen.print()
            _print_lines(row)
        return
    table = Table(header_style="bold")
    for column, width in zip(columns, widths, strict=True):
        table.add_column(column.head, width=width)
    for row in rows:
        table.add_row(*(_styled(value, styles or {}) for value in row.values()))
    screen.print(table)


class _Column:
    def __init__(self, name: str, values: Sequence[str]) -> None:
        self.head = name.replace("_", " ")
        texts = [self.head, *values]
        self.least = max(cell_len(word) for text in texts for word in text.split() or [""])
        self.most = max(cell_len(line) for text in texts for line in text.splitlines() or [""])


def _fit(columns: Sequence[_Column], room: int) -> list[int] | None:
    """Widths that fit the room together; the widest yields first. None where the longest words alone do not fit."""
    if sum(column.least for column in columns) > room:
        return None
    widths = [column.most for column in columns]
    while sum(widths) > room:
        yielding = [place for place, column in enumerate(columns) if widths[place] > column.least]
        widths[max(yielding, key=lambda place: widths[place])] -= 1
    return widths


def _print_lines(row: Mapping[str, str]) -> None:
    """The terminal breaks what is too long, so that it is copied whole."""
    screen = Console(highlight=False, soft_wrap=True)
    width = max(map(len, row), default=0)
    for name, value in row.items():
        head = f"{name.replace('_', ' '):{width}}"
        for line in value.splitlines() or [""]:
            screen.print(f"[bold]{head}[/bold]  {escape(line)}".rstrip())
            head = " " * width


def _styled(value: str, styles: Mapping[str, str]) -> str:
    return f"[{styles[value]}]{escape(value)}[/]" if value in styles else escape(value)


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
    if isinstance(value, Mapping):
        return "\n".join(f"{name}={_cell(part)}" for name, part in value.items())
    if isinstance(value, (list, tuple, frozenset)):
        return "\n".join(str(part) for part in value)
    return str(value)

"""Both renderings write a document element by element: one of all machines, then the next.

A page is a join of strings, and the event loop stands still for it. So an element of all machines is one template,
repeated, that is filled by one call. A library would guarantee that any name gives a well-formed document; here each
rendering's own way to escape text does.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, compress, repeat
from typing import Any, TypeAlias

import orjson

from app.aemp.model.columns import TIMES, TIMES_OF_FIGURES, Columns, Machines
from app.aemp.model.elements import Child, Kind
from app.aemp.model.text import decimal_writer, is_fixed

_TIMES_OPTION = orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS
# It stands behind each element that one call writes. No text of a document can hold it: it is a control character.
_END = "\x00"

# It turns values, of which any may be None, into what a place of a template takes.
Prepare: TypeAlias = Callable[[Sequence[Any]], Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Leaf:
    """A place in a template, for the values of a column. prepare: what they go through first, if anything."""

    place: str
    column: str
    prepare: Prepare | None = None


@dataclass(frozen=True, slots=True)
class Branch:
    """An element or a header. template: with the places of its leaves; a percent sign would stand there twice.

    at_column: of an element's times, which has None where the element is absent.
    """

    template: str
    leaves: tuple[Leaf, ...]
    at_column: str | None = None


def make_branch(
    opening: str, leaves: Iterable[Leaf], closing: str, *, at_column: str | None = None
) -> Branch:
    inner = tuple(leaves)
    places = "".join(leaf.place for leaf in inner)
    return Branch(f"{opening}{places}{closing}{_END}", inner, at_column)


def make_leaf(child: Child, before: str, after: str, prepare: Prepare | None, *, required: bool) -> Leaf:
    """required: whether no element lacks the value. Else it is left out with the text around it, or written as empty."""
    if child.always or not required:
        absent = before + after if child.always else ""
        return Leaf("%s", child.column, _surround(before, after, absent, prepare))
    fixed = child.kind is Kind.DECIMAL and prepare is None
    return Leaf(
        f"{before}%.{child.decimals}f{after}" if fixed else f"{before}%s{after}", child.column, prepare
    )


def preparing(child: Child, *, required: bool, escape: Callable[[str], str], special: str) -> Prepare | None:
    """What the values go through. escape: of a text. special: all printable characters that it alters."""
    match child.kind:
        case Kind.TEXT:
            return _escape_all(escape, special)
        case Kind.BOOLEAN:
            return write_each(lambda value: "true" if value else "false")
        case Kind.DECIMAL if not (required and is_fixed(child.decimals)):
            return write_each(decimal_writer(child.decimals))
    return None


def write_each(write: Callable[[Any], str]) -> Prepare:
    return lambda values: [None if value is None else write(value) for value in values]


def _escape_all(escape: Callable[[str], str], special: str) -> Prepare:
    """Names seldom have anything to escape, and all of a column are searched at once."""

    def prepare(values: Sequence[str | None]) -> Sequence[str | None]:
        joined = "".join(filter(None, values))
        if joined.isprintable() and not any(character in joined for character in special):
            return values
        return [value and escape(value) for value in values]

    return prepare


def _surround(before: str, after: str, absent: str, prepare: Prepare | None) -> Prepare:
    def surround(values: Sequence[Any]) -> Sequence[str]:
        prepared = prepare(values) if prepare else values
        return [absent if value is None else f"{before}{value}{after}" for value in prepared]

    return surround


def write_machines(machines: Machines, branches: Sequence[Branch], end: str) -> tuple[list[bytes], list[int]]:
    """The row of each machine, and how many bytes of it are its header.

    branches: the header, and the elements. end: stands behind each row. Where the machines have no headers, rows are what
    stands behind them.
    """
    header, *elements = branches
    whole = machines.have_headers
    dated = _with_times(machines.columns, TIMES if whole else TIMES_OF_FIGURES)
    headers = _write_branch(dated, header) if whole else []
    rows = _join([headers, *(_write_branch(dated, each) for each in elements)], len(machines), end)
    return [*map(str.encode, rows)], [len(each) if each.isascii() else len(each.encode()) for each in headers]


def write_readings(columns: Columns, branch: Branch, at_column: str) -> list[str]:
    """The row of each reading, which all have a time."""
    return _write_branch({**columns, at_column: _texts_of(columns[at_column])}, branch)


def _join(columns: Iterable[list[str]], count: int, end: str = "") -> Iterator[str]:
    """Put side by side what is written of so many machines or readings, and leave out what none of them has."""
    return map("".join, zip(*filter(None, columns), [end] * count, strict=True))


def _with_times(columns: Columns, names: Iterable[str]) -> Columns:
    """The columns with texts for these times, in seconds since 1970: `YYYY-MM-DDThh:mm:ssZ`.

    All are written by one call. A machine tells most of its figures at one moment, and each moment is written once.
    """
    moments = set().union(*(columns[name] for name in names))
    moments.discard(None)
    text_of = dict(zip(moments, _texts_of(moments), strict=True)).get
    return {**columns, **{name: [*map(text_of, columns[name])] for name in names}}


def _texts_of(moments: Collection[float]) -> list[str]:
    """In their order."""
    if not moments:
        return []
    times = [*map(datetime.fromtimestamp, moments, repeat(UTC))]
    return orjson.dumps(times, option=_TIMES_OPTION).decode()[2:-2].split('","')


def _write_branch(columns: Columns, branch: Branch) -> list[str]:
    """The element of each machine, empty where it is absent; nothing where no machine has it."""
    there = columns[branch.at_column] if branch.at_column else None
    if there is not None and not any(there):
        return []
    columns_in = ((columns[leaf.column], leaf.prepare) for leaf in branch.leaves)
    rows: Iterator[tuple[Any, ...]] = zip(
        *(prepare(values) if prepare else values for values, prepare in columns_in), strict=True
    )
    if there is None:
        return _fill(branch, rows)
    filled = _fill(branch, compress(rows, there))
    if len(filled) == len(there):
        return filled
    present = iter(filled)
    return [next(present) if at else "" for at in there]


def _fill(branch: Branch, rows: Iterable[tuple[Any, ...]]) -> list[str]:
    """Fill the template with each row."""
    values = tuple(chain.from_iterable(rows))
    templates = branch.template * (len(values) // len(branch.leaves))
    text = templates % values
    if "-0." in text:  # perhaps a figure that is nothing but its sign, which is left out
        text = templates % tuple(map(_unsigned_zero, values))
    return text.split(_END)[:-1]


def _unsigned_zero(value: Any) -> Any:
    return float(f"{value:z.2f}") if isinstance(value, float) else value

"""Both renderings share text made once from the table of elements, with places for values.

A page is a join of strings. The event loop stands still for it, so every element is one call, and all times of a
document are written by one. A library would guarantee that any name gives a well-formed document; here each
rendering's own way to write text does.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

import orjson

from app.aemp.model.elements import Child, Kind
from app.aemp.model.text import decimal_writer

# Where a reading's time belongs. No text of a document can hold it: it is a control character.
TIME = "\x00"

_TIMES_OPTION = orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS

Write = Callable[[Any], str]


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value of a reading or header, with the text around it: its name, and its unit if any.

    always: whether it is written where there is no value, which `write` takes for an empty text.
    """

    attribute: str
    before: str
    write: Write
    after: str
    always: bool = False


def writer(child: Child, *, text: Write) -> Write:
    """The function that writes the child's value. text: writes a string in this rendering."""
    match child.kind:
        case Kind.TEXT:
            return (lambda value: text(value or "")) if child.always else text
        case Kind.TIME:
            return lambda at: text(write_times([at])[0])
        case Kind.BOOLEAN:
            return lambda value: "true" if value else "false"
        case Kind.INTEGER:
            return str
    return decimal_writer(child.decimals)


def compile_leaves(leaves: Sequence[Leaf], opening: str, closing: str) -> Write:
    """A function that writes a holder of these leaves; what is None is left out with the text around it."""
    if len(leaves) == 1:
        return _compile_leaf(leaves[0], opening, closing)
    parts = tuple(
        (attrgetter(leaf.attribute), leaf.before, leaf.write, leaf.after, leaf.always) for leaf in leaves
    )

    def write_leaves(holder: object) -> str:
        written = opening
        for value_of, before, write, after, always in parts:
            value = value_of(holder)
            if value is not None or always:
                written += f"{before}{write(value)}{after}"
        return written + closing

    return write_leaves


def _compile_leaf(leaf: Leaf, opening: str, closing: str) -> Write:
    """Most elements have one value, which is there when they are."""
    value_of, write = attrgetter(leaf.attribute), leaf.write
    before, after = opening + leaf.before, leaf.after + closing
    return lambda holder: f"{before}{write(value_of(holder))}{after}"


def fill_times(marked: str, times: Sequence[datetime]) -> str:
    """Put the times in place of each TIME, as `YYYY-MM-DDThh:mm:ssZ`. times: in UTC, as every reading's are."""
    if not times:
        return marked
    pieces = marked.split(TIME)
    filled = [""] * (2 * len(pieces) - 1)
    filled[0::2] = pieces
    filled[1::2] = write_times(times)
    return "".join(filled)


def write_times(times: Sequence[datetime]) -> list[str]:
    """Write all times in one call: written one by one they took a third of a page's time."""
    return orjson.dumps(times, option=_TIMES_OPTION).decode()[2:-2].split('","')

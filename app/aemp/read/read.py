"""Documents of other providers, and of the Rovi API, read into machines: all of a document or nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from app.aemp.model.bounds import LARGEST_DOCUMENT
from app.aemp.model.errors import FlawError, ReadError
from app.aemp.model.values import Equipment
from app.aemp.read.interpret import interpret
from app.aemp.read.read_json import machines_of_json, parse_json
from app.aemp.read.read_rovi import is_area, is_asset, iso_machine
from app.aemp.read.read_xml import machines_of_xml, parse_xml

_IDENTIFIERS = ("pin", "serialnumber", "equipmentid")
_JSON_STARTS = (b"{", b"[")
_XML_STARTS = (b"<", b"\xff\xfe", b"\xfe\xff")  # or the mark of UTF-16
_UTF8_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a document, counted from 1. line: None when it is not known."""

    line: int | None
    machine: int | None = None

    def __str__(self) -> str:
        return ", ".join(
            f"{name} {number}" for name, number in (("line", self.line), ("machine", self.machine)) if number
        )


def parse_file(data: bytes, name: str, *, max_bytes: int = LARGEST_DOCUMENT) -> Any:
    """Parse a file for `read_machines` and `read_series`. name: of the file, for errors.

    Raises ReadError when it is too large, or neither XML nor JSON.
    """
    if len(data) > max_bytes:
        raise ReadError(f"{name}: larger than {max_bytes} bytes")
    with flaws_of(name):
        return parse(data)


def read_machines(document: Any, name: str) -> tuple[Equipment, ...]:
    """The machines of an AEMP 1.2, ISO 15143-3 (XML or JSON) or Rovi assets document, in their order.

    Raises ReadError, with the line or machine and what is wrong there, when one machine is bad.
    """
    with flaws_of(name):
        return tuple(_interpret(machine, place) for place, machine in machines_of(document))


@contextmanager
def flaws_of(name: str) -> Iterator[None]:
    """Put the name of the document before a flaw. Raises ReadError in its place."""
    try:
        yield
    except FlawError as flaw:
        raise ReadError(f"{name}: {flaw}") from None


def machines_of(document: Any) -> Iterator[tuple[Place, Any]]:
    """Each machine with its place. document: as `parse` gives it.

    Raises FlawError when the document is neither a fleet nor a machine.
    """
    found = machines_of_json(document) if isinstance(document, dict | list) else machines_of_xml(document)
    counted = ((Place(line, number), machine) for number, (line, machine) in enumerate(found, 1))
    return ((place, machine) for place, machine in counted if not is_area(machine))


def parse(data: bytes) -> Any:
    """A JSON object or list, names in lower case, or the root of an XML document. Raises FlawError when it is neither."""
    start = data.removeprefix(_UTF8_MARK).lstrip()
    if start.startswith(_JSON_STARTS):
        return parse_json(data)
    if start.startswith(_XML_STARTS):
        return parse_xml(data)
    raise FlawError("neither XML nor JSON")


def _interpret(machine: Any, place: Place) -> Equipment:
    try:
        return interpret(iso_machine(machine) if is_asset(machine) else machine)
    except FlawError as flaw:
        raise FlawError(f"{place}{_identity(machine)}: {flaw}") from None


def _identity(machine: Any) -> str:
    """The machine's own name for itself, so that a person finds it in the document."""
    if is_asset(machine):
        return f" ({str(machine['assetid'])[:80]!r})"
    header = machine.get("equipmentheader") if isinstance(machine, dict) else None
    header = header if isinstance(header, dict) else {}
    own = next((header[key] for key in _IDENTIFIERS if isinstance(header.get(key), str)), "")
    return f" ({own[:80]!r})" if own else ""

"""Documents of other providers, and of the Rovi API, taken apart into machines."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from app.aemp.model.errors import FlawError
from app.aemp.read.read_json import machines_of_json, parse_json
from app.aemp.read.read_rovi import is_area, is_asset
from app.aemp.read.read_xml import machines_of_xml, parse_xml

_IDENTIFIERS = ("pin", "serialnumber", "equipmentid")
_LONGEST_SHOWN = 80
_JSON_STARTS = (b"{", b"[")
_XML_STARTS = (b"<", b"\xff\xfe", b"\xfe\xff")  # or the mark of UTF-16
_UTF8_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a document, counted from 1. line: None when it is not known. own: the machine's name for itself there."""

    line: int | None
    machine: int | None = None
    own: str = field(default="", compare=False)

    def __str__(self) -> str:
        counted = (("line", self.line), ("machine", self.machine))
        place = ", ".join(f"{name} {number}" for name, number in counted if number)
        return " ".join(part for part in (place, self.own and f"({self.own!r})") if part)


def machines_of(document: Any) -> Iterator[tuple[Place, Any]]:
    """Each machine with its place. document: as `parse` gives it.

    Raises FlawError when the document is neither a fleet nor a machine.
    """
    found = machines_of_json(document) if isinstance(document, dict | list) else machines_of_xml(document)
    for number, (line, machine) in enumerate(found, 1):
        if not is_area(machine):
            yield Place(line, number, _own_name(machine)), machine


def parse(data: bytes) -> Any:
    """A JSON object or list, names in lower case, or the root of an XML document. Raises FlawError when it is neither."""
    start = data.removeprefix(_UTF8_MARK).lstrip()
    if start.startswith(_JSON_STARTS):
        return parse_json(data)
    if start.startswith(_XML_STARTS):
        return parse_xml(data)
    raise FlawError("neither XML nor JSON")


def _own_name(machine: Any) -> str:
    """It lets a person find the machine in the document."""
    if is_asset(machine):
        return str(machine["assetid"])[:_LONGEST_SHOWN]
    header = machine.get("equipmentheader") if isinstance(machine, dict) else None
    header = header if isinstance(header, dict) else {}
    own = next((header[key] for key in _IDENTIFIERS if isinstance(header.get(key), str)), "")
    return str(own)[:_LONGEST_SHOWN]

"""Machines are looked up by PIN (for vehicles their VIN), then serial number, then equipment id."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from app.aemp.model.bounds import LONGEST_IDENTIFIER, LONGEST_SEGMENT
from app.aemp.model.errors import AempError, FlawError
from app.aemp.model.values import EquipmentHeader

# The order of look-up: an identifier that is one machine's PIN and another's equipment id means the PIN.
IDENTIFIER_KINDS = ("pin", "serial_number", "equipment_id")

_MOST_NAMED = 5  # machines that one reason repeats
_BROKEN_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


def normalise_identifier(text: str) -> str:
    """The form that is stored for look-up and compared: one case, one composition, single spaces.

    Real equipment ids carry double and trailing spaces that people do not see and clients do not keep.
    Raises FlawError when it is longer than an identifier may be.
    """
    if len(text) > LONGEST_IDENTIFIER:
        raise FlawError(f"a machine's identifier is longer than {LONGEST_IDENTIFIER} characters")
    return " ".join(unicodedata.normalize("NFC", text).upper().split())


def identifiers_of(header: EquipmentHeader) -> tuple[tuple[str, str], ...]:
    """(kind, normalised value) of each identifier the machine has, in the order of look-up."""
    named = ((kind, normalise_identifier(getattr(header, kind) or "")) for kind in IDENTIFIER_KINDS)
    return tuple((kind, value) for kind, value in named if value)


class Name(NamedTuple):
    """The name by which a document means a machine.

    kind: of the identifier; None for any. value: normalised. make, model: None where they are not told, which is not the
    same as an empty one. They are told with a serial number.
    """

    kind: str | None
    value: str
    make: str | None = None
    model: str | None = None

    def __str__(self) -> str:
        told = " ".join(part for part in (self.make, self.model) if part)
        return f"{self.value!r} of {told}" if told else repr(self.value)


def name_of(header: EquipmentHeader) -> Name | None:
    """The name that decides which machine is meant: PIN, then serial number, then equipment id; None without any."""
    for kind, value in identifiers_of(header):
        if kind == "serial_number":
            return Name(kind, value, header.oem_name, header.model)
        return Name(kind, value)
    return None


class Candidate(NamedTuple):
    """A machine that goes by an identifier. kind: of the identifier, as it is stored."""

    kind: int
    key: int
    header: EquipmentHeader


def meant_by(name: Name, named: Iterable[Candidate]) -> dict[int, EquipmentHeader]:
    """The machines that a name means, by key: of its kind, else of the first kind that there is.

    Make and model decide between serial numbers, in any letter case and spacing, as in an address. Machines of one PIN are
    one machine in two fleets: the one that was added first is meant.
    named: in the order in which they were added.
    """
    named = tuple(named)
    kinds = (each.kind for each in named)
    best = IDENTIFIER_KINDS.index(name.kind) + 1 if name.kind else min(kinds, default=0)
    first: dict[str | int, Candidate] = {}
    for each in named:
        is_it = _same(name.make, each.header.oem_name) and _same(name.model, each.header.model)
        if each.kind == best and is_it:
            first.setdefault(normalise_identifier(each.header.pin) if each.header.pin else each.key, each)
    return {each.key: each.header for each in first.values()}


def _same(told: str | None, known: str | None) -> bool:
    return told is None or normalise_identifier(told) == normalise_identifier(known or "")


def several_of(name: Name, meant: Sequence[EquipmentHeader]) -> str:
    """The reason why a name means none of the machines that go by it. meant: those that the caller may hear of."""
    named = f": {described(meant[:_MOST_NAMED])}" if meant else ""
    return f"more than one machine goes by {name}{named}"


def described(headers: Iterable[EquipmentHeader]) -> str:
    """Machines as a person tells them apart."""
    return " and ".join(
        " ".join(
            part
            for part in (
                header.oem_name,
                header.model,
                header.pin and f"(PIN {header.pin})",
                header.equipment_id and not header.pin and f"(id {header.equipment_id})",
            )
            if part
        )
        or "one without make, model, PIN and id"
        for header in headers
    )


@dataclass(frozen=True, slots=True)
class Sought:
    """The machine asked for: a normalised identifier, the kinds it may be, and make and model where they matter.

    make, model: None where they were not named, which is not the same as empty.
    """

    value: str
    kinds: tuple[str, ...] = IDENTIFIER_KINDS
    make: str | None = None
    model: str | None = None


def sought_by(identifier: str) -> Sought:
    """Raises AempError 404 when it is blank; so do the other two."""
    return Sought(_named(identifier))


def sought_by_equipment_id(equipment_id: str) -> Sought:
    return Sought(_named(equipment_id), ("equipment_id",))


def sought_by_make(make: str, model: str, serial_number: str) -> Sought:
    """A machine without a make or a model has an empty one, in its document and in its address."""
    return Sought(_named(serial_number), ("serial_number",), make, model)


def _named(identifier: str) -> str:
    value = normalise_identifier(identifier)
    if not value:
        raise no_such_machine()
    return value


def decode_segment(raw_segment: str) -> str:
    """One segment of the undecoded path, so that `%2F`, `%23` and `%20` inside an id part nothing. It may be empty.

    Raises AempError 404, as for an unknown machine, when it is no UTF-8, holds control characters, or is too long.
    """
    if len(raw_segment) > LONGEST_SEGMENT:
        raise no_such_machine()
    try:
        text = unquote_to_bytes(raw_segment).decode("utf-8")
    except UnicodeError:
        raise no_such_machine() from None
    unreadable = _BROKEN_ESCAPE.search(raw_segment) or _CONTROL.search(text)
    if unreadable or len(text) > LONGEST_IDENTIFIER:
        raise no_such_machine()
    return text


def no_such_machine() -> AempError:
    return AempError(404, "equipment_not_found", "There is no such machine in this fleet.")

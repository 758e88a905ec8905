"""Machines are looked up by PIN (for vehicles their VIN), then serial number, then equipment id."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from app.aemp.model.bounds import LONGEST_IDENTIFIER, LONGEST_SEGMENT
from app.aemp.model.errors import AempError, FlawError
from app.aemp.model.values import EquipmentHeader

# The order of look-up: an identifier that is one machine's PIN and another's equipment id means the PIN.
IDENTIFIER_KINDS = ("pin", "serial_number", "equipment_id")

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


def meant_by(kind: str | None, named: Iterable[tuple[int, int]]) -> set[int]:
    """The keys of the machines that a name means: of this kind, else of the first kind that there is.

    named: (kind as it is stored, key) of all that go by it.
    """
    named = tuple(named)
    best = IDENTIFIER_KINDS.index(kind) + 1 if kind else min((each for each, _ in named), default=0)
    return {key for each, key in named if each == best}


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

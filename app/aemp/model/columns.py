"""The flat form of a snapshot, one column per value, from which storage is laid out."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.aemp.model.elements import ELEMENTS, HEADER, Element
from app.aemp.model.values import Equipment, EquipmentHeader

HEADER_COLUMNS: tuple[tuple[str, str], ...] = tuple((child.column, child.kind.value) for child in HEADER)

READING_COLUMNS: tuple[tuple[str, str], ...] = tuple(
    column
    for element in ELEMENTS
    for column in (
        (element.at_column, "timestamptz"),
        *((child.column, child.kind.value) for child in element.children),
    )
)

# (name, PostgreSQL type). A reading's time is null exactly when the reading is absent.
COLUMNS: tuple[tuple[str, str], ...] = HEADER_COLUMNS + READING_COLUMNS


def to_columns(equipment: Equipment) -> dict[str, Any]:
    """Every name of COLUMNS, in order; null where the machine does not report it."""
    header = equipment.header
    flat: dict[str, Any] = {child.column: getattr(header, child.attribute) for child in HEADER}
    for element in ELEMENTS:
        reading = getattr(equipment, element.attribute)
        flat[element.at_column] = reading and reading.at
        flat |= {child.column: reading and getattr(reading, child.attribute) for child in element.children}
    return flat


def from_columns(row: Mapping[str, Any], *, since: datetime | None = None) -> Equipment:
    """The inverse of `to_columns`; names beyond COLUMNS are ignored. Needs every name of COLUMNS.

    since: readings from before are left out.
    """
    header = EquipmentHeader(**{child.attribute: row[child.column] for child in HEADER})
    readings = {e.attribute: _reading(e, row) for e in ELEMENTS if row[e.at_column] is not None}
    if since is not None:
        readings = {name: reading for name, reading in readings.items() if reading.at >= since}
    return Equipment(header=header, **readings)


def _reading(element: Element, row: Mapping[str, Any]) -> Any:
    values = {child.attribute: row[child.column] for child in element.children}
    return element.reading(at=row[element.at_column], **values)

"""By what a machine is known again, and by what it may be asked for."""

from app.aemp.values import EquipmentHeader

PIN, SERIAL_NUMBER, EQUIPMENT_ID = 1, 2, 3  # the order in which a look-up prefers them

Identity = tuple[str, ...]


def identity_of(header: EquipmentHeader) -> Identity | None:
    """PIN (or VIN), else make, model and serial number together, else the customer's own id; None without any."""
    if header.pin:
        return ("pin", normalise(header.pin))
    if header.serial_number:
        return ("serial", header.oem_name or "", header.model or "", normalise(header.serial_number))
    if header.equipment_id:
        return ("id", normalise(header.equipment_id))
    return None


def identifiers_of(header: EquipmentHeader) -> tuple[tuple[str, int], ...]:
    """Every (normalised value, kind) the machine answers to."""
    given = ((header.pin, PIN), (header.serial_number, SERIAL_NUMBER), (header.equipment_id, EQUIPMENT_ID))
    return tuple((normalise(value), kind) for value, kind in given if value and normalise(value))


def normalise(identifier: str) -> str:
    """Identifiers are compared without regard to case and outer spaces; inner ones count."""
    return identifier.strip().upper()

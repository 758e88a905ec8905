"""How a machine is recognised when it is reported again."""

from app.aemp.model.identifiers import normalise_identifier
from app.aemp.model.values import EquipmentHeader

Identity = tuple[str, ...]


def identity_of(header: EquipmentHeader) -> Identity | None:
    """PIN (or VIN), else make, model and serial number together, else the customer's own id; None without any."""
    if header.pin:
        return ("pin", normalise_identifier(header.pin))
    if header.serial_number:
        return (
            "serial",
            normalise_identifier(header.oem_name or ""),
            normalise_identifier(header.model or ""),
            normalise_identifier(header.serial_number),
        )
    if header.equipment_id:
        return ("id", normalise_identifier(header.equipment_id))
    return None

"""The forms of AEMP addresses: how a machine is named, what is asked of it, and the parameters in them."""

from dataclasses import dataclass

from app.aemp.address.paging import PAGE_SIZE
from app.aemp.model.series import SERIES
from app.web.reference import examples
from app.web.reference.notation import Json


@dataclass(frozen=True, slots=True)
class MachineForm:
    """One way to name a machine. name: what operations are called after; empty for the usual one."""

    name: str
    path: str


IDENTIFIED = MachineForm("", "{identifier}")
VIN = MachineForm("", "{vin}")  # as AEMP 1.2 has it
BY_ID = MachineForm("ById", "ID/{id}")
BY_MAKE = MachineForm("ByMake", "MakeModelSerial/{make}/{model}/{serial}")
MACHINE_FORMS = (IDENTIFIED, BY_ID, BY_MAKE)

DATES = ("startDate", "endDate")


def _segment(name: str, example: str, description: str, **schema: object) -> Json:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": {"type": "string", "minLength": 1, **schema},
        "example": example,
    }


_COUNTED = f"Counted from 1, {PAGE_SIZE} to a page."
_FROM_1: Json = {"type": "integer", "minimum": 1}
_ANY_CASE = "Percent-encoded; upper and lower case are the same."
_NAMED = "The machine's PIN or VIN, serial number, or the customer's own number, in this order."

PARAMETERS: Json = {
    "page": _segment("page", "", _COUNTED) | {"schema": _FROM_1, "example": 1},
    # It has no example, since the first page is usually asked for without it.
    "pageInQuery": {"name": "page", "in": "query", "description": _COUNTED, "schema": _FROM_1},
    "identifier": _segment("identifier", examples.PIN, f"{_NAMED} {_ANY_CASE}"),
    "vin": _segment("vin", examples.PIN, f"{_NAMED} {_ANY_CASE}"),
    "id": _segment("id", examples.EQUIPMENT_ID, f"The customer's own number for the machine. {_ANY_CASE}"),
    "make": _segment("make", examples.MAKE, f"`OEMName` in the machine's header. {_ANY_CASE}"),
    "model": _segment(
        "model",
        examples.MODEL,
        f"`Model` in the machine's header. It may be empty, as it is there. {_ANY_CASE}",
        minLength=0,
    ),
    "serial": _segment(
        "serial", examples.SERIAL_NUMBER, f"`SerialNumber` in the machine's header. {_ANY_CASE}"
    ),
    "series": _segment(
        "series",
        "CumulativeOperatingHours",
        "The kind of readings; upper and lower case are the same. `Location` and `DEFRemaining` also work.",
        enum=[series.name for series in SERIES],
    ),
    "startDate": _segment(
        "startDate",
        examples.START_DATE,
        "The first moment, with a zone, or a day in UTC such as `2026-05-20`.",
        anyOf=[{"format": "date-time"}, {"format": "date"}],
    ),
    "endDate": _segment(
        "endDate",
        examples.END_DATE,
        "The last moment, or the last day; both are included. 31 days are the most.",
        anyOf=[{"format": "date-time"}, {"format": "date"}],
    ),
}

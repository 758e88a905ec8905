"""Figures, positions and times by which devices say that they know nothing; the ranges of figures are in `elements.py`.

A SAE J1939 parameter that is not available has all its bits set, and one in error all but the last. Their figures are
those numbers, or those numbers in the unit of the parameter (SPN).
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from app.aemp.model.errors import FlawError
from app.aemp.model.values import Location, Reading

# By figure as a document states it: where it comes from. Some providers pass them through 32-bit floats.
EVERYWHERE: Mapping[float, str] = {
    4294967295: "0xFFFFFFFF",
    4294967296: "0xFFFFFFFF as a float",
    2147483647: "0x7FFFFFFF",
    2147483648: "0x7FFFFFFF as a float",
}
# The same by child element.
OF_CHILD: Mapping[str, Mapping[float, str]] = {
    "Hour": {214748364.75: "SPN 247, 0.05 h a bit"},
    "FuelConsumed": {2147483647.5: "SPN 250, 0.5 litres a bit"},
    "Odometer": {
        536870911.875: "SPN 245, 0.125 km a bit",
        21474836.475: "SPN 917, 5 m a bit",
        21474836475: "SPN 917 in metres",
    },
    "Percent": {
        255: "0xFF",
        254: "0xFE, an error",
        127.5: "0xFF, 0.5 % a bit",
        102: "SPN 96, 0.4 % a bit",
        101.6: "SPN 96 in error",
    },
    "Speed": {65535: "0xFFFF", 255: "0xFF", 255.99609375: "SPN 84, 1/256 km/h a bit"},
    "Altitude": {65535: "0xFFFF", 5691.875: "SPN 580, 0.125 m a bit"},
    "Latitude": {219.4967295: "SPN 584"},
    "Longitude": {219.4967295: "SPN 585"},
    "FuelTankCapacity": {65535: "0xFFFF"},
    "DEFTankCapacity": {65535: "0xFFFF"},
}
# By moment: whose clock begins there.
NO_CLOCK: Mapping[datetime, str] = {
    datetime(1970, 1, 1, tzinfo=UTC): "Unix",
    datetime(1980, 1, 6, tzinfo=UTC): "GPS",
}

_ROUNDED = 0.0051  # many providers send two decimals
_NOWHERE = 1e-6  # degrees: a tenth of a metre


def says_nothing(child: str, figure: float) -> str | None:
    """Where the figure comes from, if it is one that says nothing. child: name of the element. figure: as it is stated."""
    if figure in EVERYWHERE:
        return EVERYWHERE[figure]
    signs = OF_CHILD.get(child, {})
    return next((sign for each, sign in signs.items() if abs(figure - each) <= _ROUNDED), None)


def check_plausible(reading: Reading) -> None:
    """Raises FlawError when the position or the time is one that says nothing."""
    if reading.at in NO_CLOCK:
        raise FlawError(
            f"its datetime is where the clock of {NO_CLOCK[reading.at]} begins: the device had no time"
        )
    if isinstance(reading, Location) and max(abs(reading.latitude), abs(reading.longitude)) < _NOWHERE:
        raise FlawError("Latitude and Longitude are 0/0: the device had no position")

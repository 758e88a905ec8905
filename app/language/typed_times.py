"""A day or a moment as a field of a form holds it, in the time zone of whoever types."""

import re
from datetime import UTC, date, datetime, time, tzinfo

_DAY = re.compile(r"(?:19[7-9]|2[0-9]{2})[0-9]-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(rf"({_DAY.pattern})[T ]([0-9]{{2}}:[0-9]{{2}}(?::[0-9]{{2}})?)")


def read_day(text: str, zone: tzinfo) -> datetime:
    """When the day begins. Raises ValueError for a day that the calendar does not have."""
    if not _DAY.fullmatch(text):
        raise ValueError(text)
    return datetime.combine(date.fromisoformat(text), time(), zone).astimezone(UTC)


def read_moment(text: str, zone: tzinfo) -> datetime:
    """The instant. Raises ValueError for a time that calendar, clock or zone do not have."""
    read = _MOMENT.fullmatch(text)
    if read is None:
        raise ValueError(text)
    local = datetime.combine(date.fromisoformat(read[1]), time.fromisoformat(read[2]), zone)
    instant = local.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise ValueError(text)
    return instant


def write_day(moment: datetime | None, zone: tzinfo) -> str:
    """The day that it lies in; empty without one."""
    return moment.astimezone(zone).date().isoformat() if moment else ""


def write_moment(moment: datetime | None, zone: tzinfo) -> str:
    """To the second; empty without one."""
    return moment.astimezone(zone).replace(tzinfo=None).isoformat(timespec="seconds") if moment else ""

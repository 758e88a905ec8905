"""Dates and durations as AEMP writes them, both ways."""

import re
from datetime import UTC, datetime, timedelta

from app.aemp.model.bounds import LONGEST_TEXT
from app.aemp.model.errors import FlawError

# A date, hours and minutes, seconds if there are any, a fraction that does not count, and a zone.
_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}:[0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]+))?)?(Z|[+-][0-9]{2}:?[0-9]{2})",
    re.IGNORECASE,
)
_DURATION = re.compile(
    r"P(?:([0-9]{1,7})D)?(?:T(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9}(?:\.[0-9]+)?)S)?)?"
)
_NEVER = "0001-01-01T00:00:00"  # with a zone or without: where it comes from, it has none
_LEAP_MINUTE = (23, 59)  # of UTC; no other has a sixty-first second
_DAY, _SECOND = timedelta(days=1), timedelta(seconds=1)
_EARLIEST, _LATEST = 1900, 2100  # years; a reading from the year 9999 would never be replaced by a newer one


def format_time(at: datetime) -> str:
    """`YYYY-MM-DDThh:mm:ssZ`: ISO 15143-3 has no fractional seconds, and strict readers refuse them."""
    return f"{at.astimezone(UTC).isoformat()[:19]}Z"


def parse_time(text: str) -> datetime | None:
    """An aware UTC time in whole seconds; None for the year one, which providers send for "never".

    Seconds may be missing, and have any number of decimals. `24:00:00` is the midnight that ends its day (XML Schema 1.1
    part 2, section 3.3.7). The leap second `23:59:60` of UTC (RFC 3339 section 5.7) is the second after it, as in POSIX.
    Raises FlawError when it is malformed, or has no zone: a guess would move readings by hours.
    """
    if text.startswith(_NEVER):
        return None
    found = _TIME.fullmatch(text) if len(text) <= LONGEST_TEXT else None
    if not found:
        raise FlawError(f"{text[:40]!r} is not a date and time with a zone, such as 2025-01-31T12:00:00Z")
    if not _EARLIEST <= int(text[:4]) < _LATEST:
        raise FlawError(f"{text[:40]} is outside the years {_EARLIEST} to {_LATEST - 1}")
    day, clock, seconds, fraction, zone = found.groups()
    try:
        return _moment(day, clock, seconds or "00", zone.upper(), exact=not (fraction or "").strip("0"))
    except (ValueError, OverflowError):
        raise FlawError(f"{text[:40]} is no date of the calendar") from None


def _moment(day: str, clock: str, seconds: str, zone: str, *, exact: bool) -> datetime:
    """Raises ValueError when there is no such moment."""
    if clock == "24:00" and seconds == "00" and exact:
        return datetime.fromisoformat(f"{day}T00:00:00{zone}").astimezone(UTC) + _DAY
    if seconds == "60":
        before = datetime.fromisoformat(f"{day}T{clock}:59{zone}").astimezone(UTC)
        if (before.hour, before.minute) == _LEAP_MINUTE:
            return before + _SECOND
    return datetime.fromisoformat(f"{day}T{clock}:{seconds}{zone}").astimezone(UTC)


def format_duration(hours: float) -> str:
    """Decimal hours as the ISO 8601 duration of AEMP 1.2, such as `P1DT7H2M3S`."""
    minutes, seconds = divmod(round(hours * 3600), 60)
    whole_hours, minutes = divmod(minutes, 60)
    days, whole_hours = divmod(whole_hours, 24)
    return f"P{f'{days}D' if days else ''}T{whole_hours}H{minutes}M{seconds}S"


def parse_duration(text: str) -> float:
    """An ISO 8601 duration in decimal hours.

    Raises FlawError when it is malformed, or has years or months, which have no fixed length.
    """
    found = _DURATION.fullmatch(text) if len(text) <= LONGEST_TEXT else None
    if not found or text.endswith(("P", "T")):
        raise FlawError(f"{text[:40]!r} is not a duration in days, hours, minutes and seconds")
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return days * 24 + hours + minutes / 60 + seconds / 3600

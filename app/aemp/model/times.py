"""Dates and durations as AEMP writes them, both ways."""

import re
from datetime import UTC, datetime

from app.aemp.model.errors import FlawError

_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:?[0-9]{2})",
    re.IGNORECASE,
)
_DURATION = re.compile(
    r"P(?:([0-9]{1,7})D)?(?:T(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9}(?:\.[0-9]{1,9})?)S)?)?"
)
_NEVER = "0001-01-01T00:00:00"  # with a zone or without: where it comes from, it has none
_EARLIEST, _LATEST = 1900, 2100  # years; a reading from the year 9999 would never be replaced by a newer one


def format_time(at: datetime) -> str:
    """`YYYY-MM-DDThh:mm:ssZ`: ISO 15143-3 has no fractional seconds, and strict readers refuse them."""
    return f"{at.astimezone(UTC).isoformat()[:19]}Z"


def parse_time(text: str) -> datetime | None:
    """An aware UTC time in whole seconds; None for the year one, which providers send for "never".

    Raises FlawError when it is malformed, or has no zone: a guess would move readings by hours.
    """
    if text.startswith(_NEVER):
        return None
    if not _TIME.fullmatch(text):
        raise FlawError(f"{text[:40]!r} is not a date and time with a zone, such as 2025-01-31T12:00:00Z")
    if not _EARLIEST <= int(text[:4]) < _LATEST:
        raise FlawError(f"{text} is outside the years {_EARLIEST} to {_LATEST - 1}")
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC).replace(microsecond=0)
    except ValueError:
        raise FlawError(f"{text} is no date of the calendar") from None


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
    found = _DURATION.fullmatch(text)
    if not found or text.endswith(("P", "T")):
        raise FlawError(f"{text[:40]!r} is not a duration in days, hours, minutes and seconds")
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return days * 24 + hours + minutes / 60 + seconds / 3600

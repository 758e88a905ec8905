"""The dates of a series: given by the client, both included, or the last two weeks where it gives none."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from app.aemp.model.errors import AempError, FlawError
from app.aemp.model.times import format_time, parse_time

LONGEST = timedelta(days=31)
_UNASKED = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Range:
    start_at: datetime
    end_at: datetime

    @property
    def segments(self) -> tuple[str, str]:
        return format_time(self.start_at), format_time(self.end_at)


def parse_range(start: str, end: str) -> Range:
    """Read two dates of an address, decoded.

    Raises AempError 400 when one is malformed, the end is before the start, or they are too far apart.
    """
    given = Range(_parse("start", start), _parse("end", end))
    if given.start_at > given.end_at:
        raise AempError(400, "invalid_range", "The start date is later than the end date.")
    if given.end_at - given.start_at > LONGEST:
        raise AempError(400, "invalid_range", f"The dates are more than {LONGEST.days} days apart.")
    return given


def recent_range(now: datetime) -> Range:
    """Two weeks and today, by whole days, so that pages agree and equal series are equal bytes."""
    today = datetime.combine(now.astimezone(UTC), time(), UTC)
    return Range(today - _UNASKED, today + timedelta(days=1, seconds=-1))


def _parse(which: str, text: str) -> datetime:
    try:
        at = parse_time(text)
    except FlawError as flaw:
        raise AempError(400, "invalid_date", f"The {which} date: {flaw}.") from None
    if at is None:
        raise AempError(400, "invalid_date", f"The {which} date is none.")
    return at

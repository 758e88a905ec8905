"""The dates of a series: given by the client, both included, or the last two weeks where it gives none."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from app.aemp.model.errors import AempError, FlawError
from app.aemp.model.times import format_time, parse_time

LONGEST = timedelta(days=31)
_UNASKED = timedelta(days=14)

_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DAY_BEGINS, _DAY_ENDS = "T00:00:00Z", "T23:59:59Z"  # readings have whole seconds


@dataclass(frozen=True, slots=True)
class Range:
    start_at: datetime
    end_at: datetime

    @property
    def segments(self) -> tuple[str, str]:
        return format_time(self.start_at), format_time(self.end_at)


def parse_range(start: str, end: str) -> Range:
    """Read two dates of an address, decoded: moments with a zone, or whole days in UTC.

    Raises AempError 400 when one is malformed, the end is before the start, or the range is too long.
    """
    given = Range(_parse("start", start, _DAY_BEGINS), _parse("end", end, _DAY_ENDS))
    if given.start_at > given.end_at:
        raise AempError(400, "invalid_range", "The start date is later than the end date.")
    if given.end_at - given.start_at > LONGEST:
        raise AempError(400, "invalid_range", f"The range is longer than {LONGEST.days} days.")
    return given


def recent_range(now: datetime) -> Range:
    """Two weeks and today, by whole days, so that pages agree and equal series are equal bytes."""
    today = datetime.combine(now.astimezone(UTC), time(), UTC)
    return Range(today - _UNASKED, today + timedelta(days=1, seconds=-1))


def _parse(which: str, text: str, moment_of_day: str) -> datetime:
    moment = text + moment_of_day if _DAY.fullmatch(text) else text
    try:
        at = parse_time(moment)
    except FlawError as flaw:
        raise AempError(400, "invalid_date", f"The {which} date: {flaw}.") from None
    if at is None:
        raise AempError(400, "invalid_date", f"The {which} date is none.")
    return at

"""Dates and durations are read as AEMP writes them, and nothing is guessed."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.aemp.model.errors import FlawError
from app.aemp.model.times import format_duration, format_time, parse_duration, parse_time

FIRST, LAST = datetime.fromisoformat("1901-01-01"), datetime.fromisoformat("2099-12-30")
MORNING = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2024-05-06T07:08:09Z",
        "2024-05-06T07:08:09.001Z",
        "2024-05-06T07:08:09.9999999Z",
        "2024-05-06T07:08:09+00:00",
        "2024-05-06T09:08:09+02:00",
        "2024-05-05T21:08:09-1000",
        "2024-05-06t07:08:09z",
        "2024-05-06T07:08:09.0000000001Z",
        f"2024-05-06T07:08:09.{'9' * 200}Z",
        "2024-05-06T07:08:09,5Z",
    ],
)
def test_times_with_a_zone_are_read_in_whole_seconds(text: str) -> None:
    assert parse_time(text) == MORNING


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
        ("2016-12-31T23:59:60.999Z", "2017-01-01T00:00:00Z"),
        ("2017-01-01T05:29:60+05:30", "2017-01-01T00:00:00Z"),
        ("2026-11-27T24:00:00Z", "2026-11-28T00:00:00Z"),
        ("2026-12-31T24:00:00.000Z", "2027-01-01T00:00:00Z"),
        ("2026-11-27T24:00+02:00", "2026-11-27T22:00:00Z"),
        ("2026-11-27T00:00Z", "2026-11-27T00:00:00Z"),
        ("2026-11-27T09:30+0200", "2026-11-27T07:30:00Z"),
    ],
)
def test_leap_seconds_midnights_of_the_day_before_and_times_without_seconds_are_read(
    text: str, meant: str
) -> None:
    assert parse_time(text) == datetime.fromisoformat(meant)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00", "0001-01-01T00:00:00+05:00"])
def test_year_one_means_never(text: str) -> None:
    assert parse_time(text) is None


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("2024-05-06T07:08:09", id="naive"),
        pytest.param("2024-05-06", id="date alone"),
        pytest.param("20240506T070809Z", id="basic form"),
        pytest.param("2024-13-06T07:08:09Z", id="month 13"),
        pytest.param("2023-02-29T07:08:09Z", id="no leap year"),
        pytest.param("2024-05-06T25:08:09Z", id="hour 25"),
        pytest.param("2024-05-06T24:00:01Z", id="after the end of the day"),
        pytest.param("2024-05-06T24:00:00.001Z", id="just after the end of the day"),
        pytest.param("2024-05-06T12:00:60Z", id="leap second at noon"),
        pytest.param("2024-05-06T23:59:60+02:00", id="leap second of another zone"),
        pytest.param("2024-05-06T23:59:61Z", id="two leap seconds"),
        pytest.param("2024-05-06T07Z", id="hour alone"),
        pytest.param("2024-05-06T07:08.5Z", id="fraction of a minute"),
        pytest.param("2024-05-06T07:08:09.Z", id="empty fraction"),
        pytest.param(f"2024-05-06T07:08:09.{'9' * 300}Z", id="endless fraction"),
        pytest.param("2024-05-06T07:08:09+99:00", id="impossible zone"),
        pytest.param("9999-12-31T23:59:59-05:00", id="far future"),
        pytest.param("1899-12-31T23:59:59Z", id="before telematics"),
        pytest.param("0001-01-02T00:00:00Z", id="second day of all"),
        pytest.param("٢٠٢٤-05-06T07:08:09Z", id="other digits"),
        pytest.param("yesterday", id="word"),
        pytest.param("", id="empty"),
    ],
)
def test_times_that_say_no_moment_are_refused(text: str) -> None:
    """R-72: naive and far-future times; a reading from the year 9999 would never be replaced."""
    with pytest.raises(FlawError):
        parse_time(text)


def test_time_is_written_in_utc_without_fraction() -> None:
    local = datetime(2024, 5, 6, 9, 8, 9, 999_999, tzinfo=timezone(timedelta(hours=2)))
    assert format_time(local) == "2024-05-06T07:08:09Z"


@given(st.datetimes(min_value=FIRST, max_value=LAST, timezones=st.timezones()))
def test_written_time_is_read_back(at: datetime) -> None:
    assert parse_time(format_time(at)) == at.astimezone(UTC).replace(microsecond=0)


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("PT13H28M30S", 13.475),
        ("P1DT7H2M3S", 31 + 2 / 60 + 3 / 3600),
        ("P13DT0H25M59.999S", 312 + 25 / 60 + 59.999 / 3600),
        ("PT0S", 0.0),
        ("P2D", 48.0),
        ("PT90M", 1.5),
        (f"PT1H30M0.{'0' * 60}S", 1.5),
    ],
)
def test_durations_become_decimal_hours(text: str, hours: float) -> None:
    assert parse_duration(text) == pytest.approx(hours, abs=1e-9)


@pytest.mark.parametrize(
    "text", ["P", "PT", "P1DT", "P1M", "P1Y", "P1W", "-PT1H", "PT1.5H", "PT1H1H", "1H", "PT1S1M", ""]
)
def test_durations_of_no_fixed_length_are_refused(text: str) -> None:
    with pytest.raises(FlawError):
        parse_duration(text)


@pytest.mark.parametrize(
    ("hours", "text"),
    [(13.475, "PT13H28M30S"), (31.034167, "P1DT7H2M3S"), (0.0, "PT0H0M0S"), (23.99999, "P1DT0H0M0S")],
)
def test_hours_are_written_as_a_duration(hours: float, text: str) -> None:
    assert format_duration(hours) == text


@given(st.floats(0, 1_000_000))
def test_written_duration_is_read_back_to_the_second(hours: float) -> None:
    assert parse_duration(format_duration(hours)) == pytest.approx(hours, abs=0.51 / 3600)

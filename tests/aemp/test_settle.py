"""Readings become rows of whoever owned the machine at their time, shifted by offsets; the newest of each is noted."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.aemp.history.history import History, NamedReading, history_of
from app.aemp.history.settle import Kept, Machine, Period, Refused, Rows, offset_at, settle
from app.aemp.model.series import Metric
from app.aemp.model.values import EngineStatus, Fault, FuelConsumed, Location, Speed, SwitchStatus, TankLevel

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
KEPT = Kept(NOON - timedelta(days=400), NOON + 5 * HOUR)
HOURS = Metric.CUMULATIVE_OPERATING_HOURS
OURS = (Period(7),)


def hours(*values: float, step: timedelta = HOUR) -> History:
    """Operating hours at noon and at every step after."""
    return History(figures=[(NOON + place * step, HOURS, value) for place, value in enumerate(values)])


def latest(rows: Rows) -> dict[str, Any]:
    """The values that are told, by column."""
    [told] = rows.latest.values()
    return {column: value for column, value in told.columns().items() if value is not None}


def settled(machine: Machine, history: History, *, snapshot: bool = False) -> tuple[Rows, list[Refused]]:
    rows = Rows()
    return rows, settle(machine, history, KEPT, rows, snapshot=snapshot)


def test_rows_carry_the_fleet_of_their_time() -> None:
    machine = Machine(3, (Period(7, None, NOON + HOUR), Period(8, NOON + HOUR)))
    rows, refused = settled(machine, hours(1, 2, 3))
    assert [(row[1], row[3]) for row in rows.readings] == [(1, 7), (2, 8), (3, 8)]
    assert refused == []


def test_what_an_earlier_owner_is_told_late_does_not_become_the_newest() -> None:
    machine = Machine(3, (Period(7, None, NOON + HOUR), Period(8, NOON + HOUR)))
    history = history_of([("FuelRemaining", TankLevel(NOON, 40, capacity_l=300))])
    rows, _ = settled(machine, history)
    assert len(rows.readings) == 1
    assert latest(rows) == {"newest_at": NOON}


def test_a_time_between_two_owners_is_refused() -> None:
    machine = Machine(3, (Period(7, None, NOON), Period(8, NOON + 2 * HOUR)))
    rows, refused = settled(machine, hours(1, 2, 3))
    assert [row[1] for row in rows.readings] == [3]
    assert [(each.at, each.element) for each in refused] == [
        (NOON, "CumulativeOperatingHours"),
        (NOON + HOUR, "CumulativeOperatingHours"),
    ]
    assert {each.reason for each in refused} == {"the machine was not in this fleet then"}


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (KEPT.from_at - HOUR, "it is older than what is kept, which begins at 2025-03-30T12:00:00Z"),
        (KEPT.until_at, "it is from the future"),
    ],
)
def test_what_history_does_not_take_is_named(at: datetime, reason: str) -> None:
    readings: list[NamedReading] = [
        ("FuelUsed", FuelConsumed(at, 3)),
        ("SwitchStatus", SwitchStatus(at, 16, on=True)),
        ("Location", Location(at, 1, 2)),
        ("FaultCode", Fault(at, "SPN 100")),
        ("CautionCode", Fault(at, "SPN 100")),
    ]
    rows, refused = settled(Machine(3, OURS), history_of(readings))
    assert refused == [Refused(name, at, reason) for name, _ in readings]
    assert not rows.readings + rows.positions + rows.faults
    assert latest(rows) == {}


def test_a_snapshot_shows_what_is_too_old_for_history() -> None:
    """A machine that was parked two years ago still has a place where it stands."""
    at = KEPT.from_at - HOUR
    rows, refused = settled(Machine(3, OURS), history_of([("Location", Location(at, 1, 2))]), snapshot=True)
    assert (rows.positions, refused) == ([], [])
    assert latest(rows) == {"location_at": at, "latitude": 1, "longitude": 2}


def test_only_what_is_newer_than_all_that_is_known_is_fresh() -> None:
    rows, _ = settled(Machine(3, OURS, newest_at=NOON + HOUR), hours(1, 2, 3))
    assert [(row[1], row[5]) for row in rows.readings] == [(1, True), (2, True), (3, False)]


def test_offsets_hold_from_their_time_until_the_next() -> None:
    offsets = {int(HOURS): ((NOON + HOUR, 100.0), (NOON + 2 * HOUR, 150.0))}
    rows, _ = settled(Machine(3, OURS, offsets=offsets), hours(90, 5, 1, 2))
    assert [row[1] for row in rows.readings] == [90, 105, 151, 152]
    assert latest(rows)["cumulative_operating_hours"] == 152
    assert offset_at((), NOON) == 0


def test_the_newest_of_each_is_noted_in_its_own_form() -> None:
    rows, _ = settled(
        Machine(3, OURS),
        history_of(
            [
                ("EngineStatus", EngineStatus(NOON + HOUR, running=False)),
                ("EngineStatus", EngineStatus(NOON, running=True, engine_number="E-1")),
                ("Speed", Speed(NOON, 12.5)),
                ("SwitchStatus", SwitchStatus(NOON, 16, on=True)),
            ]
        ),
    )
    assert latest(rows) == {
        "engine_status_at": NOON + HOUR,
        "engine_running": False,
        "engine_number": "E-1",
        "newest_at": NOON + HOUR,
    }
    assert {(row[4], row[1]) for row in rows.readings} == {(9, 0.0), (9, 1.0), (16, 12.5), (116, 1.0)}


def test_of_several_reports_the_newest_counts_in_any_order() -> None:
    rows = Rows()
    for value, at in ((2.0, NOON + HOUR), (1.0, NOON)):
        settle(Machine(3, OURS), History(figures=[(at, HOURS, value)]), KEPT, rows)
    assert latest(rows)["cumulative_operating_hours"] == 2
    assert latest(rows)["newest_at"] == NOON + HOUR


def test_faults_and_cautions_are_told_apart() -> None:
    fault = Fault(NOON, "SPN 100", "Oil pressure", "red", "Engine")
    rows, _ = settled(
        Machine(3, OURS), history_of([("FaultCode", fault), ("CautionCode", Fault(NOON, "C-2"))])
    )
    assert rows.faults == [
        (NOON, 3, 7, 1, "SPN 100", "Oil pressure", "red", "Engine"),
        (NOON, 3, 7, 2, "C-2", None, None, ""),
    ]

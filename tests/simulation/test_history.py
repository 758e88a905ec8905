"""The days behind simulated snapshots: every interval told, totals that never fall, and the last of them the snapshot's."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from app.aemp.history.history import history_of, readings_of
from app.aemp.model.series import Metric
from app.simulation.fleet import simulate_machines
from app.simulation.history import count_times, simulate_history
from app.simulation.machines import SimulatedMachine

NOW = datetime(2024, 5, 8, 16, 7, 23, tzinfo=UTC)
INTERVAL = timedelta(minutes=5)
DAY = timedelta(days=1)
BEGAN = NOW - 6 * DAY
MADE = tuple(simulate_machines(60, 20, 300, 7, NOW))
TOTALS = (
    Metric.CUMULATIVE_OPERATING_HOURS,
    Metric.CUMULATIVE_IDLE_HOURS,
    Metric.CUMULATIVE_FUEL_USED,
    Metric.DISTANCE,
    Metric.CUMULATIVE_LOAD_COUNT,
    Metric.CUMULATIVE_PAYLOAD_TOTALS,
)
TANKS = (Metric.FUEL_REMAINING, Metric.DEF_REMAINING)
LAST_24 = (Metric.FUEL_USED_LAST_24, Metric.AVERAGE_LOAD_FACTOR_LAST_24, Metric.MAXIMUM_SPEED_LAST_24)
MEASURED_FOR_THEM = (Metric.SPEED, Metric.ENGINE_LOAD)


def series_of(machine: SimulatedMachine, began: datetime = BEGAN) -> dict[int, list[tuple[datetime, float]]]:
    series = defaultdict(list)
    for history in simulate_history(machine, began, NOW, INTERVAL):
        for at, metric, value in history.figures:
            series[metric].append((at, value))
    return series


def test_every_interval_is_told_and_totals_never_fall() -> None:
    for _, machine in MADE[:20]:
        for metric, told in series_of(machine).items():
            times = [at for at, _ in told]
            if metric != Metric.ENGINE_LOAD:  # told while the engine runs
                assert len(times) == count_times(BEGAN, NOW, INTERVAL)
            assert times == sorted(set(times))
            assert times[-1] <= NOW
            if metric in TOTALS:
                values = [value for _, value in told]
                assert values == sorted(values)


@pytest.mark.parametrize("interval_s", [60, 300, 5400])
@pytest.mark.parametrize("length", [timedelta(hours=2), DAY])
@pytest.mark.parametrize("later", [timedelta(0), timedelta(hours=6.51), timedelta(days=3.1, seconds=0.25)])
def test_snapshot_is_the_last_reading_of_every_series(
    later: timedelta, length: timedelta, interval_s: int
) -> None:
    """At work, in the evening and on a Saturday; of a history of whatever length."""
    now = NOW + later
    interval = timedelta(seconds=interval_s)
    for snapshot, machine in simulate_machines(30, 12, interval_s, 7, now):
        pieces = list(simulate_history(machine, now - length, now, interval))
        told = {metric: (at, value) for piece in pieces for at, metric, value in piece.figures}
        shown = history_of(readings_of(snapshot))
        assert {metric: (at, value) for at, metric, value in shown.figures if metric not in LAST_24} == {
            metric: latest for metric, latest in told.items() if metric not in MEASURED_FOR_THEM
        }
        assert shown.locations == [place for piece in pieces for place in piece.locations][-1:]


def test_figures_of_the_last_day_are_those_of_the_history() -> None:
    compared = 0
    for snapshot, machine in MADE:
        series = series_of(machine, NOW - 2 * DAY)
        for at, metric, value in history_of(readings_of(snapshot)).figures:
            day = {m: [v for when, v in told if at - DAY < when <= at] for m, told in series.items()}
            if metric == Metric.MAXIMUM_SPEED_LAST_24:
                assert value == max(day[Metric.SPEED])
            elif metric == Metric.FUEL_USED_LAST_24:
                fuel = day[Metric.CUMULATIVE_FUEL_USED]
                assert value == pytest.approx(fuel[-1] - fuel[0], abs=3)
            elif metric == Metric.AVERAGE_LOAD_FACTOR_LAST_24:
                loads = day[Metric.ENGINE_LOAD]
                assert value == pytest.approx(sum(loads) / len(loads), abs=0.5)
            compared += metric in LAST_24
    assert compared > 100


def test_tanks_are_filled_before_they_run_dry() -> None:
    filled = 0
    for _, machine in MADE:
        series = series_of(machine)
        for levels in ([value for _, value in series[metric]] for metric in TANKS if metric in series):
            assert 5 < min(levels) <= max(levels) < 100
            filled += sum(later > earlier for earlier, later in pairwise(levels))
    assert filled > 30


def test_a_machine_moves_while_its_engine_runs_alone() -> None:
    for _, machine in MADE[:20]:
        history = next(simulate_history(machine, BEGAN, NOW, INTERVAL))
        running = [value for _, metric, value in history.figures if metric == Metric.ENGINE_STATUS]
        places = [(each.latitude, each.longitude) for each in history.locations]
        stood = [at for at in range(1, len(places)) if not running[at - 1] and not running[at]]
        assert all(places[at] == places[at - 1] for at in stood)
        assert len(set(places)) > 1 or not machine.profile.speed_kmh


def test_an_engine_runs_from_its_first_second_until_its_last() -> None:
    second = timedelta(seconds=1)
    for _, machine in MADE[:10]:
        for shift in machine.shifts[1:-1]:
            for turn, told in ((shift.begins_at, [0, 0, 1, 1]), (shift.ends_at, [1, 1, 0, 0])):
                [history] = simulate_history(machine, turn - 2 * second, turn + second, second)
                running = [value for _, metric, value in history.figures if metric == Metric.ENGINE_STATUS]
                assert running == told


def test_a_silent_tracker_has_no_history() -> None:
    silent = next(machine for _, machine in simulate_machines(600, 20, 300, 7, NOW) if machine.silent)
    assert list(simulate_history(silent, BEGAN, NOW, INTERVAL)) == []

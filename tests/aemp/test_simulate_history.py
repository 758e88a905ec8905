"""The days behind simulated snapshots: every interval told, totals that never fall, and the last of them the snapshot's."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta

from app.aemp.history.history import history_of, readings_of
from app.aemp.model.series import Metric
from app.simulation.fleet import simulate_machines
from app.simulation.history import count_times, simulate_history

NOW = datetime(2024, 5, 8, 16, 7, 23, tzinfo=UTC)
INTERVAL = timedelta(minutes=5)
BEGAN = NOW - timedelta(days=20)
MADE = tuple(simulate_machines(60, 20, 300, 7, NOW))
TOTALS = (
    Metric.CUMULATIVE_OPERATING_HOURS,
    Metric.CUMULATIVE_IDLE_HOURS,
    Metric.CUMULATIVE_FUEL_USED,
    Metric.DISTANCE,
    Metric.CUMULATIVE_LOAD_COUNT,
    Metric.CUMULATIVE_PAYLOAD_TOTALS,
)


def series_of(place: int) -> dict[int, list[tuple[datetime, float]]]:
    series = defaultdict(list)
    for history in simulate_history(MADE[place][1], BEGAN, NOW, INTERVAL):
        for at, metric, value in history.figures:
            series[metric].append((at, value))
    return series


def test_every_interval_is_told_and_totals_never_fall() -> None:
    for place in range(20):
        for metric, told in series_of(place).items():
            times = [at for at, _ in told]
            if metric != Metric.ENGINE_LOAD:  # told while the engine runs
                assert len(times) == count_times(BEGAN, NOW, INTERVAL)
            assert times == sorted(set(times))
            assert times[-1] <= NOW
            if metric in TOTALS:
                values = [value for _, value in told]
                assert values == sorted(values)


def test_history_leads_to_the_snapshot() -> None:
    """A total at its last change is what the snapshot says."""
    compared = 0
    for place, (machine, _) in enumerate(MADE):
        series = series_of(place)
        for at, metric, value in history_of(readings_of(machine)).figures:
            if metric in TOTALS:
                assert abs(series[metric][-1][1] - value) <= 0.1 + value * 1e-4, (place, metric, at)
                compared += 1
    assert compared > 100


def test_a_silent_tracker_has_no_history() -> None:
    silent = [machine for _, machine in MADE if machine.silent]
    assert silent
    assert list(simulate_history(silent[0], BEGAN, NOW, INTERVAL)) == []

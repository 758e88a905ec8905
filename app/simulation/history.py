"""Simulated machines report the days behind their snapshots, reading by reading."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from app.aemp.history.history import Figure, History
from app.simulation.figures import figures_of, location_of, moment_of
from app.simulation.machines import SimulatedMachine, Totals

_MOST_FIGURES = 20_000  # in one piece: a tenth of a second's work


def simulate_history(
    machine: SimulatedMachine, begins_at: datetime, ends_at: datetime, interval: timedelta
) -> Iterator[History]:
    """Everything the machine tells, at every interval from the beginning up to the end, day and night, in pieces."""
    if machine.silent:
        return
    history = History()
    figures: list[Figure] = []
    stood: Totals | None = None
    for at in _times(begins_at, ends_at, interval):
        moment = moment_of(machine, at)
        if moment.totals == stood and not moment.running:  # saying the same again takes a third of the time
            figures = [(at, metric, value) for _, metric, value in figures]
        else:
            figures = list(figures_of(moment))
        stood = None if moment.running else moment.totals
        history.figures += figures
        history.locations.append(location_of(moment))
        if len(history.figures) >= _MOST_FIGURES:
            yield history
            history = History()
    yield history


def count_times(begins_at: datetime, ends_at: datetime, interval: timedelta) -> int:
    """How often a machine reports."""
    return max(0, (ends_at - _first(begins_at, interval)) // interval + 1)


def last_time(at: datetime, interval: timedelta) -> datetime:
    """When a machine last reported by then."""
    step = interval.total_seconds()
    return datetime.fromtimestamp(at.timestamp() // step * step, UTC)


def _first(begins_at: datetime, interval: timedelta) -> datetime:
    before = last_time(begins_at, interval)
    return before if before == begins_at else before + interval


def _times(begins_at: datetime, ends_at: datetime, interval: timedelta) -> Iterator[datetime]:
    at = _first(begins_at, interval)
    while at <= ends_at:
        yield at
        at += interval

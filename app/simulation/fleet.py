"""Plausible fleets for the demo and for load: a machine's snapshot is where the walk through its days ends.

Within a day everything grows in step with the engine's hours. So hours, idle hours, fuel, distance and loads agree
with each other, and a Last24 figure is the difference of two totals.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain
from random import Random
from typing import Any

from app.aemp.model.series import SERIES
from app.aemp.model.values import Equipment, TankLevel
from app.simulation.figures import figures_of, last_24_of, location_of, moment_of
from app.simulation.history import last_time
from app.simulation.machines import SimulatedMachine, make_machine, make_sites, renumbered

_SHOWN = {metric: series for series in SERIES for metric in series.metrics}


def simulate_fleet(
    machines: int, days: float, interval_s: int, seed: int, now: datetime
) -> Iterator[Equipment]:
    """The newest snapshot of each machine at `now`, after `days` simulated days reported every `interval_s`.

    The same arguments give the same fleet, and a machine does not depend on how many there are.
    """
    simulated = simulate_machines(machines, days, interval_s, seed, now)
    return (equipment for equipment, _ in simulated)


def simulate_machines(
    machines: int, days: float, interval_s: int, seed: int, now: datetime, *, owner: str = ""
) -> Iterator[tuple[Equipment, SimulatedMachine]]:
    """The same, each with the days that it comes from.

    owner: the machines of two owners differ in their PINs and serial numbers, and in nothing else.
    """
    began_at = (now.astimezone(UTC) - timedelta(days=days)).replace(microsecond=0)
    at = max(began_at, last_time(now, timedelta(seconds=interval_s)))
    sites = make_sites(Random(seed))  # noqa: S311 - invented machines, not secrets
    for number in range(machines):
        random = Random(f"{seed}/{number}")  # noqa: S311 - as above
        machine = make_machine(random, number, sites, (began_at, now))
        if owner:
            machine = renumbered(machine, Random(f"{seed}/{number}/{owner}"))  # noqa: S311 - as above
        yield _snapshot(machine, at), machine


def _snapshot(machine: SimulatedMachine, at: datetime) -> Equipment:
    if machine.silent:
        return Equipment(header=machine.header)
    moment = moment_of(machine, at)
    tanks = {int(tank.metric): TankLevel(at, 0.0, tank.capacity_l) for tank in machine.profile.tanks}
    readings: dict[str, Any] = {}
    for _, metric, value in chain(figures_of(moment), last_24_of(moment)):
        if metric in _SHOWN:
            series = _SHOWN[metric]
            told = series.readings_of([(at, value, metric)], tanks.get(metric))
            readings[series.element.attribute] = told[0]
    return Equipment(header=machine.header, location=location_of(moment), **readings)

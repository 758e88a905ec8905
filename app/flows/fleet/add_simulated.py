"""Add simulated machines to a fleet, with everything they reported until now."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.aemp.model.identity import Identity, identity_of
from app.aemp.model.values import Equipment
from app.context import Context
from app.flows.fleet.import_fleet import Imported, import_machines
from app.flows.fleet.load_history import Told, keys_by_identity, load_history
from app.flows.fleet.write_history import prepare_history
from app.simulation.fleet import simulate_machines
from app.simulation.history import count_times, simulate_history
from app.simulation.machines import SimulatedMachine

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Simulation:
    """A fleet to make up. days: how long its machines have worked. history: the last part, whose readings are written."""

    machines: int
    days: timedelta
    history: timedelta
    interval: timedelta
    seed: int
    now: datetime


@dataclass(frozen=True, slots=True)
class Added:
    """The fleet that was added. stored: rows of history."""

    machines: Imported
    stored: int


async def add_simulated(
    context: Context,
    customer_id: UUID,
    simulation: Simulation,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Added:
    """Add machines and their history; known machines are recognised, and their readings restated.

    progress: told how many positions were written since its last call, and how many there are in all.
    """
    # 1. The machines, before anything is known of them: history that is new is written twice as fast
    made = tuple(_simulated(simulation, customer_id))
    imported = await import_machines(
        context, customer_id, [Equipment(header=machine.header) for machine, _ in made]
    )
    # 2. Their history
    since = simulation.now - simulation.history
    days = [since + n * _DAY for n in range(simulation.history // _DAY + 2)]
    kept = await prepare_history(context, days)
    since = max(since, kept.from_at)
    steps = count_times(since, simulation.now, simulation.interval)
    reporting = sum(not simulated.silent for _, simulated in made)
    keys = await keys_by_identity(context, customer_id)
    stored = await load_history(
        context,
        customer_id,
        _told(made, keys, since, simulation),
        kept,
        lambda count: progress(count, steps * reporting),
    )
    # 3. Their newest snapshots, with what stands with a machine
    await import_machines(context, customer_id, [machine for machine, _ in made])
    return Added(imported, stored)


def _simulated(simulation: Simulation, customer_id: UUID) -> Iterator[tuple[Equipment, SimulatedMachine]]:
    """No other customer gets these machines: a PIN has one fleet that its readings go to."""
    return simulate_machines(
        simulation.machines,
        simulation.days / _DAY,
        int(simulation.interval.total_seconds()),
        simulation.seed,
        simulation.now,
        owner=str(customer_id),
    )


def _told(
    made: Sequence[tuple[Equipment, SimulatedMachine]],
    keys: dict[Identity, int],
    since: datetime,
    simulation: Simulation,
) -> Iterator[Told]:
    for machine, simulated in made:
        identity = identity_of(machine.header)
        if identity is not None:
            for history in simulate_history(simulated, since, simulation.now, simulation.interval):
                yield keys[identity], history

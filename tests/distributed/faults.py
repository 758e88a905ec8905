"""A worker of Citus is killed under the journalled workload of tests/faults, and comes back."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from random import Random

from tests.distributed.ground import CitusGround, laid_out_on
from tests.faults.fault import Fault
from tests.faults.ground import Ground
from tests.faults.schedule import Plan, Result, run_schedule

_KILLED = "SELECT pg_postmaster_start_time()"


async def _kill_worker(ground: Ground, chance: Random) -> int:
    """R-90: one of them at once, log and all. Its tokens are away meanwhile, and those of the other are not."""
    assert isinstance(ground, CitusGround)
    worker = chance.choice(ground.servers.nodes[1:])
    before = await asyncio.to_thread(worker.tell, _KILLED, password=ground.servers.password)
    await asyncio.to_thread(worker.kill)
    await asyncio.sleep(chance.uniform(0.3, 2.0))
    await asyncio.to_thread(worker.start)
    return int(await asyncio.to_thread(worker.tell, _KILLED, password=ground.servers.password) != before)


async def _kill_coordinator(ground: Ground, chance: Random) -> int:
    """In the middle of commits over both workers, some of which the coordinator finishes when it is back."""
    assert isinstance(ground, CitusGround)
    coordinator = ground.servers.coordinator
    before = await asyncio.to_thread(coordinator.tell, _KILLED, password=ground.servers.password)
    await asyncio.to_thread(coordinator.kill)
    await asyncio.sleep(chance.uniform(0.1, 1.0))
    await asyncio.to_thread(coordinator.start)
    return int(await asyncio.to_thread(coordinator.tell, _KILLED, password=ground.servers.password) != before)


FAULTS = (
    Fault("a worker killed", "restarts", _kill_worker),
    Fault("the coordinator killed", "restarts", _kill_coordinator),
)


async def run_faults(
    programs: Path, logs: Path, plan: Plan, porcupine: Path | None, *, seed: int, operations: int
) -> AsyncIterator[Result]:
    """Each fault on one ground of two workers, in schedules with one seed after the other, until so many operations are judged."""
    async with laid_out_on(programs, workers=2, logs=logs) as ground:
        for fault in FAULTS:
            done = 0
            for each in count(seed):
                result = await run_schedule(ground, fault, each, plan, porcupine)
                yield result
                if result.broken:
                    return  # nothing on this ground can be judged any more
                done += len(result.journal.operations)
                if done >= operations:
                    break

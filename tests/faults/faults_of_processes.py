"""Faults of the service's own processes: killed, stopped, told to end, replaced."""

import asyncio
import shutil
import signal
import subprocess
from email.utils import parsedate_to_datetime
from pathlib import Path
from random import Random
from time import monotonic, time

import httpx2
import psutil

from tests.faults.fault import Fault, NotShownError
from tests.faults.ground import Ground
from tests.faults.servers import Instance, NotBackError, send

_SHIM = Path(__file__).with_name("shifted_clock.c")
_REPLACED_WITHIN_S = 120.0


async def kill_worker(ground: Ground, chance: Random) -> int:
    """R-103: count the workers that stand in for killed ones."""
    instance = chance.choice(ground.instances)
    workers = instance.served_by()
    killed = chance.sample(workers, chance.choice((1, len(workers))))
    send(killed, signal.SIGKILL)
    return await _replaced(instance, killed)


async def stop_worker(ground: Ground, chance: Random) -> int:
    """Count those that stood still. The supervisor may have taken one for dead and replaced it."""
    instance = chance.choice(ground.instances)
    stopped = chance.sample(instance.served_by(), 1)
    send(stopped, signal.SIGSTOP)
    await asyncio.sleep(chance.uniform(1.0, 3.0))
    count = _standing_still(stopped)
    send(stopped, signal.SIGCONT)
    return count


async def kill_supervisor(ground: Ground, chance: Random) -> int:
    """Its workers end by themselves, and another takes the port."""
    instance = chance.choice(ground.instances)
    assert instance.process is not None
    workers = instance.served_by()
    instance.process.kill()
    instance.process.wait(10)
    began = monotonic()
    while any(each.is_running() and each.status() != "zombie" for each in workers):
        if monotonic() - began > _REPLACED_WITHIN_S:
            raise NotBackError("workers outlive their supervisor")
        await asyncio.sleep(0.1)
    instance.begin()
    await instance.until_ready()
    return len(workers)


async def stop_supervisor(ground: Ground, chance: Random) -> int:
    """A worker dies meanwhile, and is replaced once the supervisor goes on."""
    instance = chance.choice(ground.instances)
    assert instance.process is not None
    supervisor = psutil.Process(instance.process.pid)
    killed = instance.served_by()[:1]
    send([supervisor], signal.SIGSTOP)
    send(killed, signal.SIGKILL)
    await asyncio.sleep(chance.uniform(0.5, 2.0))
    count = _standing_still([supervisor])
    send([supervisor], signal.SIGCONT)
    return count and await _replaced(instance, killed)


async def restart(ground: Ground, chance: Random) -> int:
    """R-102: told to end under load, and started again."""
    instance = chance.choice(ground.instances)
    status = await instance.end(signal.SIGTERM)
    instance.begin()
    await instance.until_ready()
    return int(status in (0, -signal.SIGTERM, 128 + signal.SIGTERM))


async def roll(ground: Ground, chance: Random) -> int:
    """R-102: workers are replaced one by one while they serve."""
    instance = chance.choice(ground.instances)
    assert instance.process is not None
    before = instance.served_by()
    instance.process.send_signal(signal.SIGHUP)
    return await _replaced(instance, before)


async def shift_clock(ground: Ground, chance: Random) -> int:
    """R-106: one instance lives minutes before or after the other and PostgreSQL."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise NotShownError("this machine has no C compiler for a clock that is wrong")
    shim = ground.folder / "shifted_clock.so"
    if not shim.exists():
        command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(shim), str(_SHIM), "-ldl"]
        await asyncio.to_thread(subprocess.run, command, check=True)
    shift_s = chance.choice((-300, 300))
    instance = chance.choice(ground.instances)
    await instance.end()
    instance.begin(LD_PRELOAD=str(shim), SHIFTED_BY_S=str(shift_s))
    await instance.until_ready()
    off_s = await _clock_of(instance) - time()
    await asyncio.sleep(3)
    await instance.end()
    instance.begin()
    await instance.until_ready()
    return int(abs(off_s - shift_s) < 30)


async def _clock_of(instance: Instance) -> float:
    async with httpx2.AsyncClient() as client:
        answer = await client.get(f"{instance.url}/health/alive")
    return parsedate_to_datetime(answer.headers["date"]).timestamp()


async def _replaced(instance: Instance, gone: list[psutil.Process]) -> int:
    """How many new workers there are, once the instance has all of them and none of the old."""
    old = {each.pid for each in gone}
    began = monotonic()
    while monotonic() - began < _REPLACED_WITHIN_S:
        workers = {each.pid for each in instance.served_by()}
        if len(workers) == instance.workers and not workers & old and await instance.ready():
            return len(old)
        await asyncio.sleep(0.1)
    raise NotBackError(f"instance {instance.number} does not replace its workers, see {instance.log}")


def _standing_still(processes: list[psutil.Process]) -> int:
    return sum(each.is_running() and each.status() == psutil.STATUS_STOPPED for each in processes)


FAULTS = (
    Fault("worker killed", "workers replaced", kill_worker, times=3),
    Fault("worker stopped", "workers that stood still", stop_worker),
    Fault("supervisor killed", "orphaned workers that ended", kill_supervisor),
    Fault("supervisor stopped", "workers replaced late", stop_supervisor),
    Fault("instance restarted", "clean ends", restart),
    Fault("workers rolled", "workers replaced", roll),
    Fault("clock shifted", "instances whose Date was minutes off", shift_clock, times=1),
)

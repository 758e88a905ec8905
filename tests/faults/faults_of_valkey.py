"""Faults of Valkey: killed, stopped, emptied, set back, read-only, full, loading, out of disk."""

import asyncio
import resource
from contextlib import suppress
from random import Random

import psutil
from redis.exceptions import RedisError

from tests.faults.fault import Fault
from tests.faults.ground import Ground
from tests.support.changing import until_true

_FILLERS = 3000
_LOAD_DELAY_US = 500  # for each key


async def kill(ground: Ground, chance: Random) -> int:
    """R-87, R-98: what it had acknowledged is on disk."""
    before = await _run_id(ground)
    ground.valkey.kill()
    await asyncio.sleep(chance.uniform(0.1, 1.5))
    await ground.valkey.start()
    return int(await _run_id(ground) != before)


async def stop(ground: Ground, chance: Random) -> int:
    """R-88: it accepts, and never answers."""
    server = psutil.Process(ground.valkey.process.pid)
    server.suspend()
    await asyncio.sleep(chance.uniform(0.5, 3.0))
    stood = int(server.status() == psutil.STATUS_STOPPED)
    server.resume()
    return stood


async def empty(ground: Ground, chance: Random) -> int:
    """Codes that waited are gone, several times over."""
    gone = 0
    for _ in range(chance.randint(5, 12)):
        gone += int(await ground.valkey.tell("DBSIZE"))
        await ground.valkey.tell("FLUSHALL")
        await asyncio.sleep(chance.uniform(0.02, 0.2))
    return gone


async def set_back(ground: Ground, chance: Random) -> int:
    """R-6: a copy of some time ago brings back codes that were used and burned since."""
    copied = await asyncio.to_thread(ground.valkey.copy)
    await asyncio.sleep(chance.uniform(0.3, 1.2))
    ground.valkey.kill()
    await asyncio.to_thread(ground.valkey.take_back, copied)
    await ground.valkey.start()
    await until_true(lambda: _is_loaded(ground))
    return int(await ground.valkey.tell("DBSIZE"))


async def take_no_writes(ground: Ground, chance: Random) -> int:
    """R-89: it became a replica of a server that is not there."""
    before = await ground.valkey.errors("READONLY")
    await ground.valkey.tell("REPLICAOF", "127.0.0.1", "1")
    await asyncio.sleep(chance.uniform(0.5, 2.0))
    await ground.valkey.tell("REPLICAOF", "NO", "ONE")
    return await ground.valkey.errors("READONLY") - before


async def fill(ground: Ground, chance: Random) -> int:
    """R-89: it has no memory for another code."""
    before = await ground.valkey.errors("OOM")
    await ground.valkey.tell("CONFIG", "SET", "maxmemory", "1mb")
    await asyncio.sleep(chance.uniform(0.5, 2.0))
    await ground.valkey.tell("CONFIG", "SET", "maxmemory", "0")
    return await ground.valkey.errors("OOM") - before


async def load(ground: Ground, _chance: Random) -> int:
    """R-89: it starts on a large file, and says so meanwhile."""
    fillers = [word for number in range(_FILLERS) for word in (f"filler:{number}", "x" * 64)]
    await ground.valkey.tell("MSET", *fillers)
    await ground.valkey.tell("BGREWRITEAOF")
    await until_true(lambda: _is_rewritten(ground))
    ground.valkey.kill()
    await ground.valkey.start(
        **{"key-load-delay": str(_LOAD_DELAY_US), "loading-process-events-interval-bytes": "1024"}
    )
    await until_true(lambda: _is_loaded(ground))
    count = await ground.valkey.errors("LOADING")
    await ground.valkey.tell("DEL", *fillers[::2])
    return count


async def run_out_of_disk(ground: Ground, chance: Random) -> int:
    """R-96: its append-only file cannot grow, so it acknowledges nothing any more."""
    server = ground.valkey.process
    largest = max(each.stat().st_size for each in ground.valkey.folder.rglob("*") if each.is_file())
    limit = largest + chance.randint(1, 8000)
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (limit, limit))
    ended = 0
    for _ in range(30):
        await asyncio.sleep(0.1)
        ended = int(server.poll() is not None)
        if ended:
            break
    ground.valkey.kill()
    await ground.valkey.start()
    return ended


async def _run_id(ground: Ground) -> str:
    return str((await ground.valkey.tell("INFO", "server"))["run_id"])


async def _is_rewritten(ground: Ground) -> bool:
    """A file of keys is loaded key by key, and one of commands is not."""
    told = await ground.valkey.tell("INFO", "persistence")
    return not told["aof_rewrite_in_progress"] and not told["aof_rewrite_scheduled"]


async def _is_loaded(ground: Ground) -> bool:
    with suppress(RedisError):
        return not (await ground.valkey.tell("INFO", "persistence"))["loading"]
    return False


FAULTS = (
    Fault("Valkey killed", "new servers", kill, times=3),
    Fault("Valkey stopped", "servers that stood still", stop),
    Fault("Valkey emptied", "keys lost", empty, weak=True),
    Fault("Valkey set back", "keys of the older copy", set_back, weak=True, times=3),
    Fault("Valkey takes no writes", "READONLY replies", take_no_writes, times=3),
    Fault("Valkey full", "OOM replies", fill, times=3),
    Fault("Valkey loading", "LOADING replies", load),
    Fault("Valkey's disk full", "servers that gave up", run_out_of_disk),
)

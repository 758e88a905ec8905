"""Faults of PostgreSQL: killed, stopped, restarted, out of connections, replaced behind its address."""

import asyncio
import signal
from contextlib import AsyncExitStack, suppress
from functools import partial
from random import Random
from time import monotonic

import asyncpg
import psutil

from tests.faults.fault import Fault
from tests.faults.ground import Ground
from tests.faults.servers import backends, crash, send
from tests.support.changing import until_true

_STARTED = "SELECT pg_postmaster_start_time()::text"
_TIMELINE = "SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"
_OTHERS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
_TERMINATE = f"SELECT count(pg_terminate_backend(pid)) {_OTHERS}"
_WAITING = f"SELECT pid {_OTHERS} AND wait_event = 'SyncRep'"
_IN_STEP = "SELECT EXISTS (SELECT FROM pg_stat_replication WHERE sync_state = 'sync')"
_SYNCHRONOUS = "ALTER SYSTEM SET synchronous_standby_names = '{}'"
_ALONE = "ALTER SYSTEM RESET synchronous_standby_names"
_RELOAD = "SELECT pg_reload_conf()"


async def kill(ground: Ground, chance: Random) -> int:
    """R-90, R-97: every process at once, and it comes back from its log."""
    before = await ground.primary.tell(_STARTED)
    crash(ground.primary)
    await asyncio.sleep(chance.uniform(0.1, 1.5))
    await asyncio.to_thread(ground.primary.start)
    return int(await ground.primary.tell(_STARTED) != before)


async def kill_backend(ground: Ground, chance: Random) -> int:
    """The postmaster ends all others and recovers; count those that are gone."""
    victims = await ground.primary.tell(
        f"SELECT array_agg(pid) {_OTHERS} AND backend_type = 'client backend'"
    )
    if not victims:
        return 0
    old = [psutil.Process(pid) for pid in victims]
    send([chance.choice(old)], signal.SIGKILL)
    await asyncio.sleep(chance.uniform(1.0, 2.0))
    return sum(not each.is_running() for each in old)


async def stop(ground: Ground, chance: Random) -> int:
    """R-91: it hangs, sockets and all."""
    processes = backends(ground.primary)
    send(processes, signal.SIGSTOP)
    await asyncio.sleep(chance.uniform(0.5, 3.0))
    stood = sum(each.is_running() and each.status() == psutil.STATUS_STOPPED for each in processes)
    send(processes, signal.SIGCONT)
    return stood


async def restart(ground: Ground, chance: Random) -> int:
    """R-90: a fast restart, as for a new setting."""
    before = await ground.primary.tell(_STARTED)
    await asyncio.to_thread(ground.primary.stop, signal.SIGINT)
    await asyncio.sleep(chance.uniform(0.0, 0.5))
    await asyncio.to_thread(ground.primary.start)
    return int(await ground.primary.tell(_STARTED) != before)


async def terminate(ground: Ground, chance: Random) -> int:
    """R-92: all sessions, again and again."""
    ended = 0
    for _ in range(chance.randint(4, 10)):
        ended += int(await ground.primary.tell(_TERMINATE))
        await asyncio.sleep(chance.uniform(0.05, 0.4))
    return ended


async def exhaust(ground: Ground, chance: Random) -> int:
    """R-94, R-95: others hold every connection, so the service gets none back; count how many it lost."""
    async with AsyncExitStack() as stack:
        superuser = await stack.enter_async_context(ground.superuser())
        held: list[int] = []
        lost = 0
        for _ in range(3):  # the service takes some back, and loses them again
            lost += int(await superuser.fetchval(f"{_TERMINATE} AND pid <> ALL($1::int[])", held))
            with suppress(asyncpg.TooManyConnectionsError):
                while True:
                    connection = await asyncpg.connect(ground.primary.url)
                    stack.push_async_callback(connection.close)
                    held.append(connection.get_server_pid())
        await asyncio.sleep(chance.uniform(1.0, 2.5))
        try:
            await (await asyncpg.connect(ground.primary.url)).close()
        except asyncpg.TooManyConnectionsError:
            return lost
    return 0


async def cancel_commit(ground: Ground, chance: Random) -> int:
    """R-99: a commit waits for a standby that is not there, and the wait is cancelled or the session ended."""
    await ground.primary.tell(_SYNCHRONOUS.format("nobody"), _RELOAD)
    ended = 0
    until = monotonic() + chance.uniform(1.0, 2.5)
    async with ground.superuser() as superuser:
        while monotonic() < until:
            await asyncio.sleep(0.1)
            how = chance.choice(("pg_cancel_backend", "pg_terminate_backend"))
            ended += len(await superuser.fetch(f"SELECT {how}(pid) FROM ({_WAITING}) AS waiting"))
        await superuser.execute(_ALONE)
        await superuser.fetchval(_RELOAD)
        await superuser.fetch(f"SELECT pg_cancel_backend(pid) FROM ({_WAITING}) AS waiting")
    return ended


async def fail_over(ground: Ground, chance: Random) -> int:
    """R-90, R-99: the primary dies, and its synchronous standby takes over behind the same address."""
    return await _replace(ground, chance, dies=True)


async def demote(ground: Ground, chance: Random) -> int:
    """R-90: the old primary goes on without writes, keeps every session, and the address leads elsewhere."""
    return await _replace(ground, chance, dies=False)


async def _replace(ground: Ground, chance: Random, *, dies: bool) -> int:
    old, new = ground.primary, ground.standby
    timeline = await old.tell(_TIMELINE)
    await asyncio.to_thread(new.copy_from, old)
    await asyncio.to_thread(new.start, follows=old)
    await old.tell(_SYNCHRONOUS.format("*"), _RELOAD)
    await until_true(partial(old.tell, _IN_STEP))
    await asyncio.sleep(chance.uniform(0.3, 1.0))
    if dies:
        crash(old)
    else:
        await old.tell("ALTER SYSTEM SET default_transaction_read_only = on", _RELOAD)
        await asyncio.sleep(0.3)
    await new.tell(_ALONE, _RELOAD)
    await new.promote()
    for wire in ground.postgres_wires():
        wire.store = new.socket
        if dies:
            wire.cut()
    ground.primary, ground.standby = new, old
    await asyncio.sleep(chance.uniform(1.0, 2.0))
    if not dies:
        crash(old)
    return int(await new.tell(_TIMELINE) != timeline)


FAULTS = (
    Fault("PostgreSQL killed", "new servers", kill),
    Fault("PostgreSQL's backend killed", "sessions lost", kill_backend),
    Fault("PostgreSQL stopped", "processes that stood still", stop),
    Fault("PostgreSQL restarted", "new servers", restart),
    Fault("PostgreSQL's sessions ended", "sessions ended", terminate),
    Fault("PostgreSQL out of connections", "sessions lost", exhaust),
    Fault("commit wait cancelled", "waits ended", cancel_commit),
    Fault("PostgreSQL fails over", "standbys that took over", fail_over, times=1),
    Fault("PostgreSQL demoted", "standbys that took over", demote, times=1),
)

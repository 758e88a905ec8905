"""The queueing model, and what a load needs by it. Costs are processor time in µs, sizes are bytes, rates are a second."""

from dataclasses import dataclass, replace
from math import ceil

US = 1e-6
# What is decided and not measured: half of a server stays free for a lost one, for bursts, and for what grows.
UTILISATION = 0.6
DATABASE_CORES = 32
WAL_OF_A_SERVER = 250e6  # written durably in a second, half of what a good disk takes
DISK_OF_A_SERVER = 20e12
DAY_S = 86_400
_TOGETHER = (
    2.0  # requests of one process that wait for one shard, from which on their cost is that of gathered ones
)


@dataclass(frozen=True, slots=True)
class Costs:
    """What one request takes of each program, in µs of processor time."""

    service: float
    postgres: float
    valkey: float


@dataclass(frozen=True, slots=True)
class Measured:
    """What the results say. unloaded_ms: an exchange on an idle machine.

    together, alone: an exchange among many that share their statements, and by itself. wal: bytes an exchange, with pages
    that are at hand and with pages that are not. kept: bytes of table and index that a grant with its token takes.
    http, page_http: bytes of request and answer together, those of a page with gzip. page_wal: bytes that a read page
    writes.
    """

    together: Costs
    alone: Costs
    page: Costs
    unloaded_ms: float
    wal: tuple[float, float]
    kept: float
    http: float
    page_http: float
    page_wal: float
    reading_us: float
    reading_bytes: float


@dataclass(frozen=True, slots=True)
class Needs:
    """processes, valkeys: a core each. http, wal: bytes a second. gathered: whether requests still share statements."""

    processes: int
    shards: int
    postgres_cores: float
    valkeys: int
    http: float
    wal: float
    kept_a_day: float
    gathered: bool

    @property
    def cores(self) -> int:
        return self.processes + ceil(self.postgres_cores) + self.valkeys


def utilisation(rate: float, cost_us: float, cores: float) -> float:
    return rate * cost_us * US / cores


def response_ms(unloaded_ms: float, used: float) -> float:
    """The mean of M/G/1 with processor sharing: what runs together slows each other down alike.

    A statement that requests share behaves the same: a round of n takes a + b·n, and n is what came during a round.
    """
    if not 0 <= used < 1:
        raise ValueError(f"no queue is stable at a utilisation of {used:.2f}")
    return unloaded_ms / (1 - used)


def needs(rate: float, measured: Measured) -> Needs:
    """For so many code exchanges a second."""
    found = _needs(rate, measured, measured.together, gathered=True)
    round_s = response_ms(measured.unloaded_ms, UTILISATION) / 1000
    if rate / (found.processes * found.shards) * round_s < _TOGETHER:
        return _needs(rate, measured, measured.alone, gathered=False)
    return found


def _needs(rate: float, measured: Measured, costs: Costs, *, gathered: bool) -> Needs:
    postgres_cores = rate * costs.postgres * US / UTILISATION
    wal = rate * measured.wal[1]
    return Needs(
        processes=ceil(rate * costs.service * US / UTILISATION),
        shards=ceil(max(wal / WAL_OF_A_SERVER, postgres_cores / DATABASE_CORES)),
        postgres_cores=postgres_cores,
        valkeys=ceil(rate * costs.valkey * US / UTILISATION),
        http=rate * measured.http,
        wal=wal,
        kept_a_day=rate * measured.kept * DAY_S,
        gathered=gathered,
    )


@dataclass(frozen=True, slots=True)
class FleetNeeds:
    """pages, readings: a second. kept: bytes of all readings."""

    pages: float
    readings: float
    kept: float
    needs: Needs


def fleet_needs(
    machines: int, measured: Measured, *, polled_s: int, page: int, told_s: int, metrics: int, kept_days: int
) -> FleetNeeds:
    """polled_s: how often each machine is read. page: machines on one. told_s, metrics: what each reports, how often."""
    pages = machines / page / polled_s
    readings = machines * metrics / told_s
    read = replace(measured, wal=(0, measured.page_wal), kept=0, http=measured.page_http)
    reading = _needs(pages, read, measured.page, gathered=True)
    postgres_cores = reading.postgres_cores + readings * measured.reading_us * US / UTILISATION
    kept_a_day = readings * measured.reading_bytes * DAY_S
    wal = readings * measured.reading_bytes + reading.wal
    kept = kept_a_day * kept_days
    shares = (wal / WAL_OF_A_SERVER, postgres_cores / DATABASE_CORES, kept / DISK_OF_A_SERVER)
    found = replace(
        reading, postgres_cores=postgres_cores, shards=ceil(max(shares)), wal=wal, kept_a_day=kept_a_day
    )
    return FleetNeeds(pages, readings, kept, found)

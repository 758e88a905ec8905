"""One exchange leaves behind bytes of write-ahead log, of tables and of indexes."""

from dataclasses import dataclass
from pathlib import Path

import uvloop

from bench.ground.database import connected
from bench.load.generator import GeneratorError, generate, load_of
from bench.load.records import read_requests
from bench.load.rounds import Contender
from bench.size.database import read_size
from bench.size.growth.database import Database
from bench.size.growth.fill import GROWING


@dataclass(frozen=True, slots=True)
class Footprint:
    """Bytes a token; of an index, what a random insert splits is in it."""

    tokens: int
    wal: float
    table: float
    index: float


def measure_footprint(database: Database, contender: Contender, folder: Path, count: int) -> Footprint:
    """After a checkpoint the first change of a page writes all of it: so the count matters, and the page's neighbours."""
    path = folder / "requests"
    contender.write_requests(path, count)
    before = uvloop.run(_read(database.url))
    outcome = generate(load_of(contender.url, read_requests(path), once=True))
    if outcome.statuses != {"200": count}:
        raise GeneratorError(f"{count} codes were answered {outcome.statuses}, errors {outcome.errors}")
    after = uvloop.run(_read(database.url))
    wal, table, index = (now - then for now, then in zip(after, before, strict=True))
    return Footprint(count, wal / count, table / count, index / count)


async def _read(url: str) -> tuple[int, int, int]:
    """Position in the log, bytes of tables and of their indexes."""
    async with connected(url) as connection:
        wal = await connection.fetchval("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint")
    size = await read_size(url, GROWING)
    return wal, size.table, size.index

"""The growth report, as markdown and as one document."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from bench.load.machine import describe_machine
from bench.load.summary import every_round
from bench.size.comparison import Result
from bench.size.growth.database import Database
from bench.size.growth.footprint import Footprint

_GB = 1e9


@dataclass(slots=True)
class Report:
    """Filled as the run goes on. footprints: of the databases, in their order."""

    databases: Sequence[Database]
    shared_buffers: str
    workers: int
    results: list[Result] = field(default_factory=list)
    footprints: list[Footprint] = field(default_factory=list)

    @property
    def met(self) -> bool:
        return all(result.met for result in self.results)

    def markdown(self) -> str:
        parts = [
            f"{describe_machine()}; {self.workers} workers unless said otherwise",
            f"### Databases\n\n{_databases(self.databases, self.shared_buffers)}",
        ]
        if self.footprints:
            parts.append(
                f"### Bytes that one exchange adds\n\n{_footprints(self.databases, self.footprints)}"
            )
        for result in self.results:
            parts += result.markdown()
        return "\n\n".join(parts) + "\n"

    def document(self) -> dict[str, Any]:
        return {
            "machine": describe_machine(),
            "workers": self.workers,
            "shared_buffers": self.shared_buffers,
            "databases": [asdict(database.filled) for database in self.databases],
            "bytes_a_token": [asdict(footprint) for footprint in self.footprints],
            "results": [result.document() for result in self.results],
        }

    def rounds(self) -> dict[str, Any]:
        return {result.name: every_round(result.rounds) for result in self.results}


def _databases(databases: Sequence[Database], buffers: str) -> str:
    lines = [
        "| tokens | filled in | database | table bytes a token | index bytes a token |",
        "| ---: | ---: | ---: | ---: | ---: |",
    ]
    for database in databases:
        filled = database.filled
        table_bytes, index_bytes = (each / filled.tokens for each in (filled.table_bytes, filled.index_bytes))
        size = f"{filled.database_bytes / _GB:.2f} GB"
        lines.append(
            f"| {filled.tokens:,} | {filled.seconds:.0f} s | {size} | {table_bytes:.0f} | {index_bytes:.0f} |"
        )
    return "\n".join(
        [*lines, "", f"Grant and token together, indexes as newly built. PostgreSQL keeps {buffers} at hand."]
    )


def _footprints(databases: Sequence[Database], footprints: Sequence[Footprint]) -> str:
    lines = ["| tokens | WAL | tables | indexes |", "| ---: | ---: | ---: | ---: |"]
    for database, each in zip(databases, footprints, strict=True):
        lines.append(
            f"| {database.filled.tokens:,} | {each.wal:,.0f} | {each.table:,.0f} | {each.index:,.0f} |"
        )
    count = footprints[0].tokens
    return "\n".join(
        [*lines, "", f"Grant and token together, over {count:,} exchanges of customers by chance."]
    )

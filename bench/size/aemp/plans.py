"""PostgreSQL's plans for a page: its statements run as the service runs them, and what a plan must not have."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from app.aemp.address.paging import PAGE_SIZE
from app.storage.fleet.fleet import SELECT_FLEET_PAGE, SELECT_MAPPED_PAGE
from app.storage.fleet.series import page_statement
from app.storage.fleet.view import FleetView, fleet_of
from app.storage.postgres.database import Transaction
from bench.size.aemp.figures import METRICS, SERIES_OF, Fleet, pin_of
from bench.size.aemp.ground import FleetGround
from bench.size.aemp.pages import WINDOW

MOST_ROWS = 2 * WINDOW  # of one step of a plan; a range is counted once for its pages


@dataclass(frozen=True, slots=True)
class Explained:
    """A statement of a page, its plan as PostgreSQL tells it, and what is wrong with it."""

    page: str
    statement: str
    plan: dict[str, Any]
    faults: Sequence[str]

    @property
    def met(self) -> bool:
        return not self.faults

    @property
    def rows(self) -> int:
        """Read by the step that reads most."""
        return max(map(_rows_of, nodes_of(self.plan)))


async def explain_pages(ground: FleetGround) -> list[Explained]:
    """Explain pages from the middle of the large fleet and its history, in a transaction that sees it."""
    fleet = ground.large
    number, step = fleet.machines // 2, (fleet.told - WINDOW) // 2
    async with (
        ground.context() as context,
        fleet_of(context.database, FleetView(fleet.customer_id)) as transaction,
    ):
        pages = (*_fleet_page(fleet, number), *_series_page(fleet, number, step))
        return [await _explain(transaction, *each) for each in pages]


def _fleet_page(fleet: Fleet, number: int) -> Iterator[tuple[str, str, str, tuple[object, ...]]]:
    first = (number - 1) // PAGE_SIZE * PAGE_SIZE + 1
    places = (fleet.customer_id, first, first + PAGE_SIZE - 1)
    yield "fleet page", "by the map in force", SELECT_FLEET_PAGE, places
    pinned = (0, fleet.machines, fleet.machines)
    yield "fleet page", "by a pinned map", SELECT_MAPPED_PAGE, (*places, *pinned)


def _series_page(fleet: Fleet, number: int, step: int) -> Iterator[tuple[str, str, str, tuple[object, ...]]]:
    named = (fleet.customer_id, pin_of(fleet.name, number), [1, 2, 3], None, None)
    asked = (*named, fleet.at(step), fleet.at(step + WINDOW - 1), PAGE_SIZE, METRICS[0])
    series = SERIES_OF[METRICS[0]]
    yield "series page", "the readings", page_statement(series, by_make=False, counted=False), asked
    yield "series page", "and how many there are", page_statement(series, by_make=False, counted=True), asked


async def _explain(
    transaction: Transaction, page: str, name: str, statement: str, arguments: Sequence[object]
) -> Explained:
    """A prepared statement's own plan, which knows no argument. The first run is not told: it reads the catalogue."""
    await transaction.count(f"PREPARE explained AS {statement}")
    execute = (
        f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE explained ({', '.join(map(_literal, arguments))})"
    )
    await transaction.rows(execute)
    [row] = await transaction.rows(execute)
    [explained] = orjson.loads(row["QUERY PLAN"])
    await transaction.count("DEALLOCATE explained")
    return Explained(page, name, explained, tuple(faults_of(explained)))


def faults_of(plan: dict[str, Any]) -> Iterator[str]:
    for node in nodes_of(plan):
        if node["Node Type"] == "Seq Scan":
            yield f"{node['Relation Name']} is read from end to end"
        if _rows_of(node) > MOST_ROWS:
            yield f"{node['Node Type']} reads {_rows_of(node):,} rows, at most {MOST_ROWS}"


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The plan's own steps and those of its subplans; also of what EXPLAIN puts around them."""
    plan = plan.get("Plan", plan)
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes_of(part)


def _rows_of(node: dict[str, Any]) -> int:
    """The rows that a node gave, and those it read in vain."""
    vain = ("Rows Removed by Filter", "Rows Removed by Index Recheck", "Rows Removed by Join Filter")
    once: float = node["Actual Rows"] + sum(node.get(name, 0) for name in vain)
    often: float = node["Actual Loops"]
    return round(once * often)


def _literal(argument: object) -> str:
    """PostgreSQL reads it as the type that the statement has it in. All are our own."""
    if argument is None:
        return "NULL"
    if isinstance(argument, list):
        return f"'{{{','.join(map(str, argument))}}}'"
    return f"'{int(argument) if isinstance(argument, int) else argument}'"

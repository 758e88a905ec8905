"""The cost of writing a page of 100 machines, apart from everything else that a request takes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from time import process_time

from app.aemp.address.paging import PAGE_SIZE, Pages, links_for
from app.aemp.write.render_json import render_fleet_v2_json
from app.aemp.write.render_xml import render_fleet_v2_xml
from app.aemp.write.snapshot import Snapshot, take_snapshot
from app.flows.fleet.read_fleet import read_fleet_page
from app.simulation.fleet import simulate_fleet
from app.storage.fleet.view import FleetView
from bench.size.aemp.ground import FleetGround

BAR_MS = 2.0

_BATCHES, _A_BATCH = 7, 20


@dataclass(frozen=True, slots=True)
class Rendering:
    """readings: of all machines on the page. cpu_ms: of one page."""

    name: str
    readings: int
    size: int
    cpu_ms: float

    @property
    def met(self) -> bool:
        return self.cpu_ms < BAR_MS


async def measure_rendering(ground: FleetGround) -> list[Rendering]:
    """A page of the large fleet as it was read, and one of machines of all kinds, most of which also tell where they are."""
    async with ground.context() as context:
        found = await read_fleet_page(context, FleetView(ground.large.customer_id), 1)
    base = f"{ground.service.url}/api/v2/Fleet"
    links = links_for("", Pages(f"{base}/1", found.page, base), found.last_page)
    now = datetime.now(UTC)
    kinds = tuple(simulate_fleet(PAGE_SIZE, 30, 300, 1, now))
    pages = (
        ("the large fleet", take_snapshot(found.machines, links, now=now)),
        ("machines of all kinds", take_snapshot(kinds, links, now=now)),
    )
    renderings = (("XML", render_fleet_v2_xml), ("JSON", render_fleet_v2_json))
    return [_measure(f"{name}, {form}", page, render) for name, page in pages for form, render in renderings]


def _measure(name: str, page: Snapshot, render: Callable[[Snapshot], bytes]) -> Rendering:
    size = len(render(page))  # the first one also compiles
    costs = []
    for _ in range(_BATCHES):
        began = process_time()
        for _ in range(_A_BATCH):
            render(page)
        costs.append((process_time() - began) / _A_BATCH * 1000)
    return Rendering(name, _readings(page), size, median(costs))


def _readings(page: Snapshot) -> int:
    """Every one has a time."""
    return render_fleet_v2_json(page).count(b'"datetime"')

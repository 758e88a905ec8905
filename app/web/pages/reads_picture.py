"""What an application read, as a page shows it: a picture of 30 days, its table, kinds and machines."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from app.aemp.address.read_kind import ReadKind
from app.context import Context
from app.flows.fleet.count_reads import reads_by_day, reads_by_machine
from app.sentence import Sentence
from app.storage.fleet.machine_reads import ReadsOfMachine
from app.storage.token.reads import ReadsOfDay

DAYS = 30
MOST_MACHINES = 10

# The picture's own units.
_PLACE, _WIDTH, _HEIGHT = 10, 8, 80
_LEAST = 1.5  # so that one read beside thousands is still seen

_KINDS: Mapping[ReadKind, Sentence] = {
    ReadKind.FLEET_PAGE: Sentence("Pages of the fleet"),
    ReadKind.MACHINE: Sentence("Single machines"),
    ReadKind.SERIES: Sentence("History of a figure"),
    ReadKind.LOCATIONS: Sentence("History of positions"),
    ReadKind.FAULTS: Sentence("History of faults"),
    ReadKind.SERIES_LIST: Sentence("Lists of what has a history"),
    ReadKind.FLEET_PAGE_AEMP_1_2: Sentence("Pages of the fleet, AEMP 1.2"),
    ReadKind.MACHINE_AEMP_1_2: Sentence("Single machines, AEMP 1.2"),
}


@dataclass(frozen=True, slots=True)
class Bar:
    """One day with reads, in the picture."""

    x: int
    y: float
    height: float


async def reads_shown(context: Context, customer_id: UUID, application_id: UUID) -> dict[str, Any]:
    """What the template shows of the last 30 days, in UTC."""
    days = await reads_by_day(context, customer_id, application_id, DAYS)
    machines, named = await reads_by_machine(context, customer_id, application_id, DAYS, most=MOST_MACHINES)
    return picture(days, context.now().date()) | {
        "machines": [_machine(each) for each in machines],
        "more_machines": named - len(machines),
    }


def picture(days: Sequence[ReadsOfDay], today: date) -> dict[str, Any]:
    """today: in UTC. The database may be a moment ahead of us at midnight."""
    of_day: Counter[date] = Counter()
    of_kind: Counter[int] = Counter()
    for each in days:
        of_day[each.day] += each.reads
        of_kind[each.kind] += each.reads
    last = max([today, *of_day])
    first = last - timedelta(days=DAYS - 1)
    most = max(of_day.values(), default=0)
    return {
        "first": first,
        "last": last,
        "total": of_day.total(),
        "most": most,
        "width": DAYS * _PLACE,
        "height": _HEIGHT,
        "bar_width": _WIDTH,
        "bars": [
            _bar((day - first).days, reads / most) for day, reads in sorted(of_day.items()) if day >= first
        ],
        "days": sorted(of_day.items(), reverse=True),
        "kinds": [(_KINDS[ReadKind(kind)], reads) for kind, reads in of_kind.most_common()],
    }


def _bar(place: int, part: float) -> Bar:
    height = round(max(part * _HEIGHT, _LEAST), 1)
    return Bar(place * _PLACE + (_PLACE - _WIDTH) // 2, round(_HEIGHT - height, 1), height)


def _machine(read: ReadsOfMachine) -> dict[str, Any]:
    header = read.header
    if header is None:
        return {"name": Sentence("Not in your fleet any more"), "own": "", "pin": "", "reads": read.reads}
    return {
        "name": " ".join(filter(None, (header.oem_name, header.model))) or Sentence("Unnamed"),
        "own": header.equipment_id or "",
        "pin": header.pin or header.serial_number or "",
        "reads": read.reads,
    }

"""Pages of a fleet and of series, asked for over HTTP from anywhere in the fleet and its history, and checked."""

import random
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from app.aemp.address.paging import PAGE_SIZE
from app.aemp.history.history import SHOWN
from app.aemp.model.elements import ELEMENTS
from app.aemp.model.times import format_time
from bench.load.check import CheckError
from bench.load.records import get_request, read_answers, read_requests, write_requests
from bench.load.rounds import Contender, Plan
from bench.size.aemp.figures import METRICS, SERIES_OF, STEP, Fleet, figure, header, pin_of
from bench.size.aemp.ground import FleetGround
from bench.size.comparison import COST, LATENCY, Result, compare
from bench.size.ground import Served

WINDOW = 2 * PAGE_SIZE  # steps that a series is asked about: two full pages
_BAR = 1.5

_FLEET_PATH = re.compile(rb"GET /api/v2/Fleet/(\d+) ")
_SERIES_PATH = re.compile(rb"GET /api/v2/Fleet/Equipment/9BENCH\w(\d+)/(\w+)/([^/]+)/[^/]+/(\d) ")
_METRIC_OF = {SERIES_OF[metric].name.encode(): metric for metric in METRICS}
# A metric's element in a snapshot and the child that holds its value.
_SHOWN = {
    metric: next((e.name, c.name) for e in ELEMENTS for c in e.children if c.column == SHOWN[metric][1])
    for metric in METRICS
}

Ask = Callable[[Fleet], str]
Check = Callable[[Fleet, bytes, Any], bool]


def measure_pages(ground: FleetGround, served: Served, plan: Plan) -> list[Result]:
    results = []
    for name, ask, check in (
        ("fleet page", ask_fleet_page, check_fleet_page),
        ("series page", ask_series_page, check_series_page),
    ):
        contenders = [
            contender(
                served, _name(account.fleet), account.fleet, ground.token(account), ask=ask, check=check
            )
            for account in (ground.accounts.small, ground.accounts.large)
        ]
        results.append(compare(name, ground, contenders, plan, by=LATENCY | COST, bar=_BAR))
    return results


def ask_fleet_page(fleet: Fleet) -> str:
    return f"/api/v2/Fleet/{random.randint(1, fleet.machines // PAGE_SIZE)}"  # noqa: S311  # spread, not secrecy


def ask_series_page(fleet: Fleet) -> str:
    number, metric = random.randint(1, fleet.machines), random.choice(METRICS)  # noqa: S311  # as above
    step = random.randint(0, fleet.told - WINDOW)  # noqa: S311  # as above
    dates = "/".join(format_time(fleet.at(each)) for each in (step, step + WINDOW - 1))
    page = random.randint(1, WINDOW // PAGE_SIZE)  # noqa: S311  # as above
    return f"/api/v2/Fleet/Equipment/{pin_of(fleet.name, number)}/{SERIES_OF[metric].name}/{dates}/{page}"


def check_fleet_page(fleet: Fleet, request: bytes, document: Any) -> bool:
    return shows(fleet, range(1, fleet.machines + 1), request, document)


def shows(fleet: Fleet, numbers: Sequence[int], request: bytes, document: Any) -> bool:
    """Whether it has those of the machines that belong on its page, in their places, each with what it told last."""
    asked = _FLEET_PATH.match(request)
    if asked is None:
        return False
    end = int(asked[1]) * PAGE_SIZE
    return [_told(machine) for machine in document["Equipment"]] == [
        _expected(fleet, number) for number in numbers[end - PAGE_SIZE : end]
    ]


def check_series_page(fleet: Fleet, request: bytes, document: Any) -> bool:
    """The readings of these steps, and no other."""
    asked = _SERIES_PATH.match(request)
    if asked is None:
        return False
    number, metric = int(asked[1]), _METRIC_OF[asked[2]]
    step = (datetime.fromisoformat(asked[3].decode()) - fleet.begins_at) // STEP
    first = step + (int(asked[4]) - 1) * PAGE_SIZE
    element = SERIES_OF[metric].element
    value = SERIES_OF[metric].value.name
    return [(each["datetime"], each[value]) for each in document[element.name]] == [
        (format_time(fleet.at(step)), figure(number, metric, step))
        for step in range(first, first + PAGE_SIZE)
    ]


def _told(machine: Any) -> tuple[Any, ...]:
    readings = ((machine[element][value], machine[element]["datetime"]) for element, value in _SHOWN.values())
    return (machine["EquipmentHeader"]["EquipmentID"], *readings)


def _expected(fleet: Fleet, number: int) -> tuple[Any, ...]:
    last = fleet.told - 1
    at = format_time(fleet.at(last))
    return (
        header(fleet.name, number).equipment_id,
        *((figure(number, metric, last), at) for metric in _SHOWN),
    )


def _name(fleet: Fleet) -> str:
    return f"{fleet.name}: {fleet.machines:,} machines"


def contender(served: Served, name: str, fleet: Fleet, token: str, *, ask: Ask, check: Check) -> Contender:
    def write(path: Path, count: int) -> None:
        write_requests(
            path, (get_request(ask(fleet), bearer=token, Accept="application/json") for _ in range(count))
        )

    def check_answers(requests: Path, answers: Path) -> None:
        asked = read_requests(requests)
        for answer in read_answers(answers):
            if not check(fleet, asked[answer.position], orjson.loads(answer.body)):
                path = asked[answer.position].partition(b" HTTP")[0].decode()
                raise CheckError(f"{path}: not what the machines told, but {answer.body[:500]!r}")

    return Contender(name, served.url, served.pid, write, check=check_answers)

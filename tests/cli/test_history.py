"""Readings over time by the command line: series imported, history simulated, figures that go on after a replacement."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Rovitracker

BO = "bo@quarry.example"
PIN = "KRANICH0000000009"
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=2)


@pytest.fixture(scope="module")
def bo(rovitracker: Rovitracker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A customer with one machine; a folder for files."""
    rovitracker.ask("customer", "add", "--email", BO, "--name", "Quarry", stdin="long enough pw\n")
    folder = tmp_path_factory.mktemp("files")
    fleet = {
        "Equipment": [{"EquipmentHeader": {"PIN": PIN}, "FuelUsed": {"FuelConsumed": 3, "datetime": at(0)}}]
    }
    (folder / "fleet.json").write_text(json.dumps(fleet))
    for new in (1, 0):
        [imported] = rovitracker.ask("fleet", "import", "--customer", BO, str(folder / "fleet.json"))
        counts = {"machines": 1, "added": new, "updated": 1 - new, "readings": 1, "stored": new, "refused": 0}
        assert counts.items() <= imported.items()
    return folder


def at(hours: int) -> str:
    return f"{NOON + timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}"


def series(folder: Path, *hours: tuple[int, float], pin: str = PIN) -> str:
    """A document of operating hours at these hours after noon."""
    address = f"https://elsewhere.example/Fleet/Equipment/{pin}/CumulativeOperatingHours/{at(0)}/{at(9)}/1"
    document = {
        "CumulativeOperatingHours": [{"Hour": value, "datetime": at(hour)} for hour, value in hours],
        "links": [{"rel": "self", "href": address}],
    }
    file = folder / "series.json"
    file.write_text(json.dumps([document]))
    return str(file)


def hours_of(rovitracker: Rovitracker) -> Any:
    [machine] = rovitracker.ask("fleet", "show", "--customer", BO)
    return machine["hours"]


def test_series_are_imported_and_a_replaced_device_goes_on(rovitracker: Rovitracker, bo: Path) -> None:
    file = series(bo, (0, 100), (1, 101.5), (3, 0.5))
    for stored in (3, 0):  # a second time nothing is new
        [imported] = rovitracker.ask("fleet", "import", "--customer", BO, file)
        assert (imported["machines"], imported["added"], imported["readings"]) == (1, 0, 3)
        assert imported["stored"] == stored
    assert hours_of(rovitracker) == 0.5
    done = rovitracker.ask("fleet", "offset", "--customer", BO, "--machine", PIN, "--from", at(2))
    assert (done["hours"], done["kilometres"], done["restated"]) == (101.5, None, 1)
    assert hours_of(rovitracker) == 102
    given = ("--from", at(2), "--hours", "200", "--kilometres", "7")
    done = rovitracker.ask("fleet", "offset", "--customer", BO, "--machine", PIN.lower(), *given)
    assert (done["hours"], done["kilometres"]) == (200, 7)
    assert hours_of(rovitracker) == 200.5


def test_readings_that_are_not_kept_are_told(rovitracker: Rovitracker, bo: Path) -> None:
    done = rovitracker.run("fleet", "import", "--customer", BO, series(bo, (0, 1), pin="NOBODY"))
    assert (done.returncode, json.loads(done.stdout)[0]["refused"]) == (1, 1)
    told = (
        f"series.json: machine 1 ('NOBODY'): CumulativeOperatingHours of {at(0)} is not kept: "
        "no machine that you write for goes by 'NOBODY'\n"
    )
    assert done.stderr == told
    [named] = rovitracker.ask(
        *("fleet", "import", "--customer", BO, "--machine", PIN), series(bo, (5, 210), pin="NOBODY")
    )
    assert named["readings"] == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ("--machine", "NOBODY", "--from", "2026-05-04T12:00:00Z"),
            "Quarry has no machine NOBODY",
        ),
        (("--machine", PIN, "--from", "2001-05-04T12:00:00Z"), "nothing is known"),
        (("--machine", PIN, "--from", "yesterday"), "not a date"),
    ],
)
@pytest.mark.usefixtures("bo")
def test_an_offset_that_means_nothing_is_refused(
    arguments: tuple[str, ...], told: str, rovitracker: Rovitracker
) -> None:
    assert told in rovitracker.refuse("fleet", "offset", "--customer", BO, *arguments)


def test_simulated_machines_have_a_history(rovitracker: Rovitracker) -> None:
    email = "cy@heap.example"
    rovitracker.ask("customer", "add", "--email", email, "--name", "Heap", stdin="long enough pw\n")
    arguments = (
        "fleet",
        "simulate",
        "--customer",
        email,
        "--machines",
        "5",
        "--days",
        "2",
        "--interval",
        "30m",
    )
    first = rovitracker.ask(*arguments)
    assert (first["added"], first["updated"]) == (5, 0)
    assert first["stored"] > 4 * 96 * 5, (
        "every half hour of two days, four machines at least, five figures at least"
    )
    again = rovitracker.ask(*arguments)
    assert (again["added"], again["updated"]) == (0, 5)
    kept = rovitracker.ask("maintain")
    assert kept["machines_refreshed"] >= 4

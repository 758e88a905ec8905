"""`fleet import` keeps what is good of each file, names each reading that it refused and why, and says so by its exit code."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Rovitracker
from tests.cli.test_history import at

EVE = "eve@ridge.example"


@pytest.fixture(scope="module")
def eve(rovitracker: Rovitracker) -> str:
    rovitracker.ask("customer", "add", "--email", EVE, "--name", "Ridge", stdin="long enough pw\n")
    return EVE


def machine(pin: str, **elements: Any) -> dict[str, Any]:
    return {"EquipmentHeader": {"PIN": pin}, **elements}


def hours(value: Any, time: str) -> dict[str, Any]:
    return {"Hour": value, "datetime": time}


def written(folder: Path, name: str, *machines: Any) -> str:
    file = folder / name
    file.write_text(json.dumps({"Equipment": machines}))
    return str(file)


def hours_of(rovitracker: Rovitracker, *pins: str) -> list[Any]:
    shown = {each["pin"]: each["hours"] for each in rovitracker.ask("fleet", "show", "--customer", EVE)}
    return [shown.get(pin, "no such machine") for pin in pins]


def test_what_is_good_is_kept_and_each_refused_reading_named(
    eve: str, rovitracker: Rovitracker, tmp_path: Path
) -> None:
    file = written(
        tmp_path,
        "fleet.json",
        machine("E1", CumulativeOperatingHours=hours(7, at(0)), FuelRemaining={"Percent": 103, "datetime": at(0)}),
        machine("E2", CumulativeOperatingHours=hours("n.v.", at(1)), Tilt={"Degree": 4}),
        5,
        machine("E3", CumulativeOperatingHours=hours(9, "2026-02-30T00:00:00Z")),
        machine("E4", CumulativeOperatingHours=hours(4, "2096-01-01T00:00:00Z")),
    )  # fmt: skip
    done = rovitracker.run("fleet", "import", "--customer", eve, file)
    assert done.stderr.splitlines() == [
        f"fleet.json: machine 1 ('E1'): FuelRemaining of {at(0)} is not kept: Percent is 103, outside 0 to 100",
        f"fleet.json: machine 2 ('E2'): CumulativeOperatingHours of {at(1)} is not kept: Hour is 'n.v.', not a number",
        "fleet.json: machine 3: it is not kept: not an object with a machine's readings",
        "fleet.json: machine 4 ('E3'): CumulativeOperatingHours is not kept: 2026-02-30T00:00:00Z is no date of the calendar",
        "fleet.json: machine 5 ('E4'): CumulativeOperatingHours of 2096-01-01T00:00:00Z is not kept: it is from the future",
    ]
    [record] = json.loads(done.stdout)
    assert done.returncode == 3
    assert {
        "machines": 4,
        "added": 4,
        "readings": 1,
        "stored": 1,
        "refused": 5,
        "ignored": ["tilt"],
    }.items() <= record.items()
    assert hours_of(rovitracker, "E1", "E2", "E3", "E4") == [7, None, None, None]


def test_what_is_all_good_ends_with_0(eve: str, rovitracker: Rovitracker, tmp_path: Path) -> None:
    file = written(tmp_path, "good.json", machine("E5", CumulativeOperatingHours=hours(5, at(0))))
    for stored in (1, 0):
        [record] = rovitracker.ask("fleet", "import", "--customer", eve, file)
        assert (record["readings"], record["stored"], record["refused"]) == (1, stored, 0)


def test_what_is_all_bad_ends_with_1(eve: str, rovitracker: Rovitracker, tmp_path: Path) -> None:
    file = written(tmp_path, "bad.json", {"EquipmentHeader": {"Model": "K 8"}}, 7)
    done = rovitracker.run("fleet", "import", "--customer", eve, file)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 2)


def test_a_file_that_cannot_be_read_takes_no_other_with_it(
    eve: str, rovitracker: Rovitracker, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.xml"
    broken.write_text("<Fleet>")
    good = written(tmp_path, "good.json", machine("E6", CumulativeOperatingHours=hours(6, at(0))))
    done = rovitracker.run("fleet", "import", "--customer", eve, str(broken), good)
    assert (done.returncode, [each["file"] for each in json.loads(done.stdout)]) == (3, ["good.json"])
    assert done.stderr.startswith("rovitracker: broken.xml: line 1: not well-formed XML")
    assert hours_of(rovitracker, "E6") == [6]
    alone = rovitracker.run("fleet", "import", "--customer", eve, str(broken))
    assert (alone.returncode, alone.stdout) == (1, "")


@pytest.mark.parametrize(
    "bad",
    [hours("n.v.", at(0)), hours(9, "2096-01-01T00:00:00Z")],
    ids=["unreadable", "from the future"],
)
def test_all_or_nothing_keeps_nothing_of_a_file_with_a_refused_reading(
    bad: dict[str, Any], eve: str, rovitracker: Rovitracker, tmp_path: Path
) -> None:
    refused = written(
        tmp_path,
        "refused.json",
        machine("E7", CumulativeOperatingHours=hours(7, at(0))),
        machine("E8", CumulativeOperatingHours=bad),
    )
    strict = ("fleet", "import", "--all-or-nothing", "--customer", eve)
    done = rovitracker.run(*strict, refused)
    assert (done.returncode, done.stdout) == (1, "")
    first, last = done.stderr.splitlines()
    assert first.startswith("refused.json: machine 2 ('E8'): CumulativeOperatingHours of ")
    assert last == "rovitracker: refused.json: nothing of it is kept; refused: 1"
    assert hours_of(rovitracker, "E7", "E8") == ["no such machine", "no such machine"]
    good = written(tmp_path, "good.json", machine("E9", CumulativeOperatingHours=hours(9, at(0))))
    assert rovitracker.run(*strict, refused, good).returncode == 3
    assert rovitracker.run(*strict, good).returncode == 0


def test_all_or_nothing_holds_for_a_series_too(eve: str, rovitracker: Rovitracker, tmp_path: Path) -> None:
    fleet = written(tmp_path, "fleet.json", machine("E10"))
    rovitracker.ask("fleet", "import", "--customer", eve, fleet)
    series = tmp_path / "series.json"
    series.write_text(json.dumps({"CumulativeOperatingHours": [hours(7, at(0)), hours(-1, at(1))]}))
    arguments = ("fleet", "import", "--customer", eve, "--machine", "E10", str(series))
    done = rovitracker.run(*arguments, "--all-or-nothing")
    assert (done.returncode, done.stdout) == (1, "")
    assert hours_of(rovitracker, "E10") == [None]
    done = rovitracker.run(*arguments)
    assert (done.returncode, json.loads(done.stdout)[0]["readings"]) == (3, 1)
    assert hours_of(rovitracker, "E10") == [7]


def test_a_machine_that_stands_twice_in_a_file_keeps_the_readings_of_both(
    eve: str, rovitracker: Rovitracker, tmp_path: Path
) -> None:
    file = written(
        tmp_path,
        "twice.json",
        machine("E11", CumulativeOperatingHours=hours(8, at(2))),
        machine("E11", CumulativeOperatingHours=hours(7, at(1))),
    )
    [record] = rovitracker.ask("fleet", "import", "--customer", eve, file)
    assert (record["added"], record["repeated"], record["readings"], record["stored"]) == (1, 1, 2, 2)
    assert hours_of(rovitracker, "E11") == [8]

"""Simulated fleets are plausible: figures agree with each other, and the same seed gives the same fleet."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from app.aemp.history.history import readings_of
from app.aemp.model.elements import ELEMENTS, Kind
from app.aemp.model.values import Equipment
from app.simulation.fleet import simulate_fleet, simulate_machines
from app.simulation.profiles import PROFILES, check_digit

NOW = datetime(2024, 5, 8, 16, 7, 23, tzinfo=UTC)  # a Wednesday, when sites work
FLEET = tuple(simulate_fleet(600, 20, 300, 7, NOW))
REPORTING = tuple(machine for machine in FLEET if machine.location)
PROFILE_BY_MODEL = {model: profile for profile in PROFILES for model in profile.models}


def test_same_seed_gives_the_same_fleet_and_another_seed_another() -> None:
    assert tuple(simulate_fleet(600, 20, 300, 7, NOW)) == FLEET
    assert tuple(simulate_fleet(600, 20, 300, 8, NOW)) != FLEET


def test_machine_does_not_depend_on_the_size_of_its_fleet() -> None:
    assert tuple(simulate_fleet(5, 20, 300, 7, NOW)) == FLEET[:5]


def test_every_element_occurs_and_is_sometimes_absent() -> None:
    for element in ELEMENTS:
        present = sum(getattr(machine, element.attribute) is not None for machine in FLEET)
        assert 0 < present < len(FLEET), element.name
    assert any(machine == Equipment(header=machine.header) for machine in FLEET)


def test_figures_keep_the_bounds_of_the_table() -> None:
    for machine in FLEET:
        for element in ELEMENTS:
            reading = getattr(machine, element.attribute)
            for child in element.children if reading else ():
                value = getattr(reading, child.attribute)
                bounded = value is not None and child.kind in (Kind.DECIMAL, Kind.INTEGER)
                assert not bounded or child.lowest <= value <= child.highest, element.name


def test_readings_are_in_whole_seconds_and_never_from_the_future() -> None:
    times = [reading.at for machine in FLEET for e in ELEMENTS if (reading := getattr(machine, e.attribute))]
    assert max(times) <= NOW
    assert all(at.microsecond == 0 and at.tzinfo is UTC for at in times)


def test_identifiers_are_unique_and_pins_carry_their_check_digit() -> None:
    pins = [machine.header.pin for machine in FLEET if machine.header.pin]
    assert len({machine.header.equipment_id for machine in FLEET}) == len(FLEET)
    assert len(set(pins)) == len(pins)
    assert all(len(pin) == 17 and pin[8] == check_digit(pin) for pin in pins)
    assert not set("".join(pins)) & set("IOQ")


def test_fleets_of_two_owners_have_no_machine_in_common_and_the_same_figures() -> None:
    ours, theirs = [
        [machine for machine, _ in simulate_machines(200, 2, 300, 7, NOW, owner=owner)]
        for owner in ("ours", "theirs")
    ]
    for name in ("pin", "serial_number"):
        named = [{getattr(machine.header, name) for machine in fleet} - {None} for fleet in (ours, theirs)]
        assert not named[0] & named[1]
    assert all(pin[8] == check_digit(pin) for machine in ours if (pin := machine.header.pin))
    assert [machine.distance for machine in ours] == [machine.distance for machine in theirs]
    again = [machine for machine, _ in simulate_machines(200, 2, 300, 7, NOW, owner="ours")]
    assert again == ours


def test_check_digit_is_that_of_the_published_example() -> None:
    """The example number of the North American rule: its ninth place is X."""
    assert check_digit("1M8GDM9AXKP042788") == "X"
    assert check_digit("11111111111111111") == "1"


@pytest.mark.parametrize("machine", REPORTING[:40], ids=lambda machine: machine.header.equipment_id)
def test_figures_of_a_machine_agree_with_each_other(machine: Equipment) -> None:
    hours = machine.cumulative_operating_hours
    profile = PROFILE_BY_MODEL.get(machine.header.model or "")
    assert hours
    if machine.cumulative_idle_hours:
        assert machine.cumulative_idle_hours.hours < hours.hours
    if machine.fuel_used and machine.fuel_used_last_24:
        assert machine.fuel_used_last_24.fuel_l <= machine.fuel_used.fuel_l
    if profile and machine.fuel_used:
        assert machine.fuel_used.fuel_l == pytest.approx(hours.hours * profile.fuel_l_per_hour, rel=0.25)
    if machine.distance and machine.maximum_speed_last_24:
        assert machine.distance.distance_km <= hours.hours * 60
        assert machine.maximum_speed_last_24.speed_kmh < 60
    if machine.cumulative_load_count and machine.cumulative_payload_totals and profile:
        loads = machine.cumulative_load_count.count
        assert machine.cumulative_payload_totals.payload_kg == loads * profile.payload_kg


def test_a_later_look_only_adds_to_a_machine() -> None:
    """Its days are drawn from the first on."""
    day = timedelta(days=1)
    earlier, later = simulate_fleet(60, 10, 300, 7, NOW), simulate_fleet(60, 11, 300, 7, NOW + day)
    for before, after in zip(earlier, later, strict=True):
        assert before.header == after.header
        assert bool(before.location) == bool(after.location)
        assert bool(before.fuel_used) == bool(after.fuel_used)
        if before.cumulative_operating_hours and after.cumulative_operating_hours:
            assert before.cumulative_operating_hours.hours <= after.cumulative_operating_hours.hours


def test_machine_at_work_last_reported_within_the_interval() -> None:
    at_work = [m for m in REPORTING if m.engine_status and m.engine_status.running]
    assert len(at_work) > len(REPORTING) / 4
    for machine in at_work:
        assert machine.location
        assert NOW - machine.location.at < timedelta(seconds=300)


def test_standing_machine_tells_everything_at_the_last_interval_too() -> None:
    standing = [m for m in REPORTING if m.engine_status and not m.engine_status.running]
    assert standing
    for machine in standing:
        assert {reading.at for _, reading in readings_of(machine)} == {NOW.replace(minute=5, second=0)}


@pytest.mark.parametrize("days", [0, 0.3, 1])
def test_short_histories_are_possible(days: float) -> None:
    assert len(tuple(simulate_fleet(20, days, 300, 1, NOW))) == 20


def test_load_test_fleet_is_made_in_seconds() -> None:
    started = time.perf_counter()
    assert sum(1 for _ in simulate_fleet(1000, 30, 300, 1, NOW)) == 1000
    assert time.perf_counter() - started < 5

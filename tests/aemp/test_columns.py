"""The flat form of a machine loses nothing and names nothing twice."""

import pytest

from app.aemp.model.columns import COLUMNS, HEADER_COLUMNS, READING_COLUMNS, from_columns, to_columns
from app.aemp.model.values import Equipment, Hours
from app.simulation.fleet import simulate_fleet
from tests.aemp.machines import BARE_MACHINE, FULL_MACHINE, NOON, at


def test_columns_are_named_once() -> None:
    names = [name for name, _ in COLUMNS]
    assert len(names) == len(set(names))
    assert COLUMNS == HEADER_COLUMNS + READING_COLUMNS


@pytest.mark.parametrize("machine", [FULL_MACHINE, BARE_MACHINE], ids=["full", "bare"])
def test_flat_form_has_every_column_in_order_and_leads_back(machine: Equipment) -> None:
    flat = to_columns(machine)
    assert list(flat) == [name for name, _ in COLUMNS]
    assert from_columns(flat) == machine


def test_each_value_lands_in_its_own_column() -> None:
    """Two columns fed from one value, or one fed from another's, would show as a repeated or missing one."""
    flat = to_columns(FULL_MACHINE)
    assert flat["cumulative_idle_hours"] == 4.5
    assert flat["cumulative_idle_hours_at"] == at(4)
    assert flat["def_tank_capacity_l"] == 50.0
    assert flat["fuel_tank_capacity_l"] == 400.0
    assert flat["engine_running"] is True
    assert flat["fuel_used_l"] == 51.0
    assert flat["fuel_used_last_24_l"] == 14.5
    assert None not in flat.values()


def test_zero_is_a_reading_and_not_an_absence() -> None:
    machine = Equipment(header=BARE_MACHINE.header, cumulative_operating_hours=Hours(NOON, 0.0))
    assert from_columns(to_columns(machine)) == machine


def test_row_may_carry_more_than_the_columns() -> None:
    assert from_columns({"equipment": 7, **to_columns(FULL_MACHINE)}) == FULL_MACHINE


def test_simulated_fleet_survives_the_flat_form() -> None:
    fleet = tuple(simulate_fleet(50, 10, 300, 1, NOON))
    assert tuple(from_columns(to_columns(machine)) for machine in fleet) == fleet

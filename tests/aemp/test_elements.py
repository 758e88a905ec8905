"""The table of elements agrees with the values it describes."""

from dataclasses import fields

from app.aemp.model.elements import ELEMENTS, HEADER
from app.aemp.model.values import Equipment, EquipmentHeader


def test_elements_are_those_of_the_standard_in_its_order() -> None:
    assert [element.name for element in ELEMENTS] == [
        "AverageLoadFactorLast24",
        "Location",
        "CumulativeActiveRegenerationHours",
        "CumulativeIdleHours",
        "CumulativeIdleNonOperatingHours",
        "CumulativeLoadCount",
        "CumulativeOperatingHours",
        "CumulativePowerTakeOffHours",
        "CumulativePayloadTotals",
        "DEFRemaining",
        "Distance",
        "EngineStatus",
        "FuelUsed",
        "FuelUsedLast24",
        "FuelRemaining",
        "MaximumSpeedLast24",
    ]


def test_table_and_machine_hold_the_same_attributes_in_the_same_order() -> None:
    own = [element.attribute for element in ELEMENTS]
    assert [field.name for field in fields(Equipment)] == ["header", *own, "further"]
    assert [field.name for field in fields(EquipmentHeader)] == [child.attribute for child in HEADER]


def test_table_and_readings_hold_the_same_attributes() -> None:
    for element in ELEMENTS:
        named = {field.name for field in fields(element.reading)}
        assert named == {"at", *(child.attribute for child in element.children)}, element.name

"""Machines are found by what people type for them."""

from urllib.parse import quote

import pytest

from app.aemp.model.errors import AempError
from app.aemp.model.identifiers import (
    decode_segment,
    identifiers_of,
    normalise_identifier,
    sought_by,
    sought_by_equipment_id,
    sought_by_make,
)
from app.aemp.model.values import EquipmentHeader


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("9nra2b3c4m0030011", "9NRA2B3C4M0030011"),
        ("QRY  B50E#9112 ", "QRY B50E#9112"),
        ("\tPit\N{NO-BREAK SPACE}3\n", "PIT 3"),
        ("Gru\N{COMBINING DIAERESIS}n", "GR\N{LATIN CAPITAL LETTER U WITH DIAERESIS}N"),
        ("   ", ""),
    ],
)
def test_case_spaces_and_composition_do_not_matter(typed: str, kept: str) -> None:
    assert normalise_identifier(typed) == kept
    assert normalise_identifier(kept) == kept


def test_pin_comes_before_serial_before_equipment_id() -> None:
    header = EquipmentHeader(equipment_id="Pit 3", serial_number="s-1", pin="p-1")
    assert identifiers_of(header) == (("pin", "P-1"), ("serial_number", "S-1"), ("equipment_id", "PIT 3"))


def test_absent_and_blank_identifiers_are_left_out() -> None:
    assert identifiers_of(EquipmentHeader(serial_number=" ", equipment_id="x")) == (("equipment_id", "X"),)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("9NRA2B3C4M0030011", "9NRA2B3C4M0030011"),
        ("QRY%20%20B50E%239112%20", "QRY  B50E#9112 "),
        ("BE-75%2F4", "BE-75/4"),
        ("a+b:c", "a+b:c"),
        ("%F0%9F%9A%9C", "\U0001f69c"),
        ("100%25", "100%"),
        ("Pit%C2%A03", "Pit\N{NO-BREAK SPACE}3"),
    ],
)
def test_escaped_segment_is_one_identifier(raw: str, text: str) -> None:
    assert decode_segment(raw) == text


@pytest.mark.parametrize("raw", ["%", "%2", "%zz", "%ff", "%ed%a0%80", "a%00b", "a%0d%0ab", "x" * 256])
def test_segment_that_can_name_no_machine_is_not_found(raw: str) -> None:
    with pytest.raises(AempError) as refused:
        decode_segment(raw)
    assert (refused.value.status, refused.value.code) == (404, "equipment_not_found")


@pytest.mark.parametrize("blank", ["", " ", "\N{NO-BREAK SPACE}"])
def test_blank_names_no_machine_but_may_be_a_make_or_a_model(blank: str) -> None:
    assert decode_segment(quote(blank)) == blank
    for seek in (sought_by, sought_by_equipment_id, lambda serial: sought_by_make("Nordhoff", "NX", serial)):
        with pytest.raises(AempError) as refused:
            seek(blank)
        assert (refused.value.status, refused.value.code) == (404, "equipment_not_found")
    assert sought_by_make("", blank, "30117").model == blank

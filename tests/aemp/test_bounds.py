"""Input as long as its bound is read; one more is refused by an error that says the bound."""

import json
from collections.abc import Callable
from functools import partial

import pytest

from app.aemp.address.negotiation import Representation, choose_coding, negotiate
from app.aemp.model.errors import AempError, FlawError, ReadError
from app.aemp.model.identifiers import Name, decode_segment, normalise_identifier
from app.aemp.model.units import factor
from app.aemp.read.children import parse_number
from app.aemp.read.read_file import read_file
from app.aemp.read.read_json import parse_json
from app.aemp.read.read_series import name_in_links
from app.aemp.read.report import read_reports
from app.web.api.entity_tag import is_known

ABOVE, BELOW = "\N{COMBINING ACUTE ACCENT}", "\N{COMBINING DOT BELOW}"
TOO_LONG = "a machine's identifier is longer than 255 characters"


def flaw_of(work: Callable[[], object]) -> str:
    with pytest.raises(FlawError) as caught:
        work()
    return str(caught.value)


def linked(identifier: str) -> dict[str, object]:
    return {"links": [{"href": f"/Fleet/Equipment/{identifier}/Faults/1"}], "faultcode": []}


def test_identifier_of_255_characters_is_normalised() -> None:
    """R-76: before its accents are composed, which takes a time that grows with the square of their number."""
    assert normalise_identifier("x" * 255) == "X" * 255
    assert len(normalise_identifier((ABOVE + BELOW) * 127)) == 254
    assert flaw_of(lambda: normalise_identifier("x" * 256)) == TOO_LONG


def test_segment_is_judged_by_its_length_before_it_is_decoded() -> None:
    """R-76: a character takes twelve characters in an address at most."""
    truck = "%F0%9F%9A%9C"
    assert decode_segment(truck * 255) == "\U0001f69c" * 255
    for segment in (truck * 256, "x" * 3061):
        with pytest.raises(AempError) as refused:
            decode_segment(segment)
        assert (refused.value.status, refused.value.code) == (404, "equipment_not_found")


def test_link_of_8_kib_names_its_machine() -> None:
    """R-76."""
    path = "/Equipment/x/Faults"
    assert name_in_links({"links": {"href": "/" * (8192 - len(path)) + path}}) == Name(None, "X")
    too_long = {"links": {"href": "/" * (8193 - len(path)) + path}}
    assert flaw_of(lambda: name_in_links(too_long)) == "a link is longer than 8192 characters"


def test_machine_of_a_series_is_named_by_255_characters() -> None:
    """R-76: in its link, and by a person who imports it."""
    [page] = read_reports(json.dumps(linked("x" * 255)).encode())
    assert page.name == Name(None, "X" * 255)
    assert flaw_of(lambda: list(read_reports(json.dumps(linked("x" * 256)).encode()))) == TOO_LONG
    with pytest.raises(ReadError, match=f"series: {TOO_LONG}"):
        read_file(json.dumps([linked("x")]).encode(), "series", "x" * 256)


@pytest.mark.parametrize(
    ("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{"a":[', "]}]")], ids=["lists", "objects", "both"]
)
def test_json_of_32_levels_is_read(opening: str, closing: str) -> None:
    """R-76, in every version of Python."""
    levels = opening.count("[") + opening.count("{")

    def nested(depth: int) -> bytes:
        return (opening * (depth // levels) + "0" + closing * (depth // levels)).encode()

    parse_json(nested(32 // levels * levels))
    for depth in (32 // levels * levels + levels, 300, 3_000, 300_000):
        assert flaw_of(partial(parse_json, nested(depth))) == "nested more than 32 deep"


def test_wide_json_is_not_deep() -> None:
    assert len(parse_json(b"[" + b"[[]]," * 10_000 + b"[]]")) == 10_001


def test_figures_and_units_have_their_lengths() -> None:
    """R-76."""
    assert parse_number("Hour", " " * 500 + "1" * 100) == float("1" * 100)
    told = "Hour is a figure of more than 100 characters"
    assert flaw_of(lambda: parse_number("Hour", "1" * 101)) == told
    assert factor("  us   gallon" + " " * 87, "litre") == pytest.approx(3.785411784)
    assert flaw_of(lambda: factor("litre" + " " * 96, "litre")) == "a unit of more than 100 characters"
    assert flaw_of(lambda: parse_json(b"1" * 31)) == "a number of 31 digits, of which 30 are read"


@pytest.mark.parametrize("run", [negotiate, choose_coding, lambda header: is_known(header, '"x"')])
@pytest.mark.parametrize("separator", [",", ";", ",;"])
def test_list_of_200_parts_is_read(run: Callable[[str], object], separator: str) -> None:
    """R-76, RFC 9110 section 5.4: what is left out here a proxy may have read."""
    run("*/*" + separator * (198 // len(separator)))
    with pytest.raises(AempError) as refused:
        run("*/*" + separator * (200 // len(separator)))
    assert (refused.value.status, refused.value.code) == (431, "request_header_fields_too_large")
    assert refused.value.what == "A header field is a list of more than 200 parts."


def test_last_of_200_members_is_the_one_that_is_taken() -> None:
    assert negotiate("a/b," * 199 + "application/json") is Representation.JSON


def test_document_is_judged_by_its_length_before_it_is_read() -> None:
    """R-75."""
    with pytest.raises(ReadError, match="fleet: larger than 33554432 bytes"):
        read_file(b"[" * (32 * 1024 * 1024 + 1), "fleet")

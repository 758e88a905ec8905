"""The functions of the AEMP rules that read what others sent, with what they could take long for."""

from collections.abc import Callable, Iterable
from typing import Any

from app.aemp.address import addresses, negotiation, paging, ranges
from app.aemp.model import identifiers, series, text, times, units
from app.aemp.model.bounds import LONGEST_IDENTIFIER
from app.aemp.model.elements import ELEMENTS
from app.aemp.read import (
    children,
    interpret,
    read,
    read_file,
    read_json,
    read_rovi,
    read_series,
    read_xml,
    report,
)
from app.aemp.write import render_xml
from app.web.api import entity_tag
from tests.cost.cases import Case, case
from tests.cost.oauth_readers import ABOVE, BELOW, LENGTHS, OURS, READ

_ENGINE = next(element for element in ELEMENTS if element.name == "EngineStatus")
_HOURS = next(element for element in ELEMENTS if element.name == "CumulativeOperatingHours")
_FUEL = next(element for element in ELEMENTS if element.name == "FuelUsed")
_AT = "2025-01-31T12:00:00Z"

_MACHINE = '{"EquipmentHeader":{"PIN":"x"},'
_LINK = '{"FuelUsed":[],"Links":[{"href":"/Fleet/Equipment/'
_JSON = (
    ("", "["),
    ("", '{"a":'),
    ("[", "[],", "[]]"),
    ('{"Equipment":[', "{},", "{}]}"),
    ('{"Equipment":[', "0,", "0]}"),
    ("[", '{"FuelUsed":null},', '{"FuelUsed":null}]'),
    ('{"', "a", '":0}'),
    ('{"EquipmentHeader":{"PIN":"', ABOVE + BELOW, '"}}'),
    ('{"EquipmentHeader":{"PIN":"', " ", '"}}'),
    ('{"EquipmentHeader":{"PIN":', "1", "}}"),
    (_MACHINE + '"FuelUsed":{"FuelConsumed":"', "1", '"}}'),
    (_MACHINE + '"FuelUsed":{"FuelConsumed":0.', "1", "}}"),
    (_MACHINE + '"FuelUsed":{"FuelConsumed":1,"FuelUnits":"', "a ", '"}}'),
    (_MACHINE + '"FuelUsed":{"FuelConsumed":1,"datetime":"', "1", '"}}'),
    (_MACHINE + '"FuelUsed":[', "{},", "{}]}"),
    (_MACHINE + '"EngineStatus":{"Running":[', "[],", f'[]],"datetime":"{_AT}"}}}}'),
    (_LINK, ABOVE + BELOW, '/Faults/1"}]}'),
    (_LINK, "%41", '/Faults/1"}]}'),
    (_LINK, "a/", 'Faults/1"}]}'),
    ('{"FuelUsed":[],"Links":[', '{"href":"/"},', '{"href":"/Equipment/x/Faults"}]}'),
    ('{"assetId":"', "a", '","metrics":{}}'),
    ('{"assetId":"a","metrics":{"gps":{"value":{"lat":"', "1", '"}}}}'),
    ("", "\n"),
    ("", " "),
)
_LINES = (
    *_JSON,
    ("", "0\n"),
    ("", "{}\n"),
    ("", '{"PIN":"x"}\n'),
    ("", f'{{"PIN":"x","FuelUsed":{{"FuelConsumed":1,"datetime":"{_AT}"}}}}\n'),
)
_XML = (
    ("", "<Fleet>"),
    ("<Fleet>", "<a/>", "</Fleet>"),
    ("<Fleet>", "<Equipment/>", "</Fleet>"),
    ("<Fleet>", "a", "</Fleet>"),
    ("<Fleet>", "&amp;", "</Fleet>"),
    ("<Fleet>", "&a;", "</Fleet>"),
    ("<Fleet ", "a='' ", "/>"),
    ("<Fleet a='", "a", "'/>"),
    ("<", "a", "/>"),
    ("<Fleet><!--", "-", "--></Fleet>"),
    ("<!DOCTYPE Fleet [<!ENTITY e '", "a", "'>]><Fleet>&e;&e;</Fleet>"),
    ("<Equipment><EquipmentHeader><PIN>x</PIN></EquipmentHeader>", "<FuelUsed/>", "</Equipment>"),
    ("<Equipment><EquipmentHeader><PIN>", ABOVE + BELOW, "</PIN></EquipmentHeader></Equipment>"),
    ("<FuelUsedMessages>", "<FuelUsed/>", "</FuelUsedMessages>"),
    (
        "<FaultMessages><Links><href>/Fleet/Equipment/",
        ABOVE + BELOW,
        "/Faults/1</href></Links></FaultMessages>",
    ),
)
# Names of more than 4,096 bytes are read by another way in libxml2, which takes four times as long: a step, no slope.
_XML_LENGTHS = (200, 5_000)
_HEADERS = (
    ("", "a/b,"),
    ("", "a/b;"),
    ("a/b", ";q=1"),
    ("a/b", ";q=0,*/*"),
    ("", '"'),
    ("", ',"'),
    ("", "\\"),
    ("a/b;q=0.", "1"),
    ("", "a"),
    ("", ","),
    ("", " "),
)
_ADDRESSES = (
    ("Fleet/", "1"),
    ("Fleet/", "a"),
    ("", "/"),
    ("Fleet/Equipment/", "a"),
    ("Fleet/Equipment/", "a/"),
    ("Fleet/Equipment/", "%41"),
    ("Fleet/Equipment/", "%CC%81%CC%A3"),
    ("Fleet/Equipment/", "%"),
    ("Fleet/Equipment/x/Faults/", "2"),
    ("Fleet/Equipment/x/Faults/2025-01-31T00:00:00Z/", "2"),
)
_NAMES = (("a", ABOVE + BELOW), ("", "e" + ABOVE), ("", "\N{LATIN SMALL LETTER SHARP S}"), ("", "a "))


def _text(run: Callable[[str], object], *worst: tuple[str, ...]) -> Case:
    return case(run, *worst, lengths=LENGTHS)


def _documents(run: Callable[[bytes], object], *worst: tuple[str, ...]) -> Case:
    return case(run, *worst, makes=str.encode, lengths=LENGTHS)


def _trees(run: Callable[[bytes], object]) -> Case:
    return case(run, *_XML, makes=str.encode, lengths=_XML_LENGTHS)


def _parsed(run: Callable[[Any], object]) -> tuple[Case, Case]:
    """Two cases for a reader of parsed documents; the parsing is part of the cost."""

    def parse_and_run(given: bytes) -> object:
        return run(read.parse(given))

    return _documents(parse_and_run, *_JSON), _trees(parse_and_run)


def _identified(run: Callable[[str], object]) -> tuple[Case, ...]:
    """Composing accents takes long: until the bound little, and beyond it none is composed."""
    return (case(run, *_NAMES, lengths=(LONGEST_IDENTIFIER, 10 * LONGEST_IDENTIFIER)),)


# Tails of queries.
_QUERIES = (("", "&"), ("", "page="), ("", "page=1&"), ("page=", "1"), ("page=", "%31"), ("", "a=b&"))


def _all_of(run: Callable[[bytes], Iterable[report.Report]]) -> Callable[[bytes], object]:
    return lambda given: report.read_all(run(given))


CASES: dict[str, tuple[Case, ...]] = {
    "app/aemp/address/addresses.py:parse_address": (
        _text(lambda given: addresses.parse_address(paging.Asked(given)), *_ADDRESSES),
        _text(lambda given: addresses.parse_address(paging.Asked("fleet/x", given)), *_QUERIES),
    ),
    "app/aemp/address/paging.py:read_pages": (
        _text(lambda given: paging.read_pages(paging.Asked("fleet", given), "fleet"), *_QUERIES),
    ),
    "app/web/api/entity_tag.py:is_known": (
        _text(
            lambda given: entity_tag.is_known(given, '"x"'),
            ("", '"'),
            ("", '"",'),
            ("", "W/"),
            ('"', "a"),
            ("", '"a" '),
            ("", " "),
        ),
    ),
    "app/aemp/model/identifiers.py:decode_segment": (
        _text(
            identifiers.decode_segment,
            ("", "a"),
            ("", "%41"),
            ("", "%"),
            ("", "%CC%81"),
            ("", "%20"),
            ("", ABOVE),
        ),
    ),
    "app/aemp/model/identifiers.py:normalise_identifier": _identified(identifiers.normalise_identifier),
    "app/aemp/model/identifiers.py:sought_by": _identified(identifiers.sought_by),
    "app/aemp/model/identifiers.py:sought_by_equipment_id": _identified(identifiers.sought_by_equipment_id),
    "app/aemp/model/identifiers.py:sought_by_make": _identified(
        lambda given: identifiers.sought_by_make(given, given, given)
    ),
    "app/aemp/read/children.py:is_blank": (_text(children.is_blank, ("", " "), ("", "a")),),
    "app/aemp/read/children.py:shown": (
        _text(children.shown, ("", "a"), ("", "\x01")),
        case(children.shown, ("", "1"), makes=list, lengths=LENGTHS),
    ),
    "app/aemp/read/children.py:parse_number": (
        _text(
            lambda given: children.parse_number("Hour", given), ("", "1"), ("", " "), ("1e", "1"), ("", "a")
        ),
        case(lambda given: children.parse_number("Hour", given), ("", "1"), makes=list, lengths=LENGTHS),
    ),
    "app/aemp/read/interpret.py:read_element": (
        _text(
            lambda given: interpret.read_element(_FUEL, {"fuelconsumed": given, "datetime": _AT}),
            ("", "1"),
            ("", " "),
        ),
        _text(
            lambda given: interpret.read_element(
                _FUEL, {"fuelconsumed": "1", "fuelunits": given, "datetime": _AT}
            ),
            ("", "a "),
            ("", "_"),
        ),
        _text(
            lambda given: interpret.read_element(_HOURS, {"hour": given, "datetime": _AT}),
            ("P", "1"),
            ("PT", "1M"),
        ),
        _text(
            lambda given: interpret.read_element(_HOURS, {"hour": "1", "datetime": given}),
            ("", "1"),
            ("", " "),
        ),
        _text(
            lambda given: interpret.read_element(_ENGINE, {"running": given, "datetime": _AT}),
            ("", "true"),
            ("", " "),
        ),
        _text(
            lambda given: interpret.read_element(
                _ENGINE, {"running": "1", "enginenumber": given, "datetime": _AT}
            ),
            ("", "a"),
            ("", "\x01"),
            ("", " "),
        ),
    ),
    "app/aemp/read/interpret.py:read_header": (
        _text(lambda given: interpret.read_header({"pin": given}), ("", "a"), ("", " "), ("", "\x01")),
        _text(lambda given: interpret.read_header({"unitinstalldatetime": given}), ("", "1"), ("", " ")),
    ),
    "app/aemp/address/negotiation.py:check_list": (_text(negotiation.check_list, *_HEADERS),),
    "app/aemp/address/negotiation.py:choose_coding": (_text(negotiation.choose_coding, *_HEADERS),),
    "app/aemp/address/negotiation.py:negotiate": (_text(negotiation.negotiate, *_HEADERS),),
    "app/aemp/address/negotiation.py:negotiate_aemp_1_2": (_text(negotiation.negotiate_aemp_1_2, *_HEADERS),),
    "app/aemp/address/paging.py:is_number": (
        _text(paging.is_number, ("", "1"), ("", "0"), ("1.", "1"), ("", "1", "x"), ("", " ")),
    ),
    "app/aemp/address/paging.py:parse_page": (
        _text(paging.parse_page, ("", "1"), ("", "0"), ("", "1", "x")),
    ),
    "app/aemp/address/ranges.py:parse_range": (
        _text(
            lambda given: ranges.parse_range(given, given),
            ("", "1"),
            (_AT, "Z"),
            ("0001-01-01T00:00:00", "0"),
            ("2024-05-01T00:00Z", "Z"),
            ("", "2024-05-01T00:00"),
        ),
    ),
    "app/aemp/read/read.py:machines_of": _parsed(lambda given: list(read.machines_of(given))),
    "app/aemp/read/read.py:parse": (_documents(read.parse, *_JSON), _trees(read.parse)),
    "app/aemp/read/read_file.py:read_file": (
        _documents(lambda given: read_file.read_file(given, "fleet", "x"), *_JSON),
        _documents(lambda given: read_file.read_file(given, "fleet", max_bytes=2_000), *_JSON),
        _trees(lambda given: read_file.read_file(given, "fleet", "x")),
        case(
            lambda given: read_file.read_file(b'{"FuelUsed":[]}', "series", given),
            *_NAMES,
            lengths=(LONGEST_IDENTIFIER, 10 * LONGEST_IDENTIFIER),
        ),
    ),
    "app/aemp/read/read_file.py:equipment_of": (
        _documents(
            lambda given: [read_file.equipment_of(report) for report in report.read_reports(given)],
            (
                '{"EquipmentHeader":{"PIN":"x"},"FuelUsed":[',
                f'{{"FuelConsumed":1,"datetime":"{_AT}"}},',
                "{}]}",
            ),
        ),
    ),
    "app/aemp/read/read_json.py:machines_of_json": (
        _documents(lambda given: list(read_json.machines_of_json(read_json.parse_json(given))), *_JSON),
    ),
    "app/aemp/read/read_json.py:parse_json": (_documents(read_json.parse_json, *_JSON),),
    "app/aemp/read/read_rovi.py:iso_machine": (
        _text(
            lambda given: read_rovi.iso_machine(
                {"assetid": given, "metrics": {"odometer": {"value": given, "meta": {"collectedon": given}}}}
            ),
            ("", "1"),
            ("", "a"),
        ),
    ),
    "app/aemp/read/read_series.py:name_in_links": (
        _text(
            lambda given: read_series.name_in_links({"links": {"href": f"/Equipment/{given}/Faults"}}),
            ("", "a"),
            ("", "a/"),
            ("", "%41"),
            ("", ABOVE + BELOW),
        ),
    ),
    "app/aemp/read/read_series.py:name_of_page": (
        *_identified(lambda given: read_series.name_of_page({"equipmentheader": {"pin": given}})),
    ),
    "app/aemp/read/read_series.py:pages_of": _parsed(read_series.pages_of),
    "app/aemp/read/read_xml.py:parse_xml": (_trees(read_xml.parse_xml),),
    "app/aemp/write/render_xml.py:escape": (
        _text(render_xml.escape, ("", "a"), ("", "&"), ("", "\x01"), ("", "a ")),
    ),
    "app/aemp/read/report.py:read_lines": (_documents(_all_of(report.read_lines), *_LINES),),
    "app/aemp/read/report.py:read_reports": (
        _documents(_all_of(report.read_reports), *_JSON),
        _trees(_all_of(report.read_reports)),
    ),
    "app/aemp/read/report.py:reports_of": _parsed(
        lambda given: report.read_all(report.reports_of(given, None, 1))
    ),
    "app/aemp/model/series.py:find_series": (_text(series.find_series, ("", "a"), ("", "Faults")),),
    "app/aemp/model/text.py:clean": (_text(text.clean, ("", "a"), ("", "\x01"), ("", "a\ud800")),),
    "app/aemp/model/times.py:parse_duration": (
        _text(times.parse_duration, ("P", "1"), ("PT", "1M"), ("", "P"), ("PT0.", "9", "S")),
    ),
    "app/aemp/model/times.py:parse_time": (
        _text(
            times.parse_time, ("", "1"), (_AT, "Z"), ("0001-01-01T00:00:00", "0"), (f"{_AT[:-1]}.", "9", "Z")
        ),
    ),
    "app/aemp/model/units.py:factor": (
        _text(lambda given: units.factor(given, "litre"), ("", "a"), ("", "a "), ("", "_"), ("", " ")),
    ),
}

EXEMPT = {
    "app/aemp/model/columns.py:from_columns": OURS,
    "app/aemp/model/columns.py:side_by_side": OURS,
    "app/aemp/model/series.py:Series.columns_of": OURS,
    "app/aemp/read/interpret.py:all_of": "read_reports and interpret are measured with all of a document",
    "app/aemp/model/plausible.py:says_nothing": READ,
    "app/aemp/read/children.py:find": "read_element is measured with each of its children",
    "app/aemp/read/children.py:mapping": "it looks at the type",
    "app/aemp/read/children.py:measured": "read_element is measured with each of its children",
    "app/aemp/read/children.py:read_value": "read_element is measured with each of its children",
    "app/aemp/read/interpret.py:header_of": "it looks one name up",
    "app/aemp/read/children.py:keys_of": OURS,
    "app/aemp/address/paging.py:links_for": READ,
    "app/aemp/read/read_rovi.py:is_area": "it looks one name up",
    "app/aemp/read/read_rovi.py:is_asset": "it looks one name up",
    "app/aemp/write/document.py:write_over": OURS,
    "app/aemp/write/render_error.py:render_error": OURS,
    "app/aemp/write/rendering.py:make_branch": OURS,
    "app/aemp/write/rendering.py:make_leaf": OURS,
    "app/aemp/write/rendering.py:preparing": OURS,
    "app/aemp/write/rendering.py:write_each": OURS,
    "app/aemp/write/rendering.py:write_machines": OURS,
    "app/aemp/write/rendering.py:write_readings": OURS,
}

"""Clients get the representation they asked for, XML when they do not care, and 406 when nothing fits."""

import time
from contextlib import suppress

import pytest

from app.aemp.address.negotiation import Representation, choose_coding, negotiate, negotiate_aemp_1_2
from app.aemp.model.errors import AempError

XML, TEXT_XML, JSON = Representation.XML, Representation.TEXT_XML, Representation.JSON
SNAPSHOT_JSON, XML_20190501 = Representation.SNAPSHOT_JSON, Representation.XML_20190501
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        pytest.param("", XML, id="absent or empty"),
        pytest.param("*/*", XML, id="anything"),
        pytest.param("application/xml", XML, id="xml"),
        pytest.param("text/xml", TEXT_XML, id="text xml"),
        pytest.param("application/xml; charset=utf-8", XML, id="charset does not matter"),
        pytest.param("application/json", JSON, id="json"),
        pytest.param("APPLICATION/JSON", JSON, id="case does not matter"),
        pytest.param("application/iso15143-snapshot+json", SNAPSHOT_JSON, id="vendor json"),
        pytest.param("application/iso15143-snapshot+json, application/json", SNAPSHOT_JSON, id="both json"),
        pytest.param("application/json, application/xml", XML, id="equals go to xml"),
        pytest.param("application/json, */*", JSON, id="named before wildcard"),
        pytest.param("application/json, text/plain, */*", JSON, id="the default of a popular client"),
        pytest.param("application/xml;q=0.5, application/json", JSON, id="weight"),
        pytest.param("application/xml;q=0.5, application/json;q=0.499", XML, id="three decimals"),
        pytest.param("application/xml;q=0, */*;q=0.1", TEXT_XML, id="excluded by name"),
        pytest.param("text/*", TEXT_XML, id="text wildcard"),
        pytest.param("application/*", XML, id="application wildcard"),
        pytest.param(BROWSER, XML, id="a browser"),
        pytest.param("application/xml; version=20190501", XML_20190501, id="2020 edition"),
        pytest.param("text/xml; Version=20190501, */*", XML_20190501, id="2020 edition as text"),
        pytest.param("application/xml; version=3", XML, id="unknown version"),
        pytest.param('a/b; x="c,d;q=1", application/json', JSON, id="comma in quotes"),
        pytest.param("garbage", XML, id="nothing readable"),
        pytest.param(";", XML, id="a semicolon"),
        pytest.param(",;,application/json", JSON, id="nothing between semicolons"),
        pytest.param("application/json;q=high, application/xml;q=0.1", XML, id="broken weight"),
        pytest.param("application/json;q=1.5, text/xml;q=0.1", TEXT_XML, id="weight above 1"),
    ],
)
def test_accept_chooses_the_representation(accept: str, expected: Representation) -> None:
    """RFC 9110 section 12.5.1."""
    assert negotiate(accept) is expected


@pytest.mark.parametrize(
    "accept",
    [
        "image/png",
        'a/b; x="never closed, application/json',
        "*/*;q=0",
        "application/xml;q=0, text/xml;q=0.000, application/json;q=0",
        "json/*",
    ],
)
def test_nothing_acceptable_is_406(accept: str) -> None:
    with pytest.raises(AempError) as refused:
        negotiate(accept)
    assert (refused.value.status, refused.value.code) == (406, "not_acceptable")
    assert "application/json" in refused.value.what


@pytest.mark.parametrize(
    ("accept", "representation"),
    [
        ("", XML),
        ("*/*", XML),
        ("application/json, */*;q=0.1", XML),
        ("application/json, text/xml", TEXT_XML),
        ("application/json", XML),
        ("application/xml; version=20190501", XML),
        ("image/png", XML),
        ("*/*;q=0", XML),
    ],
)
def test_aemp_1_2_is_xml_whatever_is_asked_for(accept: str, representation: Representation) -> None:
    assert negotiate_aemp_1_2(accept) is representation


@pytest.mark.parametrize("unit", ['"', '"\\', ',a"', "a/b;", "a/b,", 'a;"'])
def test_hostile_header_is_read_in_linear_time(unit: str) -> None:
    """60 KB of opening quotes once took a minute."""
    started = time.perf_counter()
    with suppress(AempError):
        negotiate(unit * (60_000 // len(unit)))
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    ("accept_encoding", "coding"),
    [
        ("", None),
        ("gzip", "gzip"),
        ("GZIP ; Q=0.3", "gzip"),
        ("x-gzip", "gzip"),
        ("gzip;q=0", None),
        ("gzip;q=0.000", None),
        ("*", "gzip"),
        ("*;q=0", None),
        ("gzip;q=0, *", None),
        ("identity", None),
        ("deflate, br", None),
        ("deflate, gzip;q=1.0, *;q=0.5", "gzip"),
        ("gzip;q=0.5, identity;q=0.8", None),
        ("gzip, identity", "gzip"),
        ("gzip;q=2", None),
        ("zstd", "zstd"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, zstd;q=0.9", "gzip"),
        ("zstd;q=0, *", "gzip"),
        ("zstd;q=0.5, identity", None),
    ],
)
def test_only_codings_that_were_asked_for_are_used(accept_encoding: str, coding: str | None) -> None:
    """RFC 9110 section 12.5.3."""
    assert choose_coding(accept_encoding) == coding

"""Addresses: every form of every provider is understood, in any case, and what names nothing is refused by its reason."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.aemp.address.addresses import (
    Address,
    FleetAddress,
    IndexAddress,
    MachineAddress,
    SeriesAddress,
    parse_address,
)
from app.aemp.address.paging import Asked, Pages
from app.aemp.address.ranges import Range, recent_range
from app.aemp.model.errors import AempError
from app.aemp.model.identifiers import Sought, sought_by, sought_by_equipment_id, sought_by_make
from app.aemp.model.series import LOCATIONS, find_series

START, END = "2024-05-01T00:00:00Z", "2024-05-08T12:30:00Z"
WEEK = Range(datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 5, 8, 12, 30, tzinfo=UTC))

# Each way to name a machine, and which machine that is.
MACHINES: dict[str, Sought] = {
    "9NRA2B3C4M0030117": sought_by("9NRA2B3C4M0030117"),
    "ASA%20%20B50E%239112%2F7": sought_by("ASA  B50E#9112/7"),
    "a:b": sought_by("a:b"),
    "ID/EX-07": sought_by_equipment_id("EX-07"),
    "id/Distance": sought_by_equipment_id("Distance"),
    "MakeModelSerial/0001/NX%20350%2FLC/30117": sought_by_make("0001", "NX 350/LC", "30117"),
    "makeModelSerial/Nordhoff/Distance/30117": sought_by_make("Nordhoff", "Distance", "30117"),
    "Nordhoff/NX%20350/30117": sought_by_make("Nordhoff", "NX 350", "30117"),
    "Nordhoff//30117": sought_by_make("Nordhoff", "", "30117"),
    "Nordhoff/%20/30117": sought_by_make("Nordhoff", " ", "30117"),
    "MakeModelSerial/Nordhoff//30117": sought_by_make("Nordhoff", "", "30117"),
    "MakeModelSerial//NX%20350/30117": sought_by_make("", "NX 350", "30117"),
    "MakeModelSerial///30117": sought_by_make("", "", "30117"),
    "/NX%20350/30117": sought_by_make("", "NX 350", "30117"),
}
EACH_MACHINE = pytest.mark.parametrize(("written", "machine"), MACHINES.items(), ids=MACHINES)


def parse(path: str, query: str = "") -> Address:
    return parse_address(Asked(path, query))


@pytest.mark.parametrize("fleet", ["Fleet", "fleet", "FLEET"])
def test_fleet_is_paged_with_and_without_a_number(fleet: str) -> None:
    for written, page in ((fleet, 1), (f"{fleet}/17", 17), (f"{fleet}/%31%37", 17)):
        assert parse(written) == FleetAddress(Pages(written, page, fleet))


@pytest.mark.parametrize(
    "path",
    [
        "Fleet",
        "Fleet/17",
        "Fleet/EX-07",
        "Fleet/Equipment/X",
        "Fleet/Equipment/ID/X",
        "Fleet/Equipment/a/b/c",
        "Fleet/Equipment/X/Distance",
        f"Fleet/Equipment/X/{START}/{END}",
        f"Fleet/Equipment/X/Distance/{START}/{END}",
        f"Fleet/Equipment/X/Distance/{START}/{END}/2",
    ],
)
def test_slash_at_the_end_says_nothing(path: str) -> None:
    slashed, plain = parse(f"{path}/"), parse(path)
    if isinstance(slashed, FleetAddress | SeriesAddress):
        slashed = replace(slashed, pages=replace(slashed.pages, asked=path))
    assert slashed == plain


@pytest.mark.parametrize("written", ["EX-07", "ex%2007", "9NRA2B3C4M0030117", "1e5"])
def test_name_in_the_place_of_the_page_is_a_machine(written: str) -> None:
    """`Fleet/{equipmentID}` was RoviTracker's own address once."""
    assert parse(f"Fleet/{written}") == parse(f"Fleet/Equipment/{written}")


@EACH_MACHINE
@pytest.mark.parametrize("prefix", ["Fleet/Equipment", "fleet/equipment", "FLEET/EQUIPMENT"])
def test_machine_is_named_in_each_form(prefix: str, written: str, machine: Sought) -> None:
    address = parse(f"{prefix}/{written}")
    assert isinstance(address, MachineAddress)
    assert address.machine == machine


@EACH_MACHINE
def test_series_of_a_machine_in_each_form(written: str, machine: Sought) -> None:
    base = f"Fleet/Equipment/{written}/location"
    dated = f"{base}/{START}/{END}"
    assert parse(base) == SeriesAddress(machine, LOCATIONS, Pages(base, 1, base))
    assert parse(dated) == SeriesAddress(machine, LOCATIONS, Pages(dated, 1, dated), WEEK)
    assert parse(f"{dated}/12") == SeriesAddress(machine, LOCATIONS, Pages(f"{dated}/12", 12, dated), WEEK)


@EACH_MACHINE
def test_dates_alone_ask_which_series_there_are(written: str, machine: Sought) -> None:
    base = f"Fleet/Equipment/{written}"
    assert parse(f"{base}/{START}/{END}") == IndexAddress(machine, base, f"{START}/{END}", WEEK)


def test_dates_may_be_encoded_and_stand_in_another_zone() -> None:
    dates = "2024-05-01T02:00:00%2B02:00/2024-05-08T12%3A30%3A00.750Z"
    address = parse(f"Fleet/Equipment/X/{dates}")
    assert address == IndexAddress(sought_by("X"), "Fleet/Equipment/X", dates, WEEK)


@pytest.mark.parametrize(
    ("dates", "start", "end"),
    [
        ("2024-05-01/2024-05-01", "01T00:00:00", "01T23:59:59"),
        ("2024-05-01/2024-05-31", "01T00:00:00", "31T23:59:59"),
        ("2024-05-01/2024-05-02T06:00:00Z", "01T00:00:00", "02T06:00:00"),
        ("2024-05-01T06:00:00Z/2024-05-02", "01T06:00:00", "02T23:59:59"),
    ],
)
def test_date_without_a_time_is_a_whole_day_in_utc(dates: str, start: str, end: str) -> None:
    asked = Range(*(datetime.fromisoformat(f"2024-05-{moment}Z") for moment in (start, end)))
    series, index = (parse(f"Fleet/Equipment/X{suffix}/{dates}") for suffix in ("/Distance", ""))
    assert isinstance(series, SeriesAddress)
    assert isinstance(index, IndexAddress)
    assert series.range == index.range == asked


@pytest.mark.parametrize("zone", ["Z", "z", "+00:00", "%2B02:00", "-0330"])
def test_time_may_have_no_seconds(zone: str) -> None:
    whole, short = (
        parse(f"Fleet/Equipment/X/2024-05-01T00:00{seconds}{zone}/2024-05-02T12:30{seconds}{zone}")
        for seconds in (":00", "")
    )
    assert isinstance(short, IndexAddress)
    assert isinstance(whole, IndexAddress)
    assert short.range == whole.range


@pytest.mark.parametrize(
    "path", ["Fleet", f"Fleet/Equipment/X/Distance/{START}/{END}", "Fleet/Equipment/X/Distance"]
)
def test_page_may_stand_in_the_query(path: str) -> None:
    for query, page in (("page=3", 3), ("since=x&Page=17", 17), ("page=%32&x", 2), ("xpage=4", 1), ("", 1)):
        address = parse(path, query)
        assert isinstance(address, FleetAddress | SeriesAddress)
        assert address.pages.number == page


def test_query_is_kept_in_links_and_its_page_not_told_to_a_series() -> None:
    """A series that the index links to has pages of its own."""
    index = parse(f"Fleet/Equipment/X/{START}/{END}", "page=2&since=x&PAGE=3&y")
    assert isinstance(index, IndexAddress)
    assert index.query == "?since=x&y"
    assert parse("Fleet/Equipment/X", "page=zero") == MachineAddress(sought_by("X"))


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("Fleet", "page=0"),
        ("Fleet", "page="),
        ("Fleet", "page"),
        ("Fleet", "page=one"),
        ("Fleet", "page=+1"),
        ("Fleet", "page=1&page=1"),
        ("Fleet/1", "page=1"),
        (f"Fleet/Equipment/X/Distance/{START}/{END}/2", "Page=3"),
        (f"Fleet/Equipment/X/Distance/{START}/{END}", "page=-1"),
    ],
)
def test_page_that_is_malformed_or_named_twice_is_refused(path: str, query: str) -> None:
    with pytest.raises(AempError) as refused:
        parse(path, query)
    assert (refused.value.status, refused.value.code) == (400, "invalid_page")


def test_three_names_may_have_been_an_identifier_and_two_unreadable_dates() -> None:
    """The fleet says which of the two it was."""
    address = parse("Fleet/Equipment/PIN1/yesterday/today")
    assert address == MachineAddress(sought_by_make("PIN1", "yesterday", "today"), sought_by("PIN1"))
    assert parse("Fleet/Equipment/MakeModelSerial/a/b/c") == MachineAddress(sought_by_make("a", "b", "c"))


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("Fleet/-1", 400, "invalid_page"),
        ("Fleet/0", 400, "invalid_page"),
        ("Fleet/00", 400, "invalid_page"),
        ("Fleet/%30", 400, "invalid_page"),
        ("Fleet/1.0", 400, "invalid_page"),
        ("Fleet/1000000000", 404, "page_not_found"),
        pytest.param(f"Fleet/{'1' * 8_000}", 404, "page_not_found", id="page of 8,000 digits"),
        ("Fleet/%zz", 404, "equipment_not_found"),
        ("Fleet/%20", 404, "equipment_not_found"),
        ("Fleet/1/2", 404, "not_found"),
        ("Fleet//", 404, "equipment_not_found"),
        ("Fleet/Equipment", 404, "equipment_not_found"),
        ("Fleet/Equipment/", 404, "equipment_not_found"),
        ("Fleet/Equipment/%zz", 404, "equipment_not_found"),
        ("Fleet/Equipment/MakeModelSerial/a/b/%20", 404, "equipment_not_found"),
        ("Fleet/Equipment/a/b/%20", 404, "equipment_not_found"),
        ("Fleet/Equipment/ID/%20", 404, "equipment_not_found"),
        ("Fleet/Equipment/%20/Distance", 404, "equipment_not_found"),
        ("Fleet/Equipment/X/Humidity", 404, "series_not_found"),
        (f"Fleet/Equipment/X/Humidity/{START}/{END}", 404, "series_not_found"),
        (f"Fleet/Equipment/X/Humidity/{START}/{END}/1", 404, "series_not_found"),
        (f"Fleet/Equipment/X/Distance/{END}/{START}", 400, "invalid_range"),
        (f"Fleet/Equipment/X/Distance/{START}", 400, "invalid_range"),
        ("Fleet/Equipment/X/Distance/1", 400, "invalid_range"),
        ("Fleet/Equipment/X/Distance/2024-05-01T00:00:00Z/2024-06-01T00:00:01Z", 400, "invalid_range"),
        (f"Fleet/Equipment/X/Distance/{START}/today", 400, "invalid_date"),
        ("Fleet/Equipment/X/Distance/2024-05-01T00:00:00/2024-05-02T00:00:00", 400, "invalid_date"),
        ("Fleet/Equipment/X/Distance/2024-05-02/2024-05-01", 400, "invalid_range"),
        ("Fleet/Equipment/X/Distance/2024-05-01/2024-06-01", 400, "invalid_range"),
        ("Fleet/Equipment/X/Distance/2024-02-30/2024-03-01", 400, "invalid_date"),
        ("Fleet/Equipment/X/Distance/2024-05-01T00:00/2024-05-02T00:00", 400, "invalid_date"),
        ("Fleet/Equipment/X/Distance/2024-05-01T00Z/2024-05-02T00Z", 400, "invalid_date"),
        ("Fleet/Equipment/X/Distance/2024-02-30T00:00:00Z/2024-03-01T00:00:00Z", 400, "invalid_date"),
        (f"Fleet/Equipment/X/Distance/0001-01-01T00:00:00Z/{END}", 400, "invalid_date"),
        (f"Fleet/Equipment/X/{START}/today", 400, "invalid_date"),
        (f"Fleet/Equipment/X/{END}/{START}", 400, "invalid_range"),
        (f"Fleet/Equipment/X/Distance/{START}/{END}/one", 400, "invalid_page"),
        (f"Fleet/Equipment/X/Distance/{START}/{END}/0", 400, "invalid_page"),
        (f"Fleet/Equipment/X/Distance/{START}/{END}/1/2", 404, "not_found"),
        (f"Fleet/Equipment/X/{START}/{END}/1", 404, "series_not_found"),
        ("Fleet/Equipment/" + "/".join("abcdefghijklmnopqrst"), 404, "not_found"),
        ("Nothing", 404, "not_found"),
    ],
)
def test_what_names_nothing_is_refused_by_its_reason(path: str, status: int, code: str) -> None:
    with pytest.raises(AempError) as refused:
        parse(path)
    assert (refused.value.status, refused.value.code) == (status, code)


def test_31_days_are_not_too_many() -> None:
    address = parse("Fleet/Equipment/X/Distance/2024-05-01T00:00:00Z/2024-06-01T00:00:00Z")
    assert isinstance(address, SeriesAddress)


NAME = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=40).filter(str.strip)


def is_plain(name: str) -> bool:
    return find_series(name) is None and name.lower() not in ("id", "makemodelserial")


@given(NAME.filter(is_plain), NAME, NAME)
def test_any_name_comes_through_its_encoding(one: str, two: str, three: str) -> None:
    """R-69: slashes, percent signs, question marks, any script."""
    encoded = [quote(each, safe="") for each in (one, two, three)]
    expected: dict[str, Address] = {
        encoded[0]: MachineAddress(sought_by(one)),
        f"ID/{encoded[1]}": MachineAddress(sought_by_equipment_id(two)),
        f"MakeModelSerial/{'/'.join(encoded)}": MachineAddress(sought_by_make(one, two, three)),
    }
    for written, address in expected.items():
        assert parse(f"Fleet/Equipment/{written}") == address


ANY_PART = st.text(st.characters(codec="ascii", min_codepoint=32), max_size=80)


@given(ANY_PART, ANY_PART | st.sampled_from(["page=2", "&page&", "page=1&page"]))
def test_any_address_is_understood_or_refused(path: str, query: str) -> None:
    """An address never becomes a fault of ours."""
    for prefix in ("", "Fleet/", "Fleet/Equipment/X/", "Fleet/Equipment/MakeModelSerial/"):
        with suppress(AempError):
            assert parse(prefix + path, query).form


def test_undated_series_are_of_two_weeks_and_today_all_day_long() -> None:
    morning, night = datetime(2024, 5, 15, 6, tzinfo=UTC), datetime(2024, 5, 15, 23, 59, 59, tzinfo=UTC)
    assert recent_range(morning) == recent_range(night)
    assert recent_range(morning).segments == ("2024-05-01T00:00:00Z", "2024-05-15T23:59:59Z")

"""Pages begin at 1, links lead only to pages that exist."""

import pytest

from app.aemp.address.addresses import FleetAddress, parse_address
from app.aemp.address.paging import (
    Asked,
    Link,
    Pages,
    is_number,
    last_page_of,
    links_for,
    page_bounds,
    parse_page,
    require_page,
)
from app.aemp.model.errors import AempError

ORIGIN = "https://data.example/api/v2/"


@pytest.mark.parametrize(("segment", "page"), [("1", 1), ("10", 10), ("999999999", 999_999_999)])
def test_plain_decimal_is_a_page(segment: str, page: int) -> None:
    assert parse_page(segment) == page


@pytest.mark.parametrize(
    "segment",
    [
        "",
        "0",
        "00",
        "-0",
        "+1",
        "-1",
        "01",
        "1.0",
        " 1",
        "1\n",
        "0x1",
        "1_0",
        "\N{ARABIC-INDIC DIGIT ONE}",
        "\N{SUPERSCRIPT TWO}",
        "one",
    ],
)
def test_anything_but_a_plain_decimal_from_1_is_malformed(segment: str) -> None:
    with pytest.raises(AempError) as refused:
        parse_page(segment)
    assert (refused.value.status, refused.value.code) == (400, "invalid_page")


@pytest.mark.parametrize("segment", ["1", "0", "-1", "+1", "007", "1.0", "1.", " 1 ", "9" * 50])
def test_a_decimal_is_always_a_page(segment: str) -> None:
    assert is_number(segment)


@pytest.mark.parametrize(
    "segment", ["", "one", "1a", "1_0", "0x1", "1e5", "1.2.3", "-", "EX-07", "\N{SUPERSCRIPT TWO}"]
)
def test_a_name_is_never_a_page(segment: str) -> None:
    assert not is_number(segment)


@pytest.mark.parametrize("segment", ["1000000000", "9" * 5000])
def test_page_that_no_fleet_reaches_is_not_found(segment: str) -> None:
    """Python refuses to read 5000 digits with an error of its own; it must not come that far."""
    with pytest.raises(AempError) as refused:
        parse_page(segment)
    assert (refused.value.status, refused.value.code) == (404, "page_not_found")


@pytest.mark.parametrize(
    ("total", "last"), [(0, 1), (1, 1), (99, 1), (100, 1), (101, 2), (200, 2), (10_000, 100), (10_001, 101)]
)
def test_last_page_holds_the_rest(total: int, last: int) -> None:
    assert last_page_of(total) == last


def test_pages_follow_each_other_without_gap() -> None:
    assert page_bounds(1) == (0, 100)
    assert page_bounds(2) == (100, 200)


@pytest.mark.parametrize(
    ("total", "there", "past"),
    [(0, 1, 2), (1, 1, 2), (99, 1, 2), (100, 2, 3), (101, 2, 3), (200, 3, 4), (201, 3, 4)],
)
def test_one_page_after_a_full_last_page_is_there_and_the_next_is_not(
    total: int, there: int, past: int
) -> None:
    """Readers that stop at a short page ask for it. Links still call the full one the last."""
    assert require_page(there, total) == last_page_of(total)
    with pytest.raises(AempError) as refused:
        require_page(past, total)
    assert (refused.value.status, refused.value.code) == (404, "page_not_found")


def test_people_are_not_shown_an_empty_page_after_a_full_one() -> None:
    assert require_page(2, 200, until_short=False) == 2
    with pytest.raises(AempError):
        require_page(3, 200, until_short=False)


@pytest.mark.parametrize(
    ("page", "last", "expected"),
    [
        (1, 1, {"self": 1, "first": 1, "last": 1}),
        (1, 3, {"self": 1, "first": 1, "next": 2, "last": 3}),
        (2, 3, {"self": 2, "first": 1, "prev": 1, "next": 3, "last": 3}),
        (3, 3, {"self": 3, "first": 1, "prev": 2, "last": 3}),
        (4, 3, {"self": 4, "first": 1, "prev": 3, "last": 3}),
    ],
)
def test_links_name_only_pages_that_exist(page: int, last: int, expected: dict[str, int]) -> None:
    links = links_for(ORIGIN, Pages(f"Fleet/{page}", page, "Fleet"), last)
    assert links == tuple(Link(rel, f"{ORIGIN}Fleet/{number}") for rel, number in expected.items())


# An address as it is asked for, and as page 2 is written beside it.
FORMS = {
    "Fleet": "Fleet/2",
    "Fleet/": "Fleet/2",
    "Fleet/1": "Fleet/2",
    "fleet/1": "fleet/2",
    "Fleet/%31": "Fleet/2",
    "Fleet?addMetadata=true": "Fleet/2?addMetadata=true",
    "Fleet/1?addMetadata=true": "Fleet/2?addMetadata=true",
    "Fleet?page=1": "Fleet?page=2",
    "Fleet?Page=%31&limit=100": "Fleet?Page=2&limit=100",
    "Fleet?a=b&page=1&c=%26&d": "Fleet?a=b&page=2&c=%26&d",
    "Fleet/?page=1": "Fleet?page=2",
    "Fleet?": "Fleet/2",
}


def pages_at(address: str) -> Pages:
    """The pages of a fleet that is asked for at this address."""
    path, _, query = address.partition("?")
    found = parse_address(Asked(path, query))
    assert isinstance(found, FleetAddress)
    return found.pages


@pytest.mark.parametrize(("asked", "second"), FORMS.items(), ids=FORMS)
def test_links_keep_the_address_as_asked(asked: str, second: str) -> None:
    """The page that was asked for has that very address, whatever the link to it is called."""
    links = {link.rel: link.href for link in links_for("", pages_at(asked), 2)}
    asked = asked.removesuffix("?")
    assert links == {"self": asked, "first": asked, "next": second, "last": second}
    assert {link.href for link in links_for("", pages_at(asked), 1)} == {asked}


@pytest.mark.parametrize("asked", FORMS)
@pytest.mark.parametrize("last", [1, 2, 7])
def test_following_next_visits_every_page_once_and_ends(asked: str, last: int) -> None:
    """Two readers: one ends where there is no `next`, the other where its address equals `last`."""
    here, visited = asked.removesuffix("?"), []
    while here:
        pages = pages_at(here)
        visited.append(pages.number)
        assert len(visited) <= last
        links = {link.rel: link.href for link in links_for("", pages, last)}
        assert links["self"] == here
        assert (here == links["last"]) == ("next" not in links) == (pages.number == last)
        here = links.get("next", "")
    assert visited == list(range(1, last + 1))

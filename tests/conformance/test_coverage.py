"""The page of conformance is what the tests cite, and nothing that is owed goes without a test."""

import re

from tests.conformance.citations import ROOT, find_citations, own_tests
from tests.conformance.coverage import PAGE, read_sections, render, unshown

SECTIONS = read_sections()
ITEMS = [item for section in SECTIONS for item in section.items]
CITATIONS = find_citations("O")

RANGE = re.compile(r"O-\d+\s*(?:\.\.|to|-|–|…)\s*O-?\d+")  # noqa: RUF001  # the dash people type


def test_page_is_what_the_tests_cite() -> None:
    """`python -m tests.conformance.coverage` writes it anew."""
    assert PAGE.read_text() == render(SECTIONS, CITATIONS)


def test_everything_owed_is_shown_on_the_wire() -> None:
    assert unshown(ITEMS, CITATIONS) == []


def test_items_are_told_apart() -> None:
    numbers = [item.number for item in ITEMS]
    assert len(numbers) == len(set(numbers))
    assert {item.level for item in ITEMS} == {"MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY", "OURS"}
    assert {each.number for each in CITATIONS} <= set(numbers)


def test_items_are_cited_one_by_one() -> None:
    """A range does not say which of its items a test really shows."""
    ranges = [
        f"{file.relative_to(ROOT)}: {found}"
        for file in own_tests()
        for found in RANGE.findall(file.read_text())
        if file.name != "test_coverage.py"
    ]
    assert ranges == []


def test_readme_names_every_rfc_and_where_it_is_shown() -> None:
    table = "\n".join(re.findall(r"^\| RFC .*$", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert {rfc for section in SECTIONS for rfc in section.rfc.split(", ")} <= set(
        re.findall(r"RFC \d+", table)
    )
    linked = set(re.findall(r"conformance\.md#([a-z-]+)", table))
    assert linked
    assert linked <= {re.sub(r"[^a-z ]", "", section.title.lower()).replace(" ", "-") for section in SECTIONS}

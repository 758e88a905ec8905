"""The page of reliability is what the tests cite, and nothing on it goes without a test or a reason."""

from tests.conformance.citations import find_citations
from tests.conformance.reliability import PAGE, read_sections, render

SECTIONS = read_sections()
ITEMS = [item for section in SECTIONS for item in section.items]
CITATIONS = find_citations("R")


def test_page_is_what_the_tests_cite() -> None:
    """`python -m tests.conformance.reliability` writes it anew."""
    assert PAGE.read_text() == render(SECTIONS, CITATIONS)


def test_everything_that_may_go_wrong_has_a_test_or_a_reason() -> None:
    cited = {each.number for each in CITATIONS}
    assert [item.number for item in ITEMS if not item.unshown and item.number not in cited] == []
    assert [item.number for item in ITEMS if item.unshown and item.number in cited] == []


def test_items_are_told_apart() -> None:
    numbers = [item.number for item in ITEMS]
    assert numbers == list(range(1, 115))
    assert {each.number for each in CITATIONS} <= set(numbers)

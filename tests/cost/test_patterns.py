"""R-76, R-110: no regular expression of ours takes longer than its input grows, and none is left out here."""

import pytest

from tests.cost.cases import Case, Worst
from tests.cost.clock import assert_grows_no_faster
from tests.cost.patterns import CASES
from tests.cost.sources import places_of_patterns

_WORST = [
    pytest.param(case, worst, id=f"{place} {worst.begin!r}{worst.unit!r}{worst.end!r}")
    for place, case in CASES.items()
    for worst in case.worst
]


def test_every_regular_expression_has_its_worst_case() -> None:
    """A new one fails here until tests/cost/patterns.py says what it could take long for."""
    places = places_of_patterns()
    assert len(set(places)) == len(places), "two expressions of one function need names"
    assert sorted(set(places) - CASES.keys()) == []
    assert sorted(CASES.keys() - set(places)) == []


@pytest.mark.parametrize(("case", "worst"), _WORST)
def test_ten_times_the_text_takes_at_most_twelve_times_as_long(case: Case, worst: Worst) -> None:
    """R-76, R-110."""
    for length in case.lengths:
        assert_grows_no_faster(case.run, *case.few_and_many(worst, length))

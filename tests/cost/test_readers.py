"""R-76, R-110: whatever reads what others sent takes no longer than that grows, or refuses it; none is left out here."""

import pytest

from tests.cost import aemp_readers, oauth_readers
from tests.cost.cases import Case, Worst
from tests.cost.clock import assert_grows_no_faster
from tests.cost.sources import readers_in

CASES = {**oauth_readers.CASES, **aemp_readers.CASES}
EXEMPT = {**oauth_readers.EXEMPT, **aemp_readers.EXEMPT}

_WORST = [
    pytest.param(case, worst, id=f"{place} {number} {worst.begin[-20:]!r}{worst.unit!r}")
    for place, cases in CASES.items()
    for number, case in enumerate(cases, 1)
    for worst in case.worst
]


def test_every_reader_has_its_worst_case_or_a_reason_to_have_none() -> None:
    """A new one fails here until it stands in tests/cost/oauth_readers.py or aemp_readers.py."""
    readers = {
        each
        for each in readers_in("oauth", "aemp")
        if not each.startswith(tuple(f"{file}:" for file in oauth_readers.EXEMPT_FILES))
    }
    assert sorted(readers - CASES.keys() - EXEMPT.keys()) == []
    assert sorted(EXEMPT.keys() - readers) == []
    assert not CASES.keys() & EXEMPT.keys()


@pytest.mark.parametrize(("case", "worst"), _WORST)
def test_ten_times_the_input_takes_at_most_twelve_times_as_long(case: Case, worst: Worst) -> None:
    """R-76, R-110."""
    for length in case.lengths:
        assert_grows_no_faster(case.run, *case.few_and_many(worst, length))

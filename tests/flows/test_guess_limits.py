"""How much a visitor tried, in whole attempts: the order in which passwords are checked."""

import pytest

from app.throttling.guesses import GuessLimits

LIMITS = GuessLimits(per_account=10, per_network=50)
ADDRESS = "network 198.51.100.7"


@pytest.mark.parametrize("seconds_ago", [0.0, 0.1, 17.9])
def test_an_attempt_counts_whole_until_all_of_it_came_back(seconds_ago: float) -> None:
    """R-60: of two attempts a moment apart, neither has tried less."""
    drained = seconds_ago / 900
    assert LIMITS.tried_by_visitor({ADDRESS: 1 / 50 - drained}) == 1
    assert LIMITS.tried_by_visitor({ADDRESS: 2 / 50 - drained}) == 2


def test_what_was_given_back_counts_for_nothing() -> None:
    assert LIMITS.tried_by_visitor({ADDRESS: 0.1 + 0.2 - 0.3}) == 0


def test_what_others_tried_at_the_account_is_not_the_visitors() -> None:
    assert LIMITS.tried_by_visitor({"account somebody": 0.9, ADDRESS: 0.0}) == 0


def test_a_browser_is_counted_by_the_limit_of_an_account() -> None:
    assert LIMITS.tried_by_visitor({"browser 00ff": 0.3}) == 3

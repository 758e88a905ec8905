"""How deep properties are searched: as far as a suite can wait for, or CONFORMANCE_DEPTH times as far."""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings

DEPTH = int(os.environ.get("CONFORMANCE_DEPTH", "1"))


def too_long(claim: str) -> pytest.MarkDecorator:
    """Leave a test out of the suite, which has no time for it. claim: what it shows, after "that"."""
    return pytest.mark.skipif(DEPTH == 1, reason=f"not shown: that {claim}; `make check-long` does")


def examples(count: int) -> settings:
    """Settings for so many examples of a property that asks a service, which may take its time."""
    unshared = HealthCheck.function_scoped_fixture  # people and browsers may serve many examples
    return settings(max_examples=count * DEPTH, deadline=None, suppress_health_check=[unshared])


def lives(count: int, *, steps: int) -> settings:
    """Settings of a state machine beside a running service, for one of DEPTH runs.

    Beyond ten lives hypothesis mostly makes variations of them, so that more are a run of their own. None is made shorter
    when it fails: that would take thousands of steps, each of which waits for processes.
    """
    return settings(
        max_examples=count,
        stateful_step_count=steps,
        derandomize=DEPTH == 1,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def deepen() -> None:
    """The properties that say no number of their own, too."""
    if DEPTH > 1:
        settings.register_profile("deep", max_examples=100 * DEPTH, deadline=None)
        settings.load_profile("deep")

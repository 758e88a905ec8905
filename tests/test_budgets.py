"""Budgets: so many requests in any minute, each caller's own, refilled as time goes by."""

import time
from uuid import uuid4

import pytest

from app.throttling.budgets import Budgets


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The only thing that is faked: seconds, to be moved on."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_a_budget_can_be_spent_at_once_and_comes_back_bit_by_bit(clock: list[float]) -> None:
    budgets, name = Budgets(a_minute=60), uuid4()
    taken = [budgets.take(name) for _ in range(60)]
    assert [rate.remaining for rate in taken] == list(range(59, -1, -1))
    assert not any(rate.retry_after_s for rate in taken)
    refused = budgets.take(name)
    assert (refused.remaining, refused.reset_s, refused.retry_after_s) == (0, 60, 1)
    clock[0] += 1
    assert budgets.take(name).retry_after_s == 0
    assert budgets.take(name).retry_after_s == 1
    clock[0] += 60
    assert budgets.take(name).remaining == 59


def test_refused_requests_cost_nothing(clock: list[float]) -> None:
    budgets, name = Budgets(a_minute=2), uuid4()
    for _ in range(100):
        budgets.take(name)
    clock[0] += 30
    assert budgets.take(name).retry_after_s == 0
    assert budgets.take(name).retry_after_s == 30


def test_each_has_its_own(clock: list[float]) -> None:
    budgets = Budgets(a_minute=1)
    assert clock
    assert [budgets.take(uuid4()).retry_after_s for _ in range(3)] == [0, 0, 0]


def test_no_minute_sees_more_than_the_budget_and_its_refill(clock: list[float]) -> None:
    budgets, name = Budgets(a_minute=7), uuid4()
    granted = 0
    for _ in range(600):
        granted += budgets.take(name).retry_after_s == 0
        clock[0] += 0.1
    assert granted in (13, 14)

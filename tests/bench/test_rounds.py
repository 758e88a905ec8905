"""Rounds are made into pairs of neighbours, medians and bars."""

import pytest

from bench.limit.__main__ import render
from bench.limit.scenarios import Result
from bench.load.machine import Host, ProcessorTime
from bench.load.rounds import Plan, Round, attempts, most_attempts, ratios
from bench.load.summary import table


class FakeHost(Host):
    """A host that took so much, since a test cannot make a real one take anything."""

    def __init__(self, taken: float) -> None:
        super().__init__()
        self._taken = taken

    @property
    def taken(self) -> float:
        return self._taken


PLAN = Plan(rounds=3, seconds=1, warm_up_s=0.5, connections=8)


def round_of(rate: float, p99_ms: float = 2.0) -> Round:
    return Round(
        rate=rate,
        p50_ms=1.0,
        p99_ms=p99_ms,
        requests=int(rate),
        unsent=0,
        service_us=70,
        postgres_us=20,
        valkey_us=10,
        generator_us=16,
        elsewhere=0.05,
        ended="time",
    )


def result(
    ours: list[float], limit: list[float], *, measure: str = "rate", bar: float | None = 0.8
) -> Result:
    rounds = {
        "ours": [round_of(value, value) for value in ours],
        "limit": [round_of(value, value) for value in limit],
    }
    return Result(
        "code exchange", PLAN, rounds, measure, tuple(ratios(rounds, "ours", "limit", lambda r: r.rate)), bar
    )


def test_what_the_host_disturbs_is_measured_again_and_not_for_ever() -> None:
    taken = [0.0, 0.02, 0.0, 0.5, 0.009, 0.0]
    kept = []
    for attempt in attempts(3):
        attempt.host = FakeHost(taken[attempt.number])
        if attempt.keep():
            kept.append(attempt.number)
    assert kept == [0, 2, 4]
    told = []
    for attempt in attempts(2):
        attempt.host = FakeHost(0.02)
        told.append((attempt.keep(), attempt.disturbed))
    assert told == [(False, False)] * (most_attempts(2) - 2) + [(True, True)] * 2


def test_each_round_is_compared_with_both_its_neighbours_in_time() -> None:
    rounds = {"ours": [round_of(50), round_of(80)], "limit": [round_of(100), round_of(200)]}
    # ours limit ours limit: 50/100, 80/200, and the middle pair 80/100
    assert ratios(rounds, "ours", "limit", lambda each: each.rate) == [0.5, 0.4, 0.8]


def test_machine_that_slows_down_for_both_changes_no_ratio() -> None:
    assert result([90, 45, 90], [100, 50, 100]).ratio == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("ratio", "measure", "met"),
    [(0.81, "rate", True), (0.79, "rate", False), (0.79, "p99", True), (0.81, "p99", False)],
)
def test_rate_must_reach_its_bar_and_latency_must_not_pass_it(ratio: float, measure: str, met: bool) -> None:  # noqa: FBT001
    assert result([100 * ratio] * 3, [100] * 3, measure=measure).met is met


def test_comparison_without_a_bar_fails_nothing() -> None:
    assert result([1], [100], bar=None).met


def test_table_holds_medians_and_the_cost_of_every_component() -> None:
    rows = table({"ours": [round_of(1000), round_of(9000), round_of(2000)]}).splitlines()
    assert rows[2] == "| ours | 2,000 | 1.00 | 2.00 | 70 | 20 | 10 | 100 | 16 | 5% |"


def test_report_says_what_was_asked_seen_and_met() -> None:
    report = render([result([70, 70, 70], [100, 100, 100])])
    assert "### code exchange" in report
    assert "8 connections, 3 rounds of 1 s" in report
    assert (
        "**rate, ours / limit: 0.70 (0.70 to 0.70), at least 0.80: NOT MET**, processor time 1.00" in report
    )


def test_what_others_used_is_what_is_left_of_the_machines_time() -> None:
    before = ProcessorTime(service_s=5, postgres_s=3, valkey_s=1, load_s=2, machine_s=100)
    after = ProcessorTime(service_s=7, postgres_s=4, valkey_s=1.5, load_s=2.5, machine_s=107)
    assert after.since(before).elsewhere_s == pytest.approx(3)

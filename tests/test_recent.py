"""Recent values are forgotten in time, and never grow without bound."""

import time

import pytest

from app.process.recent import Recent


def test_kept_for_its_time_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    recent = Recent[str, int](keep_s=60, most=10)
    recent.keep("a", 0)
    now[0] += 59
    assert recent.get("a") == 0
    now[0] += 2
    assert recent.get("a") is None
    assert recent.get("b") is None


def test_the_oldest_makes_room() -> None:
    recent = Recent[str, int](keep_s=60, most=2)
    for number, name in enumerate("abac"):
        recent.keep(name, number)
    assert [recent.get(name) for name in "abc"] == [2, None, 3]

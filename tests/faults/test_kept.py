"""The kept result of `make check-faults` is what the page of guarantees shows."""

from tests.faults.kept import SECTION, read_last, record_of, render
from tests.faults.planted import PLANTED
from tests.faults.schedule import FAULTS
from tests.support.sections import section_of

CALM = {
    "fault": "calm",
    "seed": 1,
    "operations": 1200,
    "bites": {"counted": "none", "count": 0},
    "slowest_s": 0.25,
    "back_s": 0.0,
    "violations": [],
    "not_shown": "",
}
KILLED = {
    **CALM,
    "fault": "worker killed",
    "bites": {"counted": "workers replaced", "count": 2},
    "violations": ["rules: one"],
}
BUG = {
    "name": "a lock is left out",
    "under": "calm",
    "operations": 90,
    "found_by": {"rules": 3},
    "found": "x",
}
SUMMARY = {
    "judged_by_porcupine": True,
    "schedules": 3,
    "operations": 2400,
    "violations": 1,
    "slowest_s": 0.25,
    "each": [CALM, KILLED, {**KILLED, "fault": "clock shifted", "not_shown": "no compiler"}],
    "planted": [BUG, {**BUG, "name": "another", "found": "", "found_by": {}}],
}


def test_page_of_guarantees_has_the_last_run() -> None:
    """`make check-faults FAULTS="--write"` writes both anew."""
    assert section_of(SECTION) == render(read_last())


def test_last_run_is_of_faults_and_bugs_that_there_are() -> None:
    last = read_last()
    assert {row["fault"] for row in last["each"]} <= {fault.name for fault in FAULTS}
    assert {row["name"] for row in last["planted"]} <= {bug.name for bug in PLANTED}
    assert all(row["bites"]["count"] or row["fault"] == "calm" or row["not_shown"] for row in last["each"])


def test_a_record_says_what_was_seen_and_what_was_not() -> None:
    lines = render(record_of(SUMMARY, known=40)).splitlines()
    assert "It ran 3 schedules of 3 faults; 40 faults are known." in lines[0]
    assert "2,400 operations" in lines[1]
    assert "1 violations" in lines[1]
    assert "| calm | 1 | 1,200 |  | 0.2 s | 0 |" in lines
    assert "| worker killed | 1 | 1,200 | workers replaced: 2 | 0.2 s | 1 |" in lines
    assert "| clock shifted | 0 | | not shown: no compiler | | |" in lines
    assert "2 bugs were planted into copies of the service, and 1 of them were found." in lines
    assert "| a lock is left out | calm | 90 | 3 |" in lines
    assert "| another | calm | 90 | not found |" in lines

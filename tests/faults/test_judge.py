"""The judges find what breaks a promise, and let pass what only looks odd."""

import pytest

from tests.faults.journal import Journal, Operation, Outcome, Verb
from tests.faults.judge import NoJudgeError, Verdict, judge, judge_by_rules, porcupine
from tests.faults.registers import entries_of

AT, RT = "rovi_at_s", "rovi_rt_s"
_S = 1_000_000_000


def op(
    verb: Verb, outcome: Outcome, begins: float, ends: float | None, subject: str = "code", *gave: str
) -> Operation:
    """An operation on one life; times in seconds."""
    returned = None if ends is None else int(ends * _S)
    return Operation(verb, "life", subject, outcome, int(begins * _S), returned, gave=gave)


def first(*tokens: str) -> Operation:
    return op("redeem", "ok", 0, 1, "code", *tokens)


REDEEMED = first(f"{AT}1", f"{RT}1")

# Name, history.
WRONG = {
    "a code is redeemed twice": [first(f"{AT}1"), op("redeem", "ok", 0.5, 2, "code", f"{AT}2")],
    "a code is redeemed after it was burned": [op("burn", "refused", 0, 1), op("redeem", "ok", 2, 3)],
    "a code that a lost answer may have used is refused to one and serves another": [
        op("redeem", "open", 0, None),
        op("redeem", "refused", 1, 2),
        op("redeem", "ok", 3, 4, "code", f"{AT}1"),
    ],
    "a stranger burns nothing while a redeemer is at work": [
        op("redeem", "open", 0, None),
        op("burn", "refused", 1, 2),
        op("redeem", "ok", 3, 4, "code", f"{AT}1"),
    ],
    "a refresh token is spent twice": [
        REDEEMED,
        op("refresh", "ok", 2, 4, f"{RT}1", f"{AT}2", f"{RT}2"),
        op("refresh", "ok", 2, 4, f"{RT}1", f"{AT}3", f"{RT}3"),
    ],
    "a family goes on after a spent token was used": [
        REDEEMED,
        op("refresh", "ok", 2, 3, f"{RT}1", f"{AT}2", f"{RT}2"),
        op("refresh", "refused", 4, 5, f"{RT}1"),
        op("refresh", "ok", 6, 7, f"{RT}2", f"{AT}3", f"{RT}3"),
    ],
    "a current refresh token is refused": [REDEEMED, op("refresh", "refused", 2, 3, f"{RT}1")],
    "a revoked token is active a second later": [
        REDEEMED,
        op("revoke", "ok", 2, 3, f"{AT}1"),
        op("introspect", "active", 4.1, 4.2, f"{AT}1"),
    ],
    "a token of a code that was used twice is active a second later": [
        REDEEMED,
        op("redeem", "refused", 2, 3),
        op("read", "active", 4.1, 4.2, f"{AT}1"),
    ],
    "a token is inactive without a reason": [REDEEMED, op("read", "inactive", 2, 3, f"{AT}1")],
    "a token revives": [
        REDEEMED,
        op("revoke", "open", 2, None, f"{AT}1"),
        op("read", "inactive", 3, 4, f"{AT}1"),
        op("read", "active", 5.1, 6, f"{AT}1"),
    ],
}

# The rules know no order of several operations.
ONLY_PORCUPINE = {
    "a code is redeemed after it was burned",
    "a code that a lost answer may have used is refused to one and serves another",
    "a stranger burns nothing while a redeemer is at work",
    "a family goes on after a spent token was used",
}

RIGHT = {
    "a token may be active for a second after it was revoked, in another process": [
        REDEEMED,
        op("revoke", "ok", 2, 3, f"{AT}1"),
        op("introspect", "inactive", 3.1, 3.2, f"{AT}1"),
        op("introspect", "active", 3.3, 3.4, f"{AT}1"),
        op("introspect", "inactive", 4.5, 4.6, f"{AT}1"),
    ],
    "a redemption whose answer was lost may have used the code": [
        op("redeem", "open", 0, None),
        op("redeem", "refused", 1, 2),
    ],
    "or left it": [op("redeem", "open", 0, None), op("redeem", "ok", 1, 2, "code", f"{AT}1")],
    "a loser of a race need not end what was not there yet": [
        op("redeem", "ok", 0, 3, "code", f"{AT}1", f"{RT}1"),
        op("redeem", "refused", 1, 2),
        op("introspect", "active", 5, 6, f"{AT}1"),
        op("refresh", "ok", 7, 8, f"{RT}1", f"{AT}2", f"{RT}2"),
    ],
    "a refresh whose answer was lost may have spent the token": [
        REDEEMED,
        op("refresh", "open", 2, None, f"{RT}1"),
        op("refresh", "refused", 3, 4, f"{RT}1"),
        op("read", "inactive", 5.5, 6, f"{AT}1"),
    ],
    "a revocation whose answer was lost may come late": [
        REDEEMED,
        op("revoke", "open", 2, None, f"{AT}1"),
        op("read", "active", 9, 10, f"{AT}1"),
        op("read", "inactive", 11, 12, f"{AT}1"),
    ],
}


@pytest.mark.parametrize("name", WRONG)
def test_what_breaks_a_promise_is_found(name: str) -> None:
    """R-1, R-3, R-11, R-12, R-16: each promise broken once."""
    entries = entries_of(Journal(WRONG[name]))
    assert bool(judge_by_rules(entries).violations) == (name not in ONLY_PORCUPINE)
    assert by_porcupine(name, WRONG[name]).violations


@pytest.mark.parametrize("name", RIGHT)
def test_what_a_fault_explains_is_let_pass(name: str) -> None:
    assert judge_by_rules(entries_of(Journal(RIGHT[name]))).violations == []
    verdict = by_porcupine(name, RIGHT[name])
    assert (verdict.violations, verdict.undecided) == ([], [])


def test_a_code_that_came_back_may_be_redeemed_only_where_valkey_was_set_back() -> None:
    """R-6: burning is Valkey's alone. Redeeming is PostgreSQL's, and stays."""
    burned = [op("burn", "refused", 0, 1), op("redeem", "ok", 2, 3, "code", f"{AT}1")]
    again = [*burned, op("redeem", "ok", 4, 5, "code", f"{AT}2")]
    assert by_porcupine("burned", burned).violations
    assert not by_porcupine("burned", burned, weak=True).violations
    assert by_porcupine("again", again, weak=True).violations


def by_porcupine(name: str, history: list[Operation], *, weak: bool = False) -> Verdict:
    try:
        return judge(porcupine(), entries_of(Journal(history), weak=weak))
    except NoJudgeError as error:
        pytest.skip(f"not shown by Porcupine: {name} ({error})")

"""A function's cost as its input grows: processor time of this thread, so that other work does not count."""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from app.oauth.passkey import AnswerError
from app.refused import RefusedError

Input = TypeVar("Input")

# A rule refuses by these; to refuse is to answer.
REFUSALS = (
    RefusedError,
    AnswerError,
    ValueError,
)

MOST = 12.0  # times as long, for ten times as much
_ROUNDS = (1, 2, 4, 8, 16)
_PAUSES_S = (0.0, 0.1, 0.5, 2.0)  # a machine's bad moment passes, and a cost that grows too fast does not
_MEASURED_S = 0.0005


def assert_grows_no_faster(run: Callable[[Input], object], few: Input, many: Input) -> None:
    """many: ten times as much as few.

    Who seems to fail is measured again, by the least of more and more rounds, and then at other moments.
    """
    with _no_collection():
        ratio = 0.0
        for pause_s in _PAUSES_S:
            time.sleep(pause_s)
            for rounds in _ROUNDS:
                ratio = _ratio(run, few, many, rounds)
                if ratio <= MOST:
                    return
    raise AssertionError(f"ten times the input takes {ratio:.1f} times as long")


def assert_costs_at_most(run: Callable[[Input], object], given: Input, *, seconds: float) -> None:
    with _no_collection():
        taken = min(_seconds(run, given, 1) for _ in _ROUNDS)
    assert taken <= seconds, f"it takes {taken:.3f} s"


def assert_passes_over_it(run: Callable[[str], object], given: str, *, most: int) -> None:
    """It costs no more than so many looks for a comma in all of it: it ends before anything is read."""
    with _no_collection():
        costs = [
            (_seconds(lambda text: text.count(","), given, most), _seconds(run, given, 1))
            for _ in range(2 * sum(_ROUNDS))
        ]
    looks_s, taken_s = (min(each) for each in zip(*costs, strict=True))
    assert taken_s <= looks_s, f"it takes {taken_s / looks_s:.1f} times as long as {most} looks at it"


def _ratio(run: Callable[[Input], object], few: Input, many: Input, rounds: int) -> float:
    of_few, of_many = _calls(run, few), _calls(run, many)
    costs = [
        (_seconds(run, few, of_few) / of_few, _seconds(run, many, of_many) / of_many) for _ in range(rounds)
    ]
    return min(cost for _, cost in costs) / min(cost for cost, _ in costs)


def _calls(run: Callable[[Input], object], given: Input) -> int:
    """How many take long enough to be measured."""
    calls = 1
    while _seconds(run, given, calls) < _MEASURED_S:
        calls *= 2
    return calls


def _seconds(run: Callable[[Input], object], given: Input, calls: int) -> float:
    began = time.thread_time()
    for _ in range(calls):
        with suppress(*REFUSALS):
            run(given)
    return time.thread_time() - began


@contextmanager
def _no_collection() -> Iterator[None]:
    """The garbage collector has its own times."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()

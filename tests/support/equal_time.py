"""Time two kinds of request in turns: whether one takes longer than the other, whatever else the machine does."""

import random
import socket
from collections.abc import Callable
from time import perf_counter_ns, sleep

from tests.support.depth import DEPTH

PAIRS = 300 * DEPTH

# How often one took longer than the other, of all the ways to pair them: 0.5 for two of one kind. They are asked in
# turns, so what else the machine does stretches both. Four standard deviations of 300 pairs, and eight of 3,000.
MOST_MEASUREMENTS = 10
MOST_APART = 0.08 if DEPTH == 1 else 0.06
_FIRST = 20  # what is not remembered yet is looked up once

Make = Callable[[], bytes]


class Caller:
    """One connection, and how long each of its requests takes. whole: judges what came so far of an answer."""

    def __init__(self, port: int, whole: Callable[[bytes], bool]) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._whole = whole

    def answered_after_us(self, request: bytes) -> float:
        """Microseconds from the first byte that is sent until the answer is whole."""
        began = perf_counter_ns()
        self._socket.sendall(request)
        answer = self._socket.recv(65_536)
        while not self._whole(answer):
            more = self._socket.recv(65_536)
            assert more, answer
            answer += more
        took = perf_counter_ns() - began
        return took / 1000

    def close(self) -> None:
        self._socket.close()


def share_longer(port: int, one: Make, other: Make, whole: Callable[[bytes], bool], *, pairs: int) -> float:
    """How likely a request of one kind takes longer than one of the other: the statistic of Mann and Whitney.

    pairs: requests of either kind that count. Twenty of each come before and do not. In every round chance decides which
    kind is asked first. Two kinds that are alike give 0.5.
    """
    caller = Caller(port, whole)
    times: dict[Make, list[float]] = {one: [], other: []}
    try:
        for round_number in range(pairs + _FIRST):
            for make in random.sample((one, other), 2):
                took = caller.answered_after_us(make())
                if round_number >= _FIRST:
                    times[make].append(took)
    finally:
        caller.close()
    return sum(mine > theirs for mine in times[one] for theirs in times[other]) / pairs**2


def assert_alike(
    port: int,
    one: Make,
    other: Make,
    whole: Callable[[bytes], bool],
    *,
    pairs: int = PAIRS,
    most_apart: float = MOST_APART,
) -> None:
    """Measured again where something else came in between; a difference that is there stays, however often it is measured.

    It fails once ten measurements in a row were `most_apart` or more from 0.5.
    """
    shares: list[float] = []
    while not shares or abs(shares[-1] - 0.5) >= most_apart:
        assert len(shares) < MOST_MEASUREMENTS, shares
        sleep(0.2 * len(shares))  # a crowd on the machine passes
        shares.append(share_longer(port, one, other, whole, pairs=pairs))

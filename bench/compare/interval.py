"""The ratio of two costs over rounds: the Hodges-Lehmann estimate and Wilcoxon's signed-rank interval, on logarithms.

Both rest on all rounds and no distribution. A round that a busy machine spoiled moves them little, and stays counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from math import exp, inf, log
from statistics import median

_LEFT_OUT = 0.05


@dataclass(frozen=True, slots=True)
class Interval:
    """The ratio, and between what it lies with 95 % certainty; fewer than six rounds are certain of nothing."""

    ratio: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.ratio:.3f} ({self.low:.3f} to {self.high:.3f})"


def interval_of(ratios: Sequence[float]) -> Interval:
    logs = [log(ratio) for ratio in ratios]
    means = sorted((one + other) / 2 for one, other in combinations_with_replacement(logs, 2))
    rank = critical_rank(len(logs))
    if rank is None:
        return Interval(exp(median(means)), 0.0, inf)
    return Interval(exp(median(means)), exp(means[rank]), exp(means[-1 - rank]))


def critical_rank(count: int) -> int | None:
    """The largest sum of signed ranks that is below 2.5 % likely, as the tables have it; None where there is none."""
    ways = [1]  # of the signs of the first ranks, how many give each sum
    for rank in range(1, count + 1):
        without, within = ways + [0] * rank, [0] * rank + ways
        ways = [one + other for one, other in zip(without, within, strict=True)]
    most, seen = 2**count * _LEFT_OUT / 2, 0
    for total, each in enumerate(ways):
        seen += each
        if seen > most:
            return total - 1 if total else None
    return None

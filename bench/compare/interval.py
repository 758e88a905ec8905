"""The ratio of two costs over rounds: Hodges and Lehmann's estimate, and Wilcoxon's signed-rank interval, on logarithms.

Both use all rounds, and assume no distribution. A round that a busy machine spoiled counts, and moves them little.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from math import exp, inf, log
from statistics import median

_LEFT_OUT = 0.05


@dataclass(frozen=True, slots=True)
class Interval:
    """A ratio, and the bounds that hold it with 95 % certainty; fewer than six rounds bound nothing."""

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
    """Find the largest signed-rank sum that, or less, comes in 2.5 % of cases at most; None when there is none."""
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

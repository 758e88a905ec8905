"""Full collections of garbage come while they are short: they look at all that open connections hold (R-110).

The paths of requests make no circles, so collections find next to nothing.
"""

import gc

# Collections of the middle generation, each after some six thousand objects, before a full one is due, and before Python
# makes it by itself.
_DUE, _OVERDUE = 1_000, 10_000
# Open connections: a thousand with requests that waited for their bodies made it 60 ms long.
_FEW = 100


def collect_rarely() -> None:
    """What is there now stays for ever: without it in every collection, the slowest answers are 5 times faster."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(2_000, 2, _OVERDUE)  # those of the young take some ms this way


def collect_if_short(connections: int) -> None:
    """Make a full collection if it is due. connections: that are open."""
    if connections <= _FEW and gc.get_count()[2] >= _DUE:
        gc.collect()

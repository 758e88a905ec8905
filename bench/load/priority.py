"""Which program goes first where several share a processor."""

import os


def stand_back() -> None:
    """Run this process only while no other wants its processor, as if it were on another machine.

    Lowest priority is not enough: a program of low priority still finishes its slice of some milliseconds before another
    that wakes. Linux's idle class (`SCHED_IDLE`, sched(7)) is interrupted at once. Other systems get the lowest priority.
    """
    os.nice(19)
    if hasattr(os, "SCHED_IDLE"):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))

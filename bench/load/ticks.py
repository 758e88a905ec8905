"""A clock that ticks finer than the event loop's own timers, whose grain is a millisecond (Linux)."""

import ctypes
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class _Spec(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_long) for name in ("interval_s", "interval_ns", "first_s", "first_ns"))


@contextmanager
def ticking(interval_s: float) -> Iterator[int]:
    """A descriptor that becomes readable every so often; read 8 bytes of it to wait for the next time."""
    if not sys.platform.startswith("linux"):
        raise OSError("the open model needs Linux for its clock (timerfd)")
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = libc.timerfd_create(time.CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), "timerfd_create")
    try:
        nanoseconds = round(interval_s * 1e9)
        spec = _Spec(0, nanoseconds, 0, nanoseconds)
        if libc.timerfd_settime(descriptor, 0, ctypes.byref(spec), None) < 0:
            raise OSError(ctypes.get_errno(), "timerfd_settime")
        yield descriptor
    finally:
        os.close(descriptor)

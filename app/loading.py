"""Modules load without Python looking for garbage: they make many objects and hardly any, which takes a tenth of the time."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collections() -> Iterator[None]:
    """Python looks for no garbage until the block ends."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()

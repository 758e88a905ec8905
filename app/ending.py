"""Tasks that would go on for ever, and their end."""

import asyncio
from typing import Any

_AGAIN_S = 5.0  # longer than a clean-up takes: to cut one short leaves its own tasks behind


async def end(*tasks: asyncio.Task[Any], again_s: float = _AGAIN_S) -> None:
    """Cancel them, and again until all have ended, whatever they end with.

    One cancellation is not always enough: a clean-up that fails puts its own error in the cancellation's place, and
    an endless loop takes that for one failed round of many.
    """
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=again_s)

"""Look up what is remembered at once, and what is not by the way that its asker's failures leave open."""

from uuid import UUID

from app.oauth.errors import too_many_failures
from app.storage.postgres.remembered import Remembered, Value
from app.throttling.failures import Failures, LaneFullError


async def look_up(
    failures: Failures, remembered: Remembered[UUID, Value], key: UUID, asker: str
) -> Value | None:
    """None for what is not there, which counts as the asker's failure; above its limit it waits in a lane of its own."""
    found = remembered.recall(key)
    if found is not None:
        return found
    if not failures.over(asker):
        found = await remembered.ask(key)
    else:
        try:
            async with failures.lane(asker):
                found = await remembered.ask(key)
        except LaneFullError as full:
            raise too_many_failures("its lane is full") from full
    if found is None:
        failures.note(asker)
    return found

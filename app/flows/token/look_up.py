"""Look up what is remembered at once, and what is not by the way that its asker's failures leave open."""

from uuid import UUID

from app.context import Context
from app.oauth.errors import too_many_failures
from app.process.failures import LaneFullError
from app.storage.postgres.remembered import Remembered, Value


async def look_up(
    context: Context, remembered: Remembered[UUID, Value], key: UUID, asker: str
) -> Value | None:
    """None for what is not there, which counts as the asker's failure; above its limit it waits in a lane of its own."""
    found = remembered.recall(key)
    if found is not None:
        return found
    failures = context.failures
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

"""Look something up, in a lane for callers who failed too often lately, and note failures."""

from collections.abc import Awaitable, Coroutine
from typing import Any, TypeVar
from uuid import UUID

from app.oauth.errors import OAuthError, too_many_failures
from app.storage.postgres.remembered import Remembered, Value
from app.throttling.failures import Failures, LaneFullError

Answer = TypeVar("Answer")


async def look_up(
    failures: Failures, remembered: Remembered[UUID, Value], key: UUID, asker: str
) -> Value | None:
    """The remembered value at once, else the store's in turn. None is noted as the asker's failure.

    Raises OAuthError 429 when the asker failed too often and the lane is full.
    """
    found = remembered.recall(key)
    if found is not None:
        return found
    found = await in_turn(failures, asker, remembered.ask(key))
    if found is None:
        failures.note(asker)
    return found


async def in_turn(failures: Failures, asker: str | None, asking: Coroutine[Any, Any, Answer]) -> Answer:
    """Ask a store at once, or in the lane of an asker who failed too often.

    asker: None for a caller who is never slowed.
    Raises OAuthError 429 when the lane is full; then nothing was asked.
    """
    if asker is None or not failures.over(asker):
        return await asking
    try:
        async with failures.lane(asker):
            return await asking
    except LaneFullError as full:
        raise too_many_failures("its lane is full") from full
    finally:
        asking.close()  # it may never have begun


def redeem_in_turn(
    failures: Failures, asker: str | None, redeeming: Coroutine[Any, Any, Answer]
) -> Awaitable[Answer]:
    """Redeem a code or token in turn; only invalid_grant is noted as the asker's failure.

    asker: None for a caller who is never slowed.
    Raises OAuthError 429 when the lane is full, and what redeeming raises.
    """
    return redeeming if asker is None else _redeem(failures, asker, redeeming)


async def _redeem(failures: Failures, asker: str, redeeming: Coroutine[Any, Any, Answer]) -> Answer:
    try:
        if not failures.over(asker):
            return await redeeming
        return await in_turn(failures, asker, redeeming)
    except OAuthError as refused:
        if refused.code == "invalid_grant":
            failures.note(asker)
        raise

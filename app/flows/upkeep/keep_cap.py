"""Tokens beyond the cap of a pair are found again: at start, hourly, and after a failure."""

import asyncio
import random
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from app.context import Context
from app.flows.token.revoke_surplus import find_surplus, newest_token_at
from app.storage.errors import PassingError

_EVERY_S = 3600
_AGAIN_S = 2.0
# The ids have the times of the machines that made them.
_CLOCKS_APART = timedelta(minutes=10)
# Before the newest token: whoever issued earlier ones lived for an hour after them, and looked.
_BEFORE_START = timedelta(hours=2)

_log = structlog.get_logger()


async def keep_cap_for_ever(context: Context) -> None:
    """Look once an hour in every process, and soon after work that followed an answer has failed, until cancelled."""
    since: datetime | None = None
    while True:
        context.background.failed.clear()
        began_at = context.now()
        pause_s = _EVERY_S * random.uniform(0.9, 1.1)  # noqa: S311  # spreads processes, guards nothing
        try:
            since = since or await _beginning(context, began_at)
            if ended := await find_surplus(context, since, began_at + _CLOCKS_APART):
                _log.info("tokens beyond the cap ended", tokens=ended)
            since = began_at - _CLOCKS_APART
        except PassingError:
            pause_s = _AGAIN_S
        except Exception:  # noqa: BLE001  # nobody awaits this task, and in an hour it may go well
            _log.exception("looking for tokens beyond the cap failed")
        with suppress(TimeoutError):
            await asyncio.wait_for(context.background.failed.wait(), pause_s)
            await asyncio.sleep(_AGAIN_S)


async def _beginning(context: Context, now: datetime) -> datetime:
    newest = await newest_token_at(context)
    return (min(newest, now) if newest is not None else now) - _BEFORE_START

"""Last uses of secrets and keys: noted in memory where an application proves itself, written once a minute, and listed."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import structlog

from app.context import Context
from app.oauth.assertion import key_digests
from app.oauth.client import Client
from app.storage.errors import PassingError
from app.storage.people.client_keys import select_client_keys
from app.storage.people.credential_uses import upsert_credential_uses

_EVERY_S = 60.0

_log = structlog.get_logger()


async def write_uses_for_ever(context: Context, stopping: asyncio.Event) -> None:
    """Write until told to stop, and then what is left. Who tells it wakes it by `context.credential_uses.due`."""
    while not stopping.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(context.credential_uses.due.wait(), _EVERY_S)
        await write_uses(context)


async def write_uses(context: Context) -> None:
    """Write what waits, in one statement. What cannot be written waits on."""
    taken = context.credential_uses.take(context.now())
    if not taken:
        return
    try:
        await upsert_credential_uses(context.database, taken)
    except Exception as fault:  # noqa: BLE001  # nobody awaits the task that calls this
        context.credential_uses.put_back(taken)
        if isinstance(fault, PassingError):
            _log.warning("uses of secrets wait for the database", secrets=len(taken), detail=str(fault))
        else:
            _log.exception("uses of secrets could not be written", secrets=len(taken))


@dataclass(frozen=True, slots=True)
class ListedKey:
    """A key as its owner sees it. created_at: when it was registered here.

    used_at: to the hour; None when nobody used it for 400 days.
    """

    kid: str
    created_at: datetime
    used_at: datetime | None


async def list_keys(context: Context, client: Client) -> tuple[ListedKey, ...]:
    """In the order of the key set."""
    if client.jwks is None:
        return ()
    known = await select_client_keys(context.database, client.id)
    return tuple(ListedKey(kid, *known[digest]) for kid, digest in key_digests(client.jwks).items())

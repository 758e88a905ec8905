"""Refused requests for the owners of applications: gathered off the request path, kept for a week, found by reference."""

import asyncio
from contextlib import suppress
from uuid import UUID

import structlog

from app.context import Context
from app.flows.token.explain_token import find_reasons
from app.process.refused_requests import RefusedRequest
from app.storage.errors import PassingError
from app.storage.people.application_owners import select_owned_ids
from app.storage.people.people import Person
from app.storage.token.refused_requests import (
    KeptRefusal,
    insert_refused_requests,
    select_refusals,
    select_refusals_of_reference,
)

_EVERY_S = 2.0
_NEWEST = UUID(int=(1 << 128) - 1)

_log = structlog.get_logger()


async def write_refused_for_ever(context: Context, stopping: asyncio.Event) -> None:
    """Write until told to stop, and then what is left. Who tells it wakes it by `context.refused_requests.due`."""
    while not stopping.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(context.refused_requests.due.wait(), _EVERY_S)
        await write_refused(context)


async def write_refused(context: Context) -> None:
    """Write what waits. What cannot be written is lost: the log has it too."""
    refused, left_out = context.refused_requests.take()
    if left_out:
        _log.info("refused requests not kept", requests=left_out, detail="too many came at once")
    if not refused:
        return
    try:
        kept = [await _kept(context, each) for each in refused]
        async with context.database.transaction() as transaction:
            await insert_refused_requests(transaction, kept)
    except PassingError as passing:
        _log.warning("refused requests not kept", requests=len(refused), detail=str(passing))
    except Exception:  # noqa: BLE001  # nobody awaits the task that calls this
        _log.exception("refused requests could not be written", requests=len(refused))


async def _kept(context: Context, refused: RefusedRequest) -> KeptRefusal:
    """The owner of a token that was sent is told why it is dead, which its answer must not tell (O-77)."""
    application_id, detail = refused.application_id, refused.detail
    if refused.token is not None and (found := await find_reasons(context, refused.token)):
        application_id, reasons = found
        detail = "; ".join((detail, *reasons))
    return KeptRefusal(
        refused.id,
        refused.at,
        refused.reference,
        application_id,
        refused.path,
        refused.status,
        refused.error,
        detail,
    )


async def list_refused(
    context: Context, application_id: UUID, *, before: UUID | None = None, most: int
) -> tuple[KeptRefusal, ...]:
    """The newest of an application. before: the id of the last one of the page before."""
    return await select_refusals(context.database, application_id, before=before or _NEWEST, most=most)


async def find_refused(context: Context, person: Person, reference: str) -> tuple[KeptRefusal, ...]:
    """What was refused under a reference: of the person's own applications, and what names none that is known."""
    own = await select_owned_ids(context.database, person.id)
    found = await select_refusals_of_reference(context.database, reference)
    return tuple(each for each in found if each.application_id is None or each.application_id in own)

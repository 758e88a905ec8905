"""Upkeep: partitions made and dropped, past rows deleted in small batches, signing keys and Last24 figures kept."""

import asyncio
from dataclasses import asdict, dataclass

import structlog

from app.context import Context
from app.flows.account.second_factor import keep_totp_sealed
from app.flows.fleet.last_24 import refresh_last_24
from app.flows.manual.expire import expire_requests
from app.flows.upkeep.erase_closed import erase_closed_accounts
from app.flows.upkeep.signing_keys import keep_signing_keys
from app.flows.upkeep.tell_application_owners import tell_of_own_ends, tell_of_secrets
from app.flows.upkeep.tell_ends import tell_of_ends
from app.storage.errors import PassingError
from app.storage.fleet.fleet_changes import delete_past_moves
from app.storage.fleet.fleet_import import ingest
from app.storage.fleet.unchanged import call_delete_past_fleet_changes
from app.storage.mail.outbox import mark_mails_given_up
from app.storage.schema.diagnosis import select_database_facts
from app.storage.schema.maintenance import call_create_partitions, call_delete_past_rows
from app.storage.schema.partitions import drop_past_partitions

_EVERY_S = 3600
_BATCH = 1000

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Maintained:
    """The work of one run. partitions_postponed: past, but in use; the next run tries again.

    machines_refreshed: how many had their figures of the last 24 hours computed anew.
    mails_given_up: not handed over within three days. accounts_erased: closed 30 days ago.
    ends_told: connections whose owners were told that they end in 30 days. requests_ended: those of the manual route
    whose time is over. notices_sent: mails to owners of applications, about ends and secrets.
    """

    partitions_created: int
    partitions_dropped: tuple[str, ...]
    partitions_postponed: tuple[str, ...]
    rows_deleted: int
    machines_refreshed: int
    mails_given_up: int
    accounts_erased: int
    ends_told: int
    requests_ended: int
    notices_sent: int


async def maintain(context: Context, owner_url: str) -> Maintained:
    created = await call_create_partitions(context.database)
    partitions = await drop_past_partitions(owner_url)
    deleted = await keep_signing_keys(context)
    await keep_totp_sealed(context)
    given_up = await mark_mails_given_up(context.database)
    async with ingest(context.database) as transaction:
        deleted += await delete_past_moves(transaction)
    deleted += await call_delete_past_fleet_changes(context.database)
    while batch := await call_delete_past_rows(context.database, _BATCH):
        deleted += batch
        await asyncio.sleep(0)
    refreshed = await refresh_last_24(context)
    erased = await erase_closed_accounts(context)
    told = await tell_of_ends(context)
    ended = await expire_requests(context)
    notices = await tell_of_own_ends(context) + await tell_of_secrets(context)
    return Maintained(
        created,
        partitions.dropped,
        partitions.postponed,
        deleted,
        refreshed,
        given_up,
        erased,
        told,
        ended,
        notices,
    )


async def warn_of_forgetting(context: Context) -> None:
    """Say it in production where PostgreSQL writes nothing down at once, though a provider may know why."""
    if not context.policy.development and not (await select_database_facts(context.database)).fsync:
        _log.warning(
            "PostgreSQL forgets in a power cut",
            detail="fsync is off: answered tokens may be lost, or the whole database; set fsync = on, unless the "
            "provider keeps other copies of every commit",
        )


async def maintain_for_ever(context: Context, owner_url: str) -> None:
    """Maintain once an hour in the process that leads, until cancelled. A new leader does so at once.

    A lock proves nothing to who was frozen, so the statements step aside for those of another run all the same.
    """
    while True:
        await context.changes.leads.wait()
        try:
            await warn_of_forgetting(context)
            done = await maintain(context, owner_url)
            _log.info("maintained", **asdict(done))
        except PassingError as passing:
            _log.warning("maintenance postponed", detail=str(passing))
        except Exception:  # noqa: BLE001  # nobody awaits this task, and in an hour it may go well
            _log.exception("maintenance failed")
        await asyncio.sleep(_EVERY_S)

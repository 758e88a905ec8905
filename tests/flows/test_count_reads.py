"""Counts of reads are written for all in one statement, sooner where they are many, and told by day."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from structlog.testing import capture_logs

from app.aemp.address.read_kind import ReadKind
from app.context import Context
from app.flows.approval.connections import list_connections
from app.flows.fleet.count_reads import note_read, reads_by_day, write_reads, write_reads_for_ever
from app.flows.token.check_token import AccessToken, check_token
from app.oauth.token_string import parse
from app.process.reads import Reads
from tests.support.changing import until, until_true
from tests.support.families import HERE, begin, refresh
from tests.support.people import Strict
from tests.support.reads import reads_of
from tests.support.stores import context_through_proxy
from tests.web.services import unreachable_database


@dataclass(frozen=True, slots=True)
class Reader:
    """A customer, an application's token, and a process of its own."""

    context: Context
    token: AccessToken
    customer_id: UUID

    @classmethod
    async def connect(cls, context: Context, **reads: int) -> "Reader":
        """reads: the bounds of what is gathered."""
        strict = await Strict.register(context)
        text = (await refresh(context, strict, await begin(context, strict))).access
        token = await check_token(context, parse(text), HERE)
        assert token is not None
        return cls(replace(context, reads=Reads(**reads)), token, strict.member.customer_id)

    def read(self, kind: ReadKind, machine: int = 0, *, ago: timedelta = timedelta()) -> None:
        then = replace(self.context, now=lambda: self.context.now() - ago)
        note_read(then, self.customer_id, self.token, kind, equipment_key=machine)

    async def rows(self) -> list[tuple[int, int, int, int]]:
        return await reads_of(self.context, self.customer_id)


@asynccontextmanager
async def writing(context: Context) -> AsyncIterator[asyncio.Event]:
    """A process that writes; the event stops it, as the end of the block does."""
    stopping = asyncio.Event()
    task = asyncio.create_task(write_reads_for_ever(context, stopping))
    try:
        yield stopping
    finally:
        stopping.set()
        context.reads.due.set()
        await task


async def test_all_that_waits_is_one_statement(context: Context, database_url: str) -> None:
    """It serves several customers and machines, and the rows that hold all reads of a kind."""
    readers = [await Reader.connect(context) for _ in range(3)]
    async with context_through_proxy(context, database_url, connections=1) as (through, proxy):
        process = replace(through, reads=Reads())
        # By which its connection becomes the service, and learns of the types.
        replace(readers[0], context=process).read(ReadKind.FLEET_PAGE)
        await write_reads(process)
        for reader in readers:
            for machine in range(50):
                replace(reader, context=process).read(ReadKind.MACHINE, machine)
        before = proxy.statements_asked()
        await write_reads(process)
        assert proxy.statements_asked() - before == 1
    for reader in readers:
        rows = [row for row in await reader.rows() if row[0] == ReadKind.MACHINE]
        assert len(rows) == 50
        assert rows[0] == (ReadKind.MACHINE, 0, 1, 50)


async def test_many_rows_do_not_wait_for_the_next_round(context: Context) -> None:
    """So many that they are more than one statement's."""
    reader = await Reader.connect(context, soon=2, most=1000)
    for machine in range(1, 10):
        reader.read(ReadKind.MACHINE, machine)
    async with asyncio.timeout(2), writing(reader.context):  # a round takes 5 seconds
        await until(lambda: not len(reader.context.reads))

        async def written() -> bool:
            return len(await reader.rows()) == 10

        await until_true(written)


async def test_a_process_that_stops_writes_what_is_left(context: Context) -> None:
    reader = await Reader.connect(context)
    async with writing(reader.context):
        await asyncio.sleep(0)
        reader.read(ReadKind.FLEET_PAGE)
        assert await reader.rows() == []
    assert await reader.rows() == [(ReadKind.FLEET_PAGE, 0, 1, 1)]


async def test_what_is_lost_is_told(context: Context) -> None:
    """Above the bound while PostgreSQL is away; and whatever is left when the process stops meanwhile."""
    async with unreachable_database() as database:
        reader = await Reader.connect(context, soon=2, most=3)
        away = replace(reader, context=replace(reader.context, database=database))
        for machine in range(1, 6):
            away.read(ReadKind.MACHINE, machine)
        with capture_logs() as logs:
            async with writing(away.context):
                pass
    told = {log["event"]: log for log in logs}
    assert told["reads were not counted"]["reads"] == 2
    assert told["counts of reads are lost"]["rows"] == 3
    assert await reader.rows() == []


async def test_a_statement_that_is_refused_loses_nothing_either(context: Context) -> None:
    """A fault of ours is told with its trace, and the counts wait for who repairs it."""
    reader = await Reader.connect(context)
    wrong = replace(reader, token=replace(reader.token, connection_version=-1))
    wrong.read(ReadKind.FLEET_PAGE)
    with capture_logs() as logs:
        await write_reads(reader.context)
    told = [(log["event"], log["log_level"]) for log in logs if "reads" in log["event"]]
    assert told == [("counts of reads could not be written", "error")]
    assert len(reader.context.reads) == 1


async def test_reads_are_told_by_day_and_kind(context: Context) -> None:
    reader = await Reader.connect(context)
    today = context.now().date()
    day = timedelta(days=1)
    for ago, kind, machine, count in (
        (0 * day, ReadKind.FLEET_PAGE, 0, 3),
        (0 * day, ReadKind.LOCATIONS, 7, 2),
        (0 * day, ReadKind.LOCATIONS, 8, 1),
        (6 * day, ReadKind.FLEET_PAGE, 0, 1),
        (7 * day, ReadKind.FLEET_PAGE, 0, 5),
    ):
        for _ in range(count):
            reader.read(kind, machine, ago=ago)
    other = await Reader.connect(context)
    other.read(ReadKind.FLEET_PAGE)
    for each in (reader, other):
        await write_reads(each.context)
    told = await reads_by_day(context, reader.customer_id, reader.token.application_id, 7)
    assert [(each.day, each.kind, each.reads) for each in told] == [
        (today - 6 * day, ReadKind.FLEET_PAGE, 1),
        (today, ReadKind.FLEET_PAGE, 3),
        (today, ReadKind.LOCATIONS, 3),
    ]
    assert all(each.last_at.date() == each.day for each in told)
    assert await reads_by_day(context, reader.customer_id, other.token.application_id, 7) == ()


async def test_a_list_tells_the_last_read_of_any_age_and_the_reads_of_30_days(context: Context) -> None:
    reader = await Reader.connect(context)

    async def told() -> tuple[object, int]:
        await write_reads(reader.context)
        [connected] = await list_connections(context, reader.customer_id)
        last_read_at = connected.connection.last_read_at
        return last_read_at and context.now() - last_read_at, connected.connection.reads_30_days

    assert await told() == (None, 0)
    for days, reads in ((90, 0), (30, 0), (29, 1), (1, 2)):
        reader.read(ReadKind.SERIES, 7, ago=timedelta(days=days))
        age, counted = await told()
        assert isinstance(age, timedelta)
        assert age.days == days
        assert counted == reads

"""What counting a read costs the request that it counts: memory alone, and next to no time."""

import gc
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import uuid4

import pytest

from app.aemp.address.addresses import parse_address
from app.aemp.address.paging import Asked
from app.aemp.address.read_kind import read_kind
from app.context import Context
from app.flows.fleet.count_reads import note_read
from app.flows.token.check_token import check_token
from app.oauth.token_string import parse
from app.process.reads import Reads
from app.storage.token.reads import ReadKey
from tests.support.families import HERE, begin, refresh
from tests.support.people import Strict

MOST = 20  # looks at the clock, which are two microseconds where one takes 0.1
_CALLS, _ROUNDS = 20_000, 7


@pytest.mark.alone
async def test_counting_a_read_costs_twenty_looks_at_the_clock_at_most(context: Context) -> None:
    """Processor time without that of a call: for a page of the fleet, and for each of a hundred machines in turn."""
    strict = await Strict.register(context)
    text = (await refresh(context, strict, await begin(context, strict))).access
    token = await check_token(context, parse(text), HERE)
    assert token is not None
    counting = replace(context, reads=Reads())
    customer_id = strict.member.customer_id
    page = parse_address(Asked("Fleet/1", ""))
    machine = parse_address(Asked("Fleet/Equipment/X/Locations", ""))

    def count_page(_: int) -> None:
        note_read(counting, customer_id, token, read_kind(page, aemp_1_2=False), equipment_key=0)

    def count_machine(number: int) -> None:
        kind = read_kind(machine, aemp_1_2=False)
        note_read(counting, customer_id, token, kind, equipment_key=number % 100)

    empty_s = least_of(lambda _: None)
    look_s = least_of(lambda _: datetime.now(UTC)) - empty_s
    for count in (count_page, count_machine):
        assert least_of(count) - empty_s <= MOST * look_s
    assert sum(each.reads for each in counting.reads.take().values()) == 2 * _CALLS * _ROUNDS


def least_of(run: Callable[[int], object]) -> float:
    """Seconds of one call."""
    gc.disable()
    try:
        return min(_seconds(run) for _ in range(_ROUNDS)) / _CALLS
    finally:
        gc.enable()


def _seconds(run: Callable[[int], object]) -> float:
    began = time.thread_time()
    for number in range(_CALLS):
        run(number)
    return time.thread_time() - began


def test_what_waits_while_postgresql_is_away_is_bounded(context: Context) -> None:
    """Where no two reads are alike it holds most: 25 MB, and no more afterwards."""
    reads = Reads()
    now = context.now()
    tracemalloc.start()
    try:
        for _ in range(60_000):
            reads.note(ReadKey(uuid4(), uuid4(), now.microsecond, date(now.year, 1, 1), 1, 1), context.now())
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(reads) == 50_000
    assert reads.forget_lost() == 10_000
    assert held <= 30_000_000

"""Counts of reads in memory: gathered by key, bounded, and told where they are lost."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from app.process.reads import Reads
from app.storage.token.reads import Count, ReadKey

AT = datetime(2026, 5, 4, 12, tzinfo=UTC)
LATER = AT + timedelta(seconds=1)


def key(machine: int) -> ReadKey:
    return ReadKey(UUID(int=1), UUID(int=2), machine, date(2026, 5, 4), 1, 1)


def test_reads_of_one_key_are_one_row_with_the_time_of_the_last() -> None:
    reads = Reads()
    for at in (AT, LATER):
        reads.note(key(0), at)
    assert reads.take() == {key(0): Count(2, LATER)}
    assert reads.take() == {}


def test_the_oldest_rows_are_taken_first_and_as_many_as_are_written_at_once() -> None:
    reads = Reads(soon=2, most=10)
    for machine in (1, 2, 3, 1):
        reads.note(key(machine), AT)
    assert reads.take() == {key(1): Count(2, AT), key(2): Count(1, AT)}
    assert reads.take() == {key(3): Count(1, AT)}


def test_many_rows_are_due_at_once() -> None:
    """Once: while PostgreSQL is away, each further row would have it asked again."""
    reads = Reads(soon=2, most=10)
    for machine in (1, 1):
        reads.note(key(machine), AT)
        assert not reads.due.is_set()
    reads.note(key(2), AT)
    assert reads.due.is_set()
    reads.due.clear()
    reads.note(key(3), AT)
    assert not reads.due.is_set()


def test_what_is_put_back_is_added_to_what_came_meanwhile_and_stays_the_oldest() -> None:
    reads = Reads(soon=2, most=10)
    for machine in (1, 2):
        reads.note(key(machine), AT)
    taken = reads.take()
    for machine in (3, 2):
        reads.note(key(machine), LATER)
    reads.put_back(taken)
    assert reads.take() == {key(1): Count(1, AT), key(2): Count(2, LATER)}
    assert reads.take() == {key(3): Count(1, LATER)}
    assert reads.forget_lost() == 0


def test_above_the_bound_only_new_rows_are_lost_and_it_is_told_how_many_reads_once() -> None:
    reads = Reads(soon=1, most=2)
    for machine in (1, 2, 3, 3, 1):
        reads.note(key(machine), AT)
    assert len(reads) == 2
    assert reads.forget_lost() == 2
    assert reads.forget_lost() == 0
    assert reads.take() == {key(1): Count(2, AT)}


def test_what_came_meanwhile_makes_room_for_what_is_put_back() -> None:
    """The older rows stay; the newer ones above the bound are lost and counted, with all their reads."""
    reads = Reads(soon=2, most=2)
    for machine in (1, 2):
        reads.note(key(machine), AT)
    taken = reads.take()
    for machine in (3, 3, 2):
        reads.note(key(machine), LATER)
    reads.put_back(taken)
    assert reads.take() == {key(1): Count(1, AT), key(2): Count(2, LATER)}
    assert reads.forget_lost() == 2

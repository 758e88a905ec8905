"""The memory of finished pages is bounded, for all and for each customer."""

import time
from uuid import UUID, uuid4

import pytest

from app.process.pages import Page, PageKey, Pages, rows_of
from app.storage.fleet.view import FleetView
from app.storage.postgres.changes import Changes

MOST = 100_000


@pytest.fixture
def changes() -> Changes:
    heard = Changes()
    heard.believed_until = float("inf")
    return heard


@pytest.fixture
def pages(changes: Changes) -> Pages:
    return Pages(changes, most_bytes=MOST)


def key(customer_id: UUID, number: int) -> PageKey:
    return PageKey(FleetView(customer_id), b"/api/v2/Fleet/%d" % number, "xml")


def page(size: int) -> Page:
    return Page("tag", b"x" * size, rows_of((), (), (), (), b""), None, 1, "1:1:", 0)


def test_one_customer_has_a_quarter_and_loses_what_it_used_longest_ago(pages: Pages) -> None:
    mine, other = uuid4(), uuid4()
    pages.put(key(other, 1), page(5_000))
    for number in range(4):
        pages.put(key(mine, number), page(5_000))
    assert pages.recall(key(mine, 0)) is not None  # used, so the next is older
    pages.put(key(mine, 4), page(5_000))
    assert [number for number in range(5) if pages.recall(key(mine, number))] == [0, 2, 3, 4]
    assert pages.recall(key(other, 1)) is not None
    assert pages.bytes <= MOST // 4 + 7_000


def test_all_together_have_the_whole_and_no_more(pages: Pages) -> None:
    customers = [uuid4() for _ in range(100)]
    for each in customers:
        pages.put(key(each, 1), page(5_000))
        assert pages.bytes <= MOST
    kept = [each for each in customers if pages.recall(key(each, 1))]
    assert kept == customers[-len(kept) :]
    assert 10 < len(kept) < 20


def test_what_is_too_large_is_not_kept_and_displaces_nothing(pages: Pages) -> None:
    mine = uuid4()
    pages.put(key(mine, 1), page(1_000))
    pages.put(key(mine, 2), page(MOST // 4))
    assert pages.recall(key(mine, 2)) is None
    assert pages.recall(key(mine, 1)) is not None


def test_what_is_put_again_is_counted_once_and_what_is_forgotten_is_gone(pages: Pages) -> None:
    mine = uuid4()
    for size in (5_000, 2_000, 3_000):
        pages.put(key(mine, 1), page(size))
    assert 3_000 < pages.bytes < 5_000
    pages.forget(key(mine, 1))
    pages.forget(key(mine, 1))
    assert (pages.bytes, pages.recall(key(mine, 1))) == (0, None)


def test_a_memory_of_no_bytes_remembers_nothing(changes: Changes) -> None:
    pages, mine = Pages(changes, most_bytes=0), uuid4()
    pages.put(key(mine, 1), page(1))
    assert pages.recall(key(mine, 1)) is None


def test_a_change_of_the_customer_or_a_gap_in_hearing_ends_it(pages: Pages, changes: Changes) -> None:
    mine, other = uuid4(), uuid4()
    for each in (mine, other):
        pages.put(key(each, 1), page(10))
    changes.note(mine)
    assert pages.recall(key(mine, 1)) is None
    assert pages.recall(key(other, 1)) is not None
    changes.believed_until = 0.0
    assert pages.recall(key(other, 1)) is None


def test_a_page_is_believed_for_half_as_long_as_changes_are_known(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = uuid4()
    pages.put(key(mine, 1), page(10))
    monkeypatch.setattr("app.process.pages.BELIEVED_FOR_S", -1.0)
    assert pages.recall(key(mine, 1)) is not None
    pages.put(key(mine, 1), page(10))
    assert pages.recall(key(mine, 1)) is None


def test_what_was_made_of_a_page_is_believed_no_longer_than_it(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, first, second, third = uuid4(), page(10), page(20), page(30)
    pages.renew(key(mine, 1), first, second)
    assert pages.recall(key(mine, 1)) is None  # there is nothing that it could be made of
    monkeypatch.setattr("app.process.pages.BELIEVED_FOR_S", 0.2)
    pages.put(key(mine, 1), first)
    monkeypatch.setattr("app.process.pages.BELIEVED_FOR_S", 1_800.0)
    pages.renew(key(mine, 1), first, second)
    assert pages.recall(key(mine, 1)) is second
    pages.renew(key(mine, 1), first, third)  # another reader was faster
    assert pages.recall(key(mine, 1)) is second
    time.sleep(0.25)
    assert pages.recall(key(mine, 1)) is None

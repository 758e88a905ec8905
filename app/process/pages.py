"""Finished pages of fleets, kept in memory for those who read them again and again."""

import time
from array import array
from collections import OrderedDict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from app.storage.fleet.fleet import PageMap
from app.storage.fleet.view import FleetView
from app.storage.postgres.changes import Changes

# Changes of a fleet are known for twice as long (table fleet_change of `retention`).
BELIEVED_FOR_S = 1_800.0
# One customer's pages take so much of the memory at most, as a divisor: nobody displaces all others.
_CUSTOMERS = 4
_OVERHEAD_BYTES = 1_000  # of an entry beside its body
_BYTES_OF_A_ROW = 40


class PageKey(NamedTuple):
    """view: of the checked token, so no page is given to another customer or selection. form: of the document."""

    view: FleetView
    address: bytes
    form: Hashable


class Rows(NamedTuple):
    """The machines of a page in its order, in 40 bytes each.

    keys: theirs. newest: as Machines has it. lengths: of what the document says of each, in bytes. headers: how many of
    these name the machine. digests: of all of these, 16 bytes each.
    """

    keys: "array[int]"
    newest: "array[float]"
    lengths: "array[int]"
    headers: "array[int]"
    digests: bytes


def rows_of(
    keys: Iterable[int],
    newest: Iterable[float],
    lengths: Iterable[int],
    headers: Iterable[int],
    digests: bytes,
) -> Rows:
    return Rows(array("q", keys), array("d", newest), array("I", lengths), array("I", headers), digests)


@dataclass(frozen=True, slots=True)
class Page:
    """A finished page, and what it was read by.

    tag: its entity tag. body: as it is sent; None where only the tag was needed. map: of machines to places; None for
    chosen machines, which have none. last_page: of the fleet or the choice. snapshot: what the statement saw.
    asked_at: the newest change before it. is_changing: it was made of an earlier one, of which figures had changed.
    """

    tag: str
    body: bytes | None
    rows: Rows
    map: PageMap | None
    last_page: int
    snapshot: str
    asked_at: int
    is_changing: bool = False


class Pages:
    """Bounded in bytes, for all and for each customer; what was used longest ago is forgotten first.

    Only that nothing came between is checked here, which awaits nothing. Whether the fleet is unchanged, PostgreSQL knows.
    """

    def __init__(self, changes: Changes, *, most_bytes: int) -> None:
        """most_bytes: 0 remembers nothing."""
        self._changes = changes
        self._most_bytes = most_bytes
        self._kept: OrderedDict[PageKey, tuple[Page, float]] = OrderedDict()
        self._keys: dict[UUID, OrderedDict[PageKey, None]] = {}
        self._bytes: dict[UUID, int] = {}
        self.bytes = 0

    def recall(self, key: PageKey) -> Page | None:
        """The page, unless too much time passed or changes may have gone unheard since."""
        kept = self._kept.get(key)
        if kept is None or not self._changes.current:
            return None
        page, until = kept
        if time.monotonic() >= until or self._changes.since(page.asked_at, (key.view.customer_id,)):
            self.forget(key)
            return None
        self._kept.move_to_end(key)
        self._keys[key.view.customer_id].move_to_end(key)
        return page

    def put(self, key: PageKey, page: Page) -> None:
        """Remember it in the place of an older one."""
        self._put(key, page, time.monotonic() + BELIEVED_FOR_S)

    def renew(self, key: PageKey, old: Page, page: Page) -> None:
        """Remember what was made of an older one, and believe it no longer than that; nothing if that is gone."""
        kept = self._kept.get(key)
        if kept is not None and kept[0] is old:
            self._put(key, page, kept[1])

    def _put(self, key: PageKey, page: Page, until: float) -> None:
        self.forget(key)
        size, customer_id = _size(key, page), key.view.customer_id
        if size > self._most_bytes // _CUSTOMERS:
            return
        while self._bytes.get(customer_id, 0) + size > self._most_bytes // _CUSTOMERS:
            self.forget(next(iter(self._keys[customer_id])))
        while self.bytes + size > self._most_bytes:
            self.forget(next(iter(self._kept)))
        self._kept[key] = page, until
        self._keys.setdefault(customer_id, OrderedDict())[key] = None
        self._bytes[customer_id] = self._bytes.get(customer_id, 0) + size
        self.bytes += size

    def forget(self, key: PageKey) -> None:
        kept = self._kept.pop(key, None)
        if kept is None:
            return
        size, customer_id = _size(key, kept[0]), key.view.customer_id
        del self._keys[customer_id][key]
        self._bytes[customer_id] -= size
        self.bytes -= size
        if not self._keys[customer_id]:
            del self._keys[customer_id], self._bytes[customer_id]


def _size(key: PageKey, page: Page) -> int:
    rows = _BYTES_OF_A_ROW * len(page.rows.keys)
    return _OVERHEAD_BYTES + len(key.address) + len(page.snapshot) + len(page.body or b"") + rows

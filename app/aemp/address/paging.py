"""Pages of a fleet: 100 machines each, the first is 1, and links only to pages that exist."""

import re
from dataclasses import dataclass

from app.aemp.model.bounds import LONGEST_PAGE
from app.aemp.model.errors import AempError

PAGE_SIZE = 100  # what every provider sends; readers take a shorter page for the last one

_DECIMAL = re.compile("[1-9][0-9]*")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?")


@dataclass(frozen=True, slots=True)
class Link:
    rel: str
    href: str


def is_number(segment: str) -> bool:
    """Whether a segment can only have been meant for a page, right or wrong: a decimal never names a machine."""
    return _NUMBER.fullmatch(segment.strip()) is not None


def parse_page(segment: str) -> int:
    """The page that an address names.

    Raises AempError 400 when it is no plain decimal from 1 (zero, a sign, a leading zero, other scripts' digits), and
    404, which readers take for the end, when no fleet can reach it.
    """
    if not _DECIMAL.fullmatch(segment):
        raise AempError(400, "invalid_page", "A page is a decimal number; the first page is 1.")
    if len(segment) > LONGEST_PAGE:
        raise _no_such_page()
    return int(segment)


def last_page_of(total: int) -> int:
    """An empty fleet has one page, and that is empty."""
    return max(1, -(-total // PAGE_SIZE))


def page_bounds(page: int) -> tuple[int, int]:
    """The positions a page holds, counted from 0: from the first up to and without the second."""
    return (page - 1) * PAGE_SIZE, page * PAGE_SIZE


def require_page(page: int, total: int, *, until_short: bool = True) -> int:
    """The last page of so many. Raises AempError 404 when the page asked for is past the end.

    until_short: whether the reader may be one that reads on until a page is short. After a full last page it asks for
    one more, which is there, and empty; for all others 404 is the end.
    """
    last_page = last_page_of(total)
    is_full = total > 0 and total % PAGE_SIZE == 0
    if not 1 <= page <= last_page + (is_full and until_short):
        raise _no_such_page()
    return last_page


def links_for(base_url: str, page: int, last_page: int) -> tuple[Link, ...]:
    """Absolute links. `base_url` is the fleet's address as the client wrote it, without the page.

    A link to a page that does not exist makes real clients loop for ever, so `prev` and `next` may be absent. Nothing
    leads to the empty page after a full last one.
    """
    pages = {"self": page, "prev": page - 1, "next": page + 1, "last": last_page}
    return tuple(
        Link(rel, f"{base_url}/{to}") for rel, to in pages.items() if rel == "self" or 1 <= to <= last_page
    )


def _no_such_page() -> AempError:
    return AempError(
        404, "page_not_found", "There is no such page. The link with rel `last` names the last one."
    )

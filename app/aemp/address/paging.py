"""Pages of a fleet or series: 100 items each, the first is 1, and links to those that exist."""

import re
from dataclasses import dataclass, replace
from typing import NamedTuple
from urllib.parse import unquote

from app.aemp.address.ranges import Range
from app.aemp.model.bounds import LONGEST_PAGE
from app.aemp.model.errors import AempError

PAGE_SIZE = 100  # what every provider sends; readers take a shorter page for the last one

_DECIMAL = re.compile("[1-9][0-9]*")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?")
# The only parameter of a query that means anything; its name alone is a page that cannot be read.
_PAGE = re.compile("(?<![^&])page(?![^=&])=?([^&]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Link:
    rel: str
    href: str


class Asked(NamedTuple):
    """An address as it came: path and query, both undecoded."""

    path: str
    query: str = ""

    @property
    def address(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def other_parameters(self) -> str:
        """The query for an address behind this one, with its question mark: without the page, which is not that one's."""
        kept = "&".join(each for each in self.query.split("&") if not _PAGE.match(each))
        return f"?{kept}" if kept else ""


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages of a fleet or series, in the form in which one of them was asked for.

    asked: the address of that one, to the letter. number: of that one.
    base: the path without the page. before, after: what stands around the number of another page.
    """

    asked: str
    number: int
    base: str
    before: str = "/"
    after: str = ""

    def address_of(self, page: int) -> str:
        """Readers compare addresses, so the page that was asked for has the one that it was asked by."""
        return self.asked if page == self.number else f"{self.base}{self.before}{page}{self.after}"

    def between(self, dates: Range) -> "Pages":
        """The same where the other pages name the dates, so that they lead to the same readings tomorrow."""
        return replace(self, base="/".join((self.base, *dates.segments)))


def read_pages(asked: Asked, base: str, segment: str | None = None) -> Pages:
    """Read which page is asked for: by the last segment of the path or by the query, else the first.

    Raises AempError 400 when the page is malformed or named twice, and 404 when no fleet can reach it.
    """
    named = list(_PAGE.finditer(asked.query))
    if len(named) + (segment is not None) > 1:
        raise AempError(400, "invalid_page", "The address names the page more than once.")
    if named:
        start, end = named[0].span(1)
        before = asked.query[:start].removesuffix("=")
        return Pages(asked.address, parse_page(unquote(named[0][1])), base, f"?{before}=", asked.query[end:])
    number = 1 if segment is None else parse_page(segment)
    return Pages(asked.address, number, base, after=f"?{asked.query}" if asked.query else "")


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


def links_for(origin: str, pages: Pages, last_page: int) -> tuple[Link, ...]:
    """Absolute links in the form in which the client asked. origin: what stands before each address.

    A link to a page that does not exist makes real clients loop for ever, so `prev` and `next` may be absent. Nothing
    leads to the empty page after a full last one.
    """
    here = pages.number
    led_to = {"self": here, "first": 1, "prev": here - 1, "next": here + 1, "last": last_page}
    return tuple(
        Link(rel, origin + pages.address_of(to))
        for rel, to in led_to.items()
        if rel == "self" or 1 <= to <= last_page
    )


def _no_such_page() -> AempError:
    return AempError(
        404, "page_not_found", "There is no such page. The link with rel `last` names the last one."
    )

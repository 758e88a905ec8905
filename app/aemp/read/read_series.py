"""Series documents of any provider: their readings, and the machine that their links name, since nothing else does."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from app.aemp.model.bounds import LONGEST_LINK
from app.aemp.model.errors import FlawError
from app.aemp.model.series import find_series
from app.aemp.model.text import clean
from app.aemp.read.children import is_blank, shown
from app.aemp.read.interpret import ELEMENT_KEYS
from app.aemp.read.read_xml import local_name, nested

_ROOT_ENDING = "messages"  # providers differ in what comes before
_NO_SERIES = ("fleet", "equipment", "equipmentheader", "assetid")


def pages_of(document: Any) -> list[dict[str, Any]]:
    """The pages of a series, each `{element: readings, "links": links}`; none where the document is of another kind.

    document: as it was parsed, JSON or the root of XML.
    Raises FlawError when a link in it is too long, or it holds text in place of elements.
    """
    if isinstance(document, dict | list):
        pages = document if isinstance(document, list) else [document]
        return pages if all(_is_page(page) for page in pages) else []
    name = local_name(document)
    return [_page(nested(document))] if name.endswith(_ROOT_ENDING) and name != _ROOT_ENDING else []


def _is_page(part: Any) -> bool:
    """Whether it has readings, or at least links to a machine's series; not every other document is a page."""
    if not isinstance(part, dict) or any(name in part for name in _NO_SERIES):
        return False
    return not ELEMENT_KEYS.isdisjoint(part) or machine_named_in(part) is not None


def _page(found: Any) -> dict[str, Any]:
    if isinstance(found, dict):
        return found
    if not is_blank(found):
        raise FlawError(f"the root holds the text {shown(found)} and no elements")
    return {}  # an empty root is an empty page


def machine_named_in(page: Mapping[str, Any]) -> str | None:
    """The identifier in a link such as `.../Fleet/Equipment/{identifier}/CumulativeFuelUsed/...`.

    Raises FlawError when a link is too long.
    """
    for address in _addresses(page.get("links")):
        segments = address.split("/")
        lower = [segment.lower() for segment in segments]
        begin = lower.index("equipment") + 1 if "equipment" in lower else len(segments)
        end = next((at for at in range(begin + 1, len(segments)) if find_series(segments[at])), None)
        if end is not None:  # the last segment is the machine's own, in every form of address
            return clean(unquote(segments[end - 1]))
    return None


def _addresses(links: Any) -> Iterator[str]:
    for link in links if isinstance(links, list) else [links]:
        address = link.get("href") if isinstance(link, dict) else None
        if isinstance(address, str):
            if len(address) > LONGEST_LINK:
                raise FlawError(f"a link is longer than {LONGEST_LINK} characters")
            yield address

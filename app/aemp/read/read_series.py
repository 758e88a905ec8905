"""Series documents of any provider: their readings, and the machine that their header names, or else their links."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from app.aemp.model.bounds import LONGEST_LINK
from app.aemp.model.errors import FlawError
from app.aemp.model.identifiers import Name, name_of, normalise_identifier
from app.aemp.model.series import find_series
from app.aemp.model.text import clean
from app.aemp.read.children import is_blank, shown
from app.aemp.read.interpret import ELEMENT_KEYS, header_of, read_header
from app.aemp.read.read_xml import local_name, nested

_ROOT_ENDING = "messages"  # providers differ in what comes before
_HEADER = "equipmentheader"
_NO_SERIES = ("fleet", "equipment", "assetid")


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
    """Whether it has readings, or at least links to a machine's series; not every other document is a page.

    With a header it is a machine, unless there is a list of one element's readings, or such a link.
    """
    if not isinstance(part, dict) or any(name in part for name in _NO_SERIES):
        return False
    elements = {*ELEMENT_KEYS.intersection(part)}
    if _HEADER not in part:
        return bool(elements) or name_in_links(part) is not None
    return (len(elements) == 1 and isinstance(part[elements.pop()], list)) or name_in_links(part) is not None


def _page(found: Any) -> dict[str, Any]:
    if isinstance(found, dict):
        return found
    if not is_blank(found):
        raise FlawError(f"the root holds the text {shown(found)} and no elements")
    return {}  # an empty root is an empty page


def name_of_page(page: Mapping[str, Any]) -> Name | None:
    """The name that decides which machine a page is of: by its header, or else by its links.

    Raises FlawError when an identifier cannot be read, or a name or link is too long.
    """
    if _HEADER in page:
        header, _ = read_header(header_of(page))
        if name := name_of(header):
            return name
    return name_in_links(page)


def name_in_links(page: Mapping[str, Any]) -> Name | None:
    """The name in a link such as `.../Fleet/Equipment/{identifier}/CumulativeFuelUsed/...`, of any form of address.

    Raises FlawError when a link or the name is too long.
    """
    for address in _addresses(page.get("links")):
        segments = address.partition("?")[0].split("/")
        lower = [segment.lower() for segment in segments]
        begin = lower.index("equipment") + 1 if "equipment" in lower else len(segments)
        end = next((at for at in range(begin + 1, len(segments)) if find_series(segments[at])), None)
        if end is not None:
            return _name_of([clean(unquote(segment)) for segment in segments[begin:end]])
    return None


def _name_of(segments: list[str]) -> Name:
    """The segments between `Equipment` and the series, decoded; the last is the machine's own in every form."""
    value = normalise_identifier(segments[-1])
    match segments:
        case [keyword, make, model, _] if keyword.lower() == "makemodelserial":
            return Name("serial_number", value, make, model)
        case [make, model, _]:
            return Name("serial_number", value, make, model)
        case [keyword, _] if keyword.lower() == "id":
            return Name("equipment_id", value)
    return Name(None, value)


def _addresses(links: Any) -> Iterator[str]:
    for link in links if isinstance(links, list) else [links]:
        address = link.get("href") if isinstance(link, dict) else None
        if isinstance(address, str):
            if len(address) > LONGEST_LINK:
                raise FlawError(f"a link is longer than {LONGEST_LINK} characters")
            yield address

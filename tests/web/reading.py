"""Reading a page as a person or a browser does."""

import httpx2
from lxml import html


def words_of(page: httpx2.Response) -> str:
    """The words that a person reads, white space evened out."""
    return " ".join(" ".join(map(str, html.fromstring(page.text).itertext())).split())


def attributes_of(page: httpx2.Response, tag: str, name: str) -> list[str]:
    """One attribute of every such element that has it."""
    return [each.get(name, "") for each in html.fromstring(page.text).iter(tag) if name in each.attrib]


def tags_of(page: httpx2.Response) -> set[str]:
    return {str(each.tag) for each in html.fromstring(page.text).iter("*")}


def attribute_names_of(page: httpx2.Response) -> set[str]:
    return {str(name) for each in html.fromstring(page.text).iter("*") for name in each.attrib}

"""Reading a page as a person or a browser does."""

from typing import Any, cast

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


def found(page: httpx2.Response, path: str) -> list[Any]:
    """What an XPath finds in a page."""
    return cast("list[Any]", html.fromstring(page.text).xpath(path))


def assert_only_our_scripts(page: httpx2.Response) -> None:
    """Each is a file of ours, and has no words of its own."""
    for script in found(page, "//script"):
        assert script.get("src", "").startswith("/app/static/"), page.text
        assert not script.text

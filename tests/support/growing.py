"""The pages of "Growing" in docs/operators.md, which tests run as they stand."""

import re

from tests.support.server import ROOT

_SECTION = (ROOT / "docs" / "operators.md").read_text().partition("\n## Growing\n")[2].partition("\n## ")[0]


def pages() -> dict[str, str]:
    """The text under each heading."""
    _, *found = _SECTION.split("\n### ")
    return dict(page.split("\n", 1) for page in found)


def blocks(heading: str) -> list[str]:
    """What the page under this heading says to write or to type, in order.

    Raises KeyError when the section has no such heading.
    """
    return re.findall(r"```\n(.*?)```", pages()[heading], re.DOTALL)

"""The pages of "Growing" in docs/operators.md, which tests run as they stand."""

import re

from tests.support.server import ROOT

_SECTION = (ROOT / "docs" / "operators.md").read_text().partition("\n## Growing\n")[2].partition("\n## ")[0]


def blocks(heading: str) -> list[str]:
    """What the page under this heading says to write or to type, in order."""
    _, found, rest = _SECTION.partition(f"\n### {heading}\n")
    assert found, f"Growing has no page {heading!r}"
    return re.findall(r"```\n(.*?)```", rest.partition("\n### ")[0], re.DOTALL)

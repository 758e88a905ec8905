"""Which test shows what is due when something goes wrong: read off the tests' docstrings, written to docs/reliability.md.

A test cites what it shows as `R-1`. `python -m tests.conformance.reliability` writes the page anew.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.conformance.citations import ROOT, Citation, find_citations, link

PAGE = ROOT / "docs" / "reliability.md"

_ITEMS = Path(__file__).with_name("reliability.toml")
_MOST = 6  # tests of one item that are named; who wants all searches for its number


@dataclass(frozen=True, slots=True)
class Item:
    """fault: what happens, or somebody does. due: what must follow. unshown: why there is nothing to test."""

    number: int
    fault: str
    due: str
    unshown: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    items: tuple[Item, ...]


def read_sections() -> list[Section]:
    document = tomllib.loads(_ITEMS.read_text())
    unshown = document["unshown"]

    def item(number: int, fault: str, due: str) -> Item:
        return Item(number, fault, due, unshown.get(str(number), ""))

    return [
        Section(each["title"], tuple(item(*row) for row in each["items"])) for each in document["section"]
    ]


def render(sections: Sequence[Section], citations: Sequence[Citation]) -> str:
    parts = [_INTRODUCTION]
    for section in sections:
        parts.append(f"## {section.title}\n\n| | when | what follows | shown by |\n{'| --- ' * 4}|")
        parts += [_row(item, citations) for item in section.items]
        parts.append("")
    return "\n".join(parts)


def _row(item: Item, citations: Sequence[Citation]) -> str:
    files = list(dict.fromkeys(link(each) for each in citations if each.number == item.number))
    more = f" and {len(files) - _MOST} more" if len(files) > _MOST else ""
    shown = ", ".join(files[:_MOST]) + more or item.unshown or "none yet"
    return f"| R-{item.number} | {item.fault} | {item.due} | {shown} |"


_INTRODUCTION = """\
# Reliability

What may go wrong, by a fault or by somebody's hand, what then follows, and the tests that show it. A test cites the items it
shows by their numbers; this page is written from those citations by `python -m tests.conformance.reliability`, and the suite
fails while it is stale or an item has neither a test nor a reason. [The guarantees](guarantees.md) say the same as promises
with figures.
"""


if __name__ == "__main__":
    PAGE.write_text(render(read_sections(), find_citations("R")))

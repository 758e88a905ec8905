"""Which test shows which item of an OAuth server's duties: read off the tests' docstrings, written to docs/conformance.md.

A test cites what it shows as `O-28`, and as `O-14 (strict)` where the two kinds of application differ.
`python -m tests.conformance.coverage` writes the page anew.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.conformance.citations import KINDS, ROOT, Citation, Kind, claims, find_citations, link

PAGE = ROOT / "docs" / "conformance.md"

_ITEMS = Path(__file__).with_name("items.toml")


@dataclass(frozen=True, slots=True)
class Item:
    """kinds: of application that it binds. differs: each of them in its own way. note: what is to be said about it.

    unshown: why there is nothing to test.
    """

    number: int
    level: str
    title: str
    kinds: tuple[Kind, ...] = KINDS
    differs: bool = False
    note: str = ""
    unshown: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    rfc: str
    items: tuple[Item, ...]


def read_sections() -> list[Section]:
    document = tomllib.loads(_ITEMS.read_text())
    kinds, notes, unshown = document["kinds"], document["notes"], document["unshown"]

    def item(number: int, level: str, title: str) -> Item:
        bound = tuple(kind for kind in KINDS if number in kinds[kind]) or KINDS
        note, reason = notes.get(str(number), ""), unshown.get(str(number), "")
        return Item(number, level, title, bound, number in kinds["each"], note, reason)

    return [
        Section(each["title"], each["rfc"], tuple(item(*row) for row in each["items"]))
        for each in document["section"]
    ]


def unshown(items: Sequence[Item], citations: Sequence[Citation]) -> list[str]:
    """The items that no test shows on the wire, and nothing excuses."""
    wire = [each for each in citations if each.on_the_wire]
    shown = {(each.number, each.kind) for each in wire} | {(each.number, None) for each in wire}
    return [
        f"O-{item.number}" + (f" ({kind})" if kind else "")
        for item in items
        for kind in (item.kinds if item.differs else (None,))
        if not item.unshown and (item.number, kind) not in shown
    ]


def render(sections: Sequence[Section], citations: Sequence[Citation]) -> str:
    parts = [_INTRODUCTION]
    for section in sections:
        parts.append(f"## {section.title}\n\n{section.rfc}\n")
        parts.append("| | level | kind | what | shown on the wire by | beneath it |\n" + "| --- " * 6 + "|")
        parts += [_row(item, citations) for item in section.items]
        parts.append("")
    return "\n".join(parts)


def _row(item: Item, citations: Sequence[Citation]) -> str:
    citing = [each for each in citations if each.number == item.number]
    kind = "each its own way" if item.differs else "both" if item.kinds == KINDS else item.kinds[0]
    wire, beneath = ([each for each in citing if each.on_the_wire is seen] for seen in (True, False))
    what = f"{item.title}. {item.note}" if item.note else item.title
    shown = claims(wire) or item.unshown or "none yet"
    files = " ".join(dict.fromkeys(link(each) for each in beneath))
    return f"| O-{item.number} | {item.level} | {kind} | {what} | {shown} | {files} |"


_INTRODUCTION = """\
# Conformance

What an OAuth server owes its callers, and the tests that show it. A test's name is its claim, and cites its items; this page
is written from those citations by `python -m tests.conformance.coverage`, and the suite fails while it is stale or an item
has no test. `make conformance` runs the tests at depth, then plants a fault for each group of items and sees that the tests
which cite them turn red.

MUST, SHOULD and MAY are the RFCs'; OURS is what the users of such servers ask for
([for whose sake](integrators.md#libraries-and-servers)). *Classic* applications send RoviTracker's
[documented requests](integrators.md); *strict* ones, registered with `--strict` or `--public`, what the RFCs ask for.
"""


if __name__ == "__main__":
    PAGE.write_text(render(read_sections(), find_citations("O")))

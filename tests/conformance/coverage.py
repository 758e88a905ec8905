"""Which test shows which item of an OAuth server's duties: read off the tests' docstrings, written to docs/conformance.md.

A test cites what it shows as `O-28`, and as `O-14 (strict)` where the two kinds of application differ.
`python -m tests.conformance.coverage` writes the page anew.
"""

import ast
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "conformance.md"

Kind = Literal["classic", "strict"]

_ITEMS = Path(__file__).with_name("items.toml")
_CITATION = re.compile(r"\bO-(\d+)(?: \((classic|strict)\))?")
_KINDS: tuple[Kind, ...] = ("classic", "strict")
# Tests of these call the rule or the store; what an application sees is shown by the others, or through a browser.
_BENEATH = ("oauth", "storage", "flows")


@dataclass(frozen=True, slots=True)
class Item:
    """kinds: of application that it binds. differs: each of them in its own way. note: what is to be said about it.

    unshown: why there is nothing to test.
    """

    number: int
    level: str
    title: str
    kinds: tuple[Kind, ...] = _KINDS
    differs: bool = False
    note: str = ""
    unshown: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    rfc: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Citation:
    """A test says that it shows an item, or the item for one kind of application."""

    number: int
    kind: Kind | None
    file: str
    test: str
    on_the_wire: bool

    @property
    def node_id(self) -> str:
        return f"{self.file}::{self.test}"


def read_sections() -> list[Section]:
    document = tomllib.loads(_ITEMS.read_text())
    kinds, notes, unshown = document["kinds"], document["notes"], document["unshown"]

    def item(number: int, level: str, title: str) -> Item:
        bound = tuple(kind for kind in _KINDS if number in kinds[kind]) or _KINDS
        note, reason = notes.get(str(number), ""), unshown.get(str(number), "")
        return Item(number, level, title, bound, number in kinds["each"], note, reason)

    return [
        Section(each["title"], each["rfc"], tuple(item(*row) for row in each["items"]))
        for each in document["section"]
    ]


@cache
def find_citations(tests: Path = ROOT / "tests") -> list[Citation]:
    return [each for file in own_tests(tests) for each in _citations_of(file, tests.parent)]


def own_tests(tests: Path = ROOT / "tests") -> list[Path]:
    """The files of this project's tests, without those of software that is installed among them."""
    found = sorted(tests.rglob("test_*.py"))
    return [file for file in found if not {".venv", "node_modules"} & set(file.parts)]


def _citations_of(file: Path, root: Path) -> Iterator[Citation]:
    name = str(file.relative_to(root))
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_"):
            seen = file.parent.name not in _BENEATH or "browser" in {each.arg for each in node.args.args}
            for number, kind in _CITATION.findall(ast.get_docstring(node) or ""):
                yield Citation(int(number), kind or None, name, node.name, seen)


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
    kind = "each its own way" if item.differs else "both" if item.kinds == _KINDS else item.kinds[0]
    wire, beneath = ([each for each in citing if each.on_the_wire is seen] for seen in (True, False))
    what = f"{item.title}. {item.note}" if item.note else item.title
    shown = "<br>".join(dict.fromkeys(_claim(each) for each in wire)) or item.unshown or "none yet"
    files = " ".join(dict.fromkeys(_file(each) for each in beneath))
    return f"| O-{item.number} | {item.level} | {kind} | {what} | {shown} | {files} |"


def _claim(citation: Citation) -> str:
    claim = citation.test.removeprefix("test_").replace("_", " ")
    return f"[{claim}](../{citation.file})" + (f" ({citation.kind})" if citation.kind else "")


def _file(citation: Citation) -> str:
    return f"[{Path(citation.file).stem.removeprefix('test_')}](../{citation.file})"


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
    PAGE.write_text(render(read_sections(), find_citations()))

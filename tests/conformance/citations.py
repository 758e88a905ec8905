"""What tests say that they show: the items that their docstrings cite, as `O-28`, `O-14 (strict)` or `R-1`."""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).parents[2]

Kind = Literal["classic", "strict"]
List = Literal["O", "R"]

KINDS: tuple[Kind, ...] = ("classic", "strict")

# Tests of these call the rule or the store; what an application sees is shown by the others, or through a browser.
_BENEATH = ("oauth", "storage", "flows")


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


@cache
def find_citations(of: List, tests: Path = ROOT / "tests") -> list[Citation]:
    """of: the list whose items are cited, O (conformance.md) or R (reliability.md).

    The faults of `make check-faults` cite what they show as tests do.
    """
    files = [*own_tests(tests), *sorted(tests.glob("faults/faults_of_*.py"))]
    return [each for file in files for each in _citations_of(file, tests.parent, of)]


def own_tests(tests: Path = ROOT / "tests") -> list[Path]:
    """The files of this project's tests, without those of software that is installed among them."""
    found = sorted(file for file in tests.rglob("test_*.py") if ".venv" not in file.parts)
    return [file for file in found if not {".venv", "node_modules"} & set(file.parts)]


def claims(citations: Sequence[Citation]) -> str:
    """Each test's claim as a link to its file."""
    return "<br>".join(dict.fromkeys(_claim(each) for each in citations))


def link(citation: Citation) -> str:
    """To the test's file, by the file's subject."""
    return f"[{Path(citation.file).stem.removeprefix('test_')}](../{citation.file})"


def _citations_of(file: Path, root: Path, of: List) -> Iterator[Citation]:
    name = str(file.relative_to(root))
    fault = not file.name.startswith("test_")
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and (
            fault or node.name.startswith("test_")
        ):
            seen = file.parent.name not in _BENEATH or "browser" in {each.arg for each in node.args.args}
            cited = re.findall(rf"\b{of}-(\d+)(?: \((classic|strict)\))?", ast.get_docstring(node) or "")
            for number, kind in cited:
                yield Citation(int(number), kind or None, name, node.name, seen)


def _claim(citation: Citation) -> str:
    claim = citation.test.removeprefix("test_").replace("_", " ")
    return f"[{claim}](../{citation.file})" + (f" ({citation.kind})" if citation.kind else "")

"""The house stays small in its parts: long functions are few, files short, and words keep up with the code."""

import ast
import io
import tokenize
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest

from tests.support.syntax import nodes_of

ROOT = Path(__file__).parent.parent
APP = sorted(each for each in (ROOT / "app").rglob("*.py") if each.read_text().strip())

LONGEST_FUNCTION, NEARLY_ALL = 60, 34  # lines of the longest, and of all but one in a hundred
LONGEST_FILE = 300
MEDIAN_FUNCTION = 6
LEAST_WORDS = 0.109  # lines of docstrings and comments for a line of code

_DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
_LAYOUT = (tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)


@cache
def lengths() -> list[tuple[int, str]]:
    """The lines of every function, the shortest first, with its place."""
    return sorted(
        ((node.end_lineno or node.lineno) - node.lineno + 1, f"{file.relative_to(ROOT)}:{node.lineno}")
        for file in APP
        for node in nodes_of(file)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


@pytest.mark.parametrize(
    ("share", "most"), [(0.5, MEDIAN_FUNCTION), (0.99, NEARLY_ALL), (1.0, LONGEST_FUNCTION)]
)
def test_functions_fit_on_a_screen_and_are_mostly_far_shorter(share: float, most: int) -> None:
    place = min(int(share * len(lengths())), len(lengths()) - 1)
    length, _ = lengths()[place]
    assert length <= most, [each for each in lengths()[place:] if each[0] > most]


def test_files_are_short() -> None:
    assert not [
        name for file in APP if len(file.read_text().splitlines()) > LONGEST_FILE for name in (str(file),)
    ]


def test_words_keep_up_with_the_code() -> None:
    """An SQL text is code."""
    words, code = zip(*map(counted, APP), strict=True)
    assert sum(words) / sum(code) >= LEAST_WORDS


def counted(file: Path) -> tuple[int, int]:
    """Lines that are words alone, and lines with anything else."""
    docstrings = set(docstring_lines(file))
    tokens = list(tokenize.generate_tokens(io.StringIO(file.read_text()).readline))
    code = lines_of([each for each in tokens if each.type not in (*_LAYOUT, tokenize.COMMENT)]) - docstrings
    comments = lines_of([each for each in tokens if each.type == tokenize.COMMENT]) - code
    return len(docstrings) + len(comments), len(code)


def docstring_lines(file: Path) -> Iterator[int]:
    for node in nodes_of(file):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node) is not None:
            first = node.body[0]
            yield from range(first.lineno, (first.end_lineno or first.lineno) + 1)


def lines_of(tokens: Sequence[tokenize.TokenInfo]) -> set[int]:
    return {line for each in tokens for line in range(each.start[0], each.end[0] + 1)}

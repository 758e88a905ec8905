"""Docstrings and comments keep the part of CONTRIBUTING's rule on English that a machine can judge."""

import ast
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.support.syntax import in_rooms, nodes_of

ROOT = Path(__file__).parent.parent
APP = ROOT / "app"
NOT_OURS = {".venv", "node_modules", "out"}  # others' software, and results
FILES = sorted(
    file
    for folder in ("app", "bench", "tests")
    for file in (ROOT / folder).rglob("*.py")
    if NOT_OURS.isdisjoint(file.relative_to(ROOT).parts)
)
MOST_WORDS = 20

_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_GENITIVE = re.compile(r"\b(?:Of|By what|Whose)\b")  # no sentence begins so
_RIDDLE = re.compile(rf"{_GENITIVE.pattern}|Whatever\b")  # nor does a text
_STIFF = re.compile(r"\b(?:whom|shall|whyever)\b", re.IGNORECASE)
_SUSPICIOUS = re.compile(f"{_RIDDLE.pattern}|(?i:{_STIFF.pattern})")

# Handlers raise what `web/errors.py` answers, and verbs what `cli/hints.py` prints: their documents list the refusals.
_ANSWERING = ("web", "cli")

Function = ast.FunctionDef | ast.AsyncFunctionDef
Documented = Function | ast.ClassDef | ast.Module


def name_of(file: Path) -> str:
    return str(file.relative_to(ROOT))


def documented(file: Path) -> Iterator[tuple[Documented, str]]:
    for node in nodes_of(file):
        if isinstance(node, Documented) and (text := ast.get_docstring(node)):
            yield node, text


def comments(file: Path) -> Iterator[str]:
    """Each comment; lines of their own that follow each other are one."""
    block: list[str] = []
    ends_at = 0
    with file.open("rb") as source:
        found = [token for token in tokenize.tokenize(source.readline) if token.type == tokenize.COMMENT]
    for token in found:
        follows = token.start[0] == ends_at + 1 and token.line.lstrip().startswith("#")
        if block and not follows:
            yield " ".join(block)
            block = []
        block.append(token.string.lstrip("# "))
        ends_at = token.start[0] if token.line.lstrip().startswith("#") else 0
    if block:
        yield " ".join(block)


def texts(file: Path) -> Iterator[str]:
    paragraphs = (part for _, text in documented(file) for part in text.split("\n\n"))
    for text in (*paragraphs, *comments(file)):
        yield " ".join(text.split())


def faults_in(file: Path) -> list[str]:
    if not _SUSPICIOUS.search(file.read_text()):
        return []
    riddles = [text for text in texts(file) if _RIDDLE.match(text) or _STIFF.search(text)]
    further = [each for text in texts(file) for each in _SENTENCE.split(text)[1:]]
    return riddles + [each for each in further if _GENITIVE.match(each)]


@pytest.mark.parametrize("files", in_rooms(FILES))
def test_sentences_have_a_subject_and_no_stiff_word(files: list[Path]) -> None:
    assert not {name_of(file): faults for file in files if (faults := faults_in(file))}


@pytest.mark.parametrize("files", in_rooms(sorted(APP.rglob("*.py"))))
def test_first_sentences_of_public_docstrings_are_short(files: list[Path]) -> None:
    long = [
        f"{name_of(file)}: {first}"
        for file in files
        for node, text in documented(file)
        if isinstance(node, ast.Module) or not node.name.startswith("_")
        if len((first := _SENTENCE.split(text)[0].partition("\n\n")[0]).split()) > MOST_WORDS
    ]
    assert not long


def pages() -> list[Path]:
    return [file for file in sorted(ROOT.rglob("*.md")) if NOT_OURS.isdisjoint(file.relative_to(ROOT).parts)]


def riddles_on(page: str) -> list[str]:
    """Sentences that begin with a genitive. Code stands apart, and a row of a table or list begins anew."""
    prose = re.split(r"\n\s*\n|\n(?=[-#] )|\|", re.sub(r"```.*?```", "", page, flags=re.DOTALL))
    sentences = [each for text in prose for each in _SENTENCE.split(" ".join(text.split()).lstrip("#*->. "))]
    return [each for each in sentences if _GENITIVE.match(each)]


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_sentences_of_the_documents_have_a_subject(page: Path) -> None:
    assert riddles_on(page.read_text()) == []


@cache
def refusals() -> frozenset[str]:
    """RefusedError, the classes made of it, and the functions that make one."""
    nodes = [node for file in APP.rglob("*.py") for node in nodes_of(file)]
    parents = {
        node.name: {ast.unparse(base) for base in node.bases}
        for node in nodes
        if isinstance(node, ast.ClassDef)
    }
    kinds = {"RefusedError"}
    while more := {name for name, bases in parents.items() if bases & kinds} - kinds:
        kinds |= more
    makers = {
        node.name
        for node in nodes
        if isinstance(node, Function) and node.returns and ast.unparse(node.returns) in kinds
    }
    return frozenset(kinds | makers)


def raised_in(function: Function) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Raise) and node.exc is not None:
            yield ast.unparse(node.exc.func if isinstance(node.exc, ast.Call) else node.exc)


def held() -> list[Path]:
    return [file for file in sorted(APP.rglob("*.py")) if file.relative_to(APP).parts[0] not in _ANSWERING]


@pytest.mark.parametrize("files", in_rooms(held()))
def test_public_functions_that_refuse_say_when(files: list[Path]) -> None:
    silent = [
        f"{name_of(file)}: {node.name}"
        for file in files
        for node in nodes_of(file)
        if isinstance(node, Function) and not node.name.startswith("_")
        if refusals().intersection(raised_in(node)) and "Raises " not in (ast.get_docstring(node) or "")
    ]
    assert not silent


def test_the_rules_find_what_they_forbid(tmp_path: Path) -> None:
    file = tmp_path / "riddles.py"
    genitive, owner, stiff, vague = "Of", "Whose", "whom", "Whatever"
    file.write_text(
        f'"""{genitive} one length."""\n\n# A comment. {owner} it is,\n# they say.\n\n# Not {stiff}.\nx = 1  # {vague}\n# but one\n'
    )
    assert list(texts(file)) == [
        f"{genitive} one length.",
        f"A comment. {owner} it is, they say.",
        f"Not {stiff}.",
        vague,
        "but one",
    ]
    assert faults_in(file) == [f"{genitive} one length.", f"Not {stiff}.", vague, f"{owner} it is, they say."]
    assert {"OAuthError", "invalid_grant", "MachineError"} <= refusals()


def test_riddles_of_a_document_are_found_wherever_they_stand() -> None:
    page = "# Tea\n\nIt is hot. {0} it, drink.\n- {0} cups two.\n\n| a | {0} c |\n```\n{0} code\n```\nThe leaves {1} it.\n"
    assert riddles_on(page.format("Of", "of")) == ["Of it, drink.", "Of cups two.", "Of c"]

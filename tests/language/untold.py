"""Finds human words that nobody could translate: in templates outside the marks, in our pages outside a Sentence."""

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from jinja2 import nodes

from app.language.templates import Templates

# What people read or hear of an element besides its text.
_SPOKEN = {"alt", "aria-label", "aria-description", "placeholder", "title", "data-column"}
_VALUE = "\ufffc"  # stands where an expression does
# Names, which are the same in every language.
_NAMES = {"RoviTracker", "Rovi", "Tracker"}
_WORD = re.compile(r"[^\W\d_]{2,}")
_ADDRESS = re.compile(r"\S*/\S*|[\w-]+=\"[^\"]*\"")  # or attributes that a macro writes into a tag
_NOT_SPOKEN = {"code", "script", "style"}  # names of programs, and their own languages
# A constant in an expression is human if it begins like a sentence, or has a space between two words.
_HUMAN = re.compile(r"[A-Z][a-z]+([ ,.:?!]|$)|[A-Za-z]{2,} [a-z]+")
_MARKS = {"_", "gettext", "ngettext"}


class _Words(HTMLParser):
    """Collects what is read of a page whose expressions were taken out."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _NOT_SPOKEN:
            self._open.append(tag)
        self.found += [value for name, value in attrs if name in _SPOKEN and value]

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            self._open.remove(tag)

    def handle_data(self, data: str) -> None:
        if not self._open:
            self.found.append(data)


def untold_in_template(file: Path) -> list[str]:
    """Words of a template that stand outside {% trans %} and _()."""
    environment = Templates(file.parent).environment
    tree = environment.parse(file.read_text())
    words = _Words()
    words.feed("".join(_texts(tree)))
    words.close()
    read = [*words.found, *_constants(tree)]
    return [text.strip() for text in read if set(_WORD.findall(_ADDRESS.sub("", text))) - _NAMES]


def _texts(node: nodes.Node) -> Iterator[str]:
    """What a template writes as it stands, with a sign for each expression."""
    if isinstance(node, nodes.TemplateData):
        yield node.data
    elif isinstance(node, nodes.Output):
        for part in node.nodes:
            yield from _texts(part) if isinstance(part, nodes.TemplateData) else (_VALUE,)
    else:
        for child in node.iter_child_nodes():
            yield from _texts(child)


def _constants(node: nodes.Node) -> Iterator[str]:
    """Human constants of expressions that nothing translates. What is compared is no text."""
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name in _MARKS:
        # A mark translates its own constants; values that it puts in are looked at.
        yield from (text for given in node.kwargs for text in _constants(given))
        return
    if isinstance(node, nodes.Compare):
        return
    if isinstance(node, nodes.Const) and isinstance(node.value, str) and _HUMAN.match(node.value):
        yield node.value
    for child in node.iter_child_nodes():
        yield from _constants(child)


# In source: words after a capital, or four of them. Names of forms and causes are shorter.
_HUMAN_IN_SOURCE = re.compile(r"[A-Z][a-z]+ [A-Za-z]|[A-Za-z]+( [a-z]+){3}")
_LOGS = {"warning", "exception", "info", "note_refusal", "TypeError"}
_SENTENCES = {"Sentence", "counted", "quoted"}
# Names, and what programs are told.
_NO_WORDS = {
    "Mac OS",
    "waits for the other",
    "Samsung Internet",
    "Sitewise Rentals",
    "Sitewise Rentals Ltd",
    "Unknown browser",  # is kept like this, and translated where it is shown
    "Send an access token: Authorization: Bearer ...",
}


def untold_in_python(file: Path) -> list[str]:
    """Human strings of a page's source that are no Sentence."""
    return list(_strings(ast.parse(file.read_text())))


def _strings(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Call() if _name(node.func) in _SENTENCES | _LOGS:
            return
        case ast.Expr(value=ast.Constant()):  # a docstring
            return
        case ast.Compare() | ast.Subscript():
            return
        case ast.Constant(value=str(text)) if _HUMAN_IN_SOURCE.match(text) and text not in _NO_WORDS:
            yield text
        case _:
            for child in ast.iter_child_nodes(node):
                yield from _strings(child)


def _name(called: ast.expr) -> str:
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")

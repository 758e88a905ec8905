"""Parts of our source that can take long: regular expressions, costly calls, functions that read foreign input."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
APP = ROOT / "app"

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_COMPILES = {"compile", "match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer"}

# Calls that may take longer than their input grows: they compose accents, compare by letters, or read host names, for
# which the standard library composes accents too.
_COSTLY = {
    "SequenceMatcher",
    "casefold",
    "get_close_matches",
    "is_normalized",
    "normalize",
    "ucd_3_2_0",
    "urljoin",
    "urlparse",
    "urlsplit",
    "validate_email",
}


def places_of_patterns() -> list[str]:
    """`file:name` of every regular expression; one that has no name goes by the function that it is in."""
    return [place for file in _files() for place in _patterns_of(file)]


def places_of_costly_calls() -> set[str]:
    """`file:function` of every costly call."""
    return {
        f"{_name(file)}:{function}"
        for file in _files()
        for function, node in _calls_in(ast.parse(file.read_text()))
        if _called(node) in _COSTLY
    }


def readers_in(*folders: str) -> set[str]:
    """`file:function` of the public functions and methods there that take a text or whatever was parsed."""
    return {
        f"{_name(file)}:{name}"
        for folder in folders
        for file in sorted((APP / folder).rglob("*.py"))
        for name, function in _public_functions(ast.parse(file.read_text()).body)
        if any(map(_is_unread, _annotations(function)))
    }


def _files() -> list[Path]:
    return sorted(APP.rglob("*.py"))


def _name(file: Path) -> str:
    return str(file.relative_to(ROOT))


def _patterns_of(file: Path) -> Iterator[str]:
    tree = ast.parse(file.read_text())
    named = {
        id(node.value): ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target)
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value
    }
    for function, call in _calls_in(tree):
        if _is_of_re(call.func):
            yield f"{_name(file)}:{named.get(id(call), function)}"
    # The framework compiles one too: the expression of a kind of path segment.
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "regex":
            yield f"{_name(file)}:regex"
    assert not any(isinstance(node, ast.ImportFrom) and node.module == "re" for node in ast.walk(tree)), (
        f"{_name(file)} imports from re: its expressions would not be found"
    )


def _is_of_re(called: ast.expr) -> bool:
    return (
        isinstance(called, ast.Attribute) and ast.unparse(called.value) == "re" and called.attr in _COMPILES
    )


def _calls_in(node: ast.AST, function: str = "the module") -> Iterator[tuple[str, ast.Call]]:
    """Every call, with the innermost function that it is in."""
    for child in ast.iter_child_nodes(node):
        inner = child.name if isinstance(child, _Function) else function
        if isinstance(child, ast.Call):
            yield inner, child
        yield from _calls_in(child, inner)


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)


def _public_functions(body: list[ast.stmt], owner: str = "") -> Iterator[tuple[str, _Function]]:
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from _public_functions(node.body, f"{node.name}.")
        elif isinstance(node, _Function) and not node.name.startswith("_"):
            yield owner + node.name, node


def _annotations(function: _Function) -> list[str]:
    arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return [ast.unparse(each.annotation) for each in arguments if each.annotation]


def _is_unread(annotation: str) -> bool:
    return not {"str", "bytes", "Any"}.isdisjoint(
        annotation.replace("[", " ").replace("]", " ").replace(",", " ").split()
    )

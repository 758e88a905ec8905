"""The rooms of the benchmarks: load and ground are shared, and no program imports from another's room."""

import ast
from pathlib import Path

import pytest

from tests.support.syntax import nodes_of

BENCH = Path(__file__).parents[2] / "bench"
SHARED = {"load": {"load"}, "ground": {"load", "ground"}}
ROOMS = sorted(file.parent.name for file in BENCH.glob("*/__init__.py"))
OTHERS_PROGRAMS = ("authlib_flask", "django_oauth_toolkit")  # each runs in an environment of its own


def sources(folder: Path) -> list[Path]:
    """Our programs, without the software of others that some folders have installed."""
    return [file for file in folder.rglob("*.py") if not {".venv", "node_modules"} & set(file.parts)]


def rooms_imported(file: Path) -> set[str]:
    modules = [node.module or "" for node in nodes_of(file) if isinstance(node, ast.ImportFrom)]
    return {module.split(".")[1] for module in modules if module.startswith("bench.")}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_itself_and_what_is_shared(room: str) -> None:
    allowed = SHARED.get(room, {"load", "ground", room})
    strays = {
        f"{file.relative_to(BENCH)}: {other}"
        for file in sources(BENCH / room)
        for other in rooms_imported(file) - allowed
    }
    assert not strays


def test_every_room_with_programs_says_at_its_door_what_lives_there() -> None:
    inhabited = {file.parent for file in sources(BENCH)}
    rooms = {folder for folder in inhabited if not folder.name.startswith(OTHERS_PROGRAMS)}
    assert {folder.name for folder in rooms} > {"load", "ground", "limit", "size", "growth", "aemp"}
    silent = [
        folder.name
        for folder in rooms
        if not (folder / "__init__.py").exists()
        or not ast.get_docstring(ast.parse((folder / "__init__.py").read_text()))
    ]
    assert not silent

"""Files of Python as trees, each read once in a process, since several tests judge every file."""

import ast
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from tests.support.server import ROOT


@cache
def tree_of(file: Path) -> ast.Module:
    """Whoever gets it changes nothing in it."""
    return ast.parse(file.read_text())


@cache
def nodes_of(file: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(tree_of(file)))


def in_rooms(files: Iterable[Path]) -> list[ParameterSet]:
    """The files of each room as one parameter: a test that judges them all names every fault, and costs one test."""
    rooms: dict[str, list[Path]] = {}
    for file in files:
        rooms.setdefault("/".join(file.relative_to(ROOT).parent.parts[:2]), []).append(file)
    return [pytest.param(some, id=room) for room, some in rooms.items()]

"""Help texts are docstrings, which Python throws away with PYTHONOPTIMIZE=2: here they are read from the sources again."""

import ast
import inspect
from collections.abc import Callable
from textwrap import dedent
from typing import Any

import typer


def keep_help(cli: typer.Typer) -> None:
    """Give every verb its docstring back."""
    for command in cli.registered_commands:
        if command.callback is not None and command.callback.__doc__ is None:
            command.callback.__doc__ = _written(command.callback)
    for group in cli.registered_groups:
        if group.typer_instance is not None:
            keep_help(group.typer_instance)


def _written(function: Callable[..., Any]) -> str | None:
    [node] = ast.parse(dedent(inspect.getsource(function))).body
    return ast.get_docstring(node) if isinstance(node, ast.FunctionDef) else None

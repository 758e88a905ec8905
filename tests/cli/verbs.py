"""Every verb of the command line, as it is declared."""

from collections.abc import Iterator

import typer.main
from typer.core import TyperGroup as Group

from app.cli.main import command_line

COMMAND = typer.main.get_command(command_line())
assert isinstance(COMMAND, Group)


def verbs(group: Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if isinstance(command, Group):
            yield from verbs(command, (*path, name))
        else:
            yield (*path, name)


VERBS = tuple(verbs(COMMAND))

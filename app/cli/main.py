"""`rovitracker`: the verbs, and the one place where an expected error becomes a line on stderr."""

import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import Annotated

import typer

from app import __version__
from app.cli.hints import SET_UP, told, told_set_up
from app.cli.kept_help import keep_help
from app.cli.nouns import add_verbs
from app.cli.output import errors
from app.refused import RefusedError
from app.storage.errors import StatementRefusedError

_USAGE = 2  # exit code of a command line that is not understood


def _print_version(value: bool) -> None:  # typer calls it with the option's value
    if value:
        typer.echo(__version__)
        raise typer.Exit


def command_line(words: Sequence[str] = ()) -> typer.Typer:
    """The verbs that these words can mean: those of the first one, or else all."""
    cli = typer.Typer(
        name="rovitracker",
        help="OAuth2 tokens for telemetry of construction and rental equipment, and the AEMP API they open.",
        epilog="Example: rovitracker serve",
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
    )
    cli.callback()(_main)
    add_verbs(cli, words)
    if sys.flags.optimize > 1:
        keep_help(cli)
    return cli


def _main(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def run() -> None:
    """Entry point. What can be expected to go wrong ends in one line; a bug keeps its trace."""
    if isinstance(sys.stdout, TextIOWrapper):  # a name that the terminal's encoding lacks is no reason to end
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        raise SystemExit(command_line(sys.argv[1:])(prog_name="rovitracker", standalone_mode=False))
    except typer.Abort:
        _end("given up", 1)
    except typer.TyperException as error:
        _end(_misuse(error), _USAGE)
    except RefusedError as refused:
        _end(told(refused), 1)
    except StatementRefusedError as refused:
        if refused.sqlstate not in SET_UP:
            raise
        _end(told_set_up(refused), 1)
    except OSError as error:  # of a file or a socket that the command line named
        _end(str(error), 1)


def _misuse(error: typer.TyperException) -> str:
    """Name a mistyped verb, option or value, and the nearest there is, or where all are listed."""
    # The classes are typer's own affair; these attributes are click's old promise.
    message: str = getattr(error, "format_message", error.__str__)()
    context = getattr(error, "ctx", None)
    if context is None or not message or "Did you mean" in message or "Possible options" in message:
        return message
    return f"{message.removesuffix('.')}: `{context.command_path} --help`"


def _end(message: str, code: int) -> None:
    if message:  # a group without a verb has printed its help already
        errors.print(f"rovitracker: {message}", soft_wrap=True, markup=False)
    raise SystemExit(code) from None

"""`rovitracker`: the verbs, and the one place where an expected error becomes a line on stderr."""

from typing import Annotated

import typer

from app import __version__
from app.cli import (
    application,
    configuration,
    customer,
    doctor,
    fleet,
    flow,
    key,
    migrate,
    operator,
    serve,
    token,
    upkeep,
)
from app.cli.hints import told
from app.cli.output import errors
from app.refused import RefusedError

_USAGE = 2  # exit code of a command line that is not understood

cli = typer.Typer(
    name="rovitracker",
    help="OAuth2 tokens for telemetry of construction and rental equipment, and the AEMP API they open.",
    epilog="Example: rovitracker serve",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
serve.add_to(cli)
configuration.add_to(cli)
upkeep.add_to(cli)
doctor.add_to(cli)
cli.add_typer(migrate.cli, name="migrate")
cli.add_typer(application.cli, name="app")
cli.add_typer(customer.cli, name="customer")
cli.add_typer(operator.cli, name="operator")
cli.add_typer(fleet.cli, name="fleet")
cli.add_typer(token.cli, name="token")
cli.add_typer(flow.cli, name="flow")
cli.add_typer(key.cli, name="key")


def _print_version(value: bool) -> None:  # typer calls it with the option's value
    if value:
        typer.echo(__version__)
        raise typer.Exit


@cli.callback()
def _main(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def run() -> None:
    """Entry point. What can be expected to go wrong ends in one line; a bug keeps its trace."""
    try:
        raise SystemExit(cli(prog_name="rovitracker", standalone_mode=False))
    except typer.Abort:
        _end("given up", 1)
    except typer.TyperException as error:
        _end(_misuse(error), _USAGE)
    except RefusedError as refused:
        _end(told(refused), 1)
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

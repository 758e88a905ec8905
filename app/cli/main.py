"""`rovitracker`: the verbs, and the one place where an expected error becomes a line on stderr."""

from typing import Annotated

import typer

from app import __version__
from app.aemp.errors import AempError, ReadError
from app.cli import application, configuration, customer, fleet, migrate, serve, token
from app.cli.output import errors
from app.embedded import EmbeddedError
from app.flows.add_customer import CustomerError
from app.flows.read_logo import LogoError
from app.oauth.redirect_uri import RedirectUriError
from app.oauth.registration import RegistrationError
from app.settings import SettingsError
from app.storage.errors import StatementRefusedError, StoreUnavailableError
from app.storage.migrations import MigrationError

_EXPECTED = (
    AempError,
    CustomerError,
    EmbeddedError,
    LogoError,
    MigrationError,
    OSError,
    ReadError,
    RedirectUriError,
    RegistrationError,
    SettingsError,
    StatementRefusedError,
    StoreUnavailableError,
)

cli = typer.Typer(
    name="rovitracker",
    help="OAuth2 tokens for telemetry of construction and rental equipment, and the AEMP API they open.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
serve.add_to(cli)
configuration.add_to(cli)
cli.add_typer(migrate.cli, name="migrate")
cli.add_typer(application.cli, name="app")
cli.add_typer(customer.cli, name="customer")
cli.add_typer(fleet.cli, name="fleet")
cli.add_typer(token.cli, name="token")


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
        cli()
    except _EXPECTED as error:
        errors.print(f"rovitracker: {error}", soft_wrap=True, markup=False)
        raise SystemExit(1) from None

"""`rovitracker app`: change an application, its status, its secrets."""

from datetime import timedelta
from typing import Annotated

import typer

from app.cli.application_options import (
    ActsFor,
    ClientId,
    Grants,
    Jwks,
    Logo,
    NewCompany,
    NewName,
    RedirectUris,
    Scope,
)
from app.cli.duration import duration
from app.cli.files import read_file
from app.cli.output import Json, confirm, fail, print_record
from app.cli.work import with_context
from app.context import Context
from app.flows.account.change_application import (
    StatusChange,
    change_application,
    change_status,
    find_application,
    retire_secret,
    rotate_secret,
)
from app.flows.account.change_customer import find_member
from app.flows.account.read_logo import LARGEST_LOGO
from app.oauth.actor import COMMAND_LINE
from app.oauth.client import Client
from app.oauth.client_keys import LARGEST_KEY_SET
from app.storage.people.application_changes import ApplicationChanges

_EXAMPLE_ID = "0192f0c1-7b1e-7c3a-9d7e-0c6f5a4b3c2d"


def add_to(cli: typer.Typer) -> None:
    def command(name: str, arguments: str = "") -> str:
        return f"Example: rovitracker app {name} {_EXAMPLE_ID}{arguments}"

    cli.command(epilog=command("update", " --redirect-uri https://sitewise.example/callback"))(update)
    cli.command("rotate-secret", epilog=command("rotate-secret", " --overlap 7d"))(rotate)
    cli.command("retire-secret", epilog=command("retire-secret"))(retire)
    cli.command(epilog=command("suspend"))(suspend)
    cli.command(epilog=command("resume"))(resume)
    cli.command(epilog=command("delete", " --yes"))(delete)


def update(
    client_id: ClientId,
    name: NewName = None,
    company: NewCompany = None,
    logo: Logo = None,
    redirect_uri: RedirectUris = None,
    scope: Scope = None,
    grant: Grants = None,
    customer: ActsFor = None,
    jwks: Jwks = None,
    as_json: Json = False,
) -> None:
    """Change only what the options name; addresses, scopes, grants and keys replace all earlier ones.

    With --jwks, its present client_secret ends at once.
    """
    if not any((name, company, logo, redirect_uri, scope, grant, customer, jwks)):
        fail("name what shall change: rovitracker app update --help")

    async def work(context: Context) -> Client:
        changes = ApplicationChanges(
            name=name,
            company=company,
            grants=frozenset(grant) if grant else None,
            scope=tuple(scope) if scope else None,
            redirect_uris=tuple(redirect_uri) if redirect_uri else None,
            customer_id=(await find_member(context, customer)).customer_id if customer else None,
        )
        return await change_application(
            context,
            COMMAND_LINE,
            client_id,
            changes,
            logo=read_file(logo, most=LARGEST_LOGO) if logo else None,
            jwks=read_file(jwks, most=LARGEST_KEY_SET) if jwks else None,
        )

    client = with_context(work)
    print_record(
        {
            "client_id": client.client_id,
            "name": client.name,
            "company": client.company,
            "grants": sorted(client.grants),
            "scope": " ".join(client.scope),
            "redirect_uris": list(client.redirect_uris),
            "authentication": authentication_of(client),
        },
        as_json=as_json,
    )


def suspend(client_id: ClientId, as_json: Json = False) -> None:
    """Make all its tokens inactive, until it is resumed."""
    _change_status(client_id, "suspend", as_json=as_json)


def resume(client_id: ClientId, as_json: Json = False) -> None:
    """Make the tokens of a suspended application active again."""
    _change_status(client_id, "resume", as_json=as_json)


def delete(
    client_id: ClientId,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Delete an application for ever. Its tokens become inactive, and its client_id is never used again."""
    if not yes:
        found = with_context(lambda context: find_application(context, client_id))
        confirm(f"Delete {found.client.name} of {found.client.company} for ever?", skip="--yes")
    _change_status(client_id, "delete", as_json=as_json)


def rotate(
    client_id: ClientId,
    overlap: Annotated[
        timedelta,
        typer.Option(
            parser=duration,
            metavar="DURATION",
            show_default="7d",
            help="How long the old secret still works; 0s ends it at once.",
        ),
    ] = timedelta(days=7),
    as_json: Json = False,
) -> None:
    """Make a new client_secret and print it, only this once. The old one still works for a while."""
    secret = with_context(lambda context: rotate_secret(context, COMMAND_LINE, client_id, overlap))
    print_record({"client_id": client_id, "client_secret": secret}, as_json=as_json)


def retire(client_id: ClientId, as_json: Json = False) -> None:
    """End the old client_secret at once, before its overlap is over."""
    with_context(lambda context: retire_secret(context, COMMAND_LINE, client_id))
    print_record({"client_id": client_id, "retired": True}, as_json=as_json)


def authentication_of(client: Client) -> str:
    """Name the method as RFC 7591 does; a secret may be sent in either of two ways."""
    if client.public:
        return "none"
    return "private_key_jwt" if client.jwks is not None else "client_secret"


def _change_status(client_id: str, change: StatusChange, *, as_json: bool) -> None:
    client = with_context(lambda context: change_status(context, COMMAND_LINE, client_id, change))
    print_record(
        {"client_id": client.client_id, "name": client.name, "status": client.status}, as_json=as_json
    )

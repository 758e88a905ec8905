"""`rovitracker app`: register, list and show applications of other companies."""

from typing import Annotated, Any

import typer

from app.cli import application_changes, application_reviews
from app.cli.application_changes import authentication_of
from app.cli.application_options import (
    ActsFor,
    Audience,
    ClientId,
    Company,
    Grants,
    Jwks,
    Logo,
    Name,
    Public,
    RedirectUris,
    ResourceServer,
    Scope,
    Strict,
)
from app.cli.application_reviews import print_pending
from app.cli.files import read_file
from app.cli.moving import add_application_import
from app.cli.output import Json, fail, print_record, print_records
from app.cli.work import with_context
from app.context import Context
from app.flows.account.change_application import find_application
from app.flows.account.change_customer import find_member
from app.flows.account.read_logo import LARGEST_LOGO
from app.flows.account.register_application import RegisteredApplication, register_application
from app.oauth.actor import COMMAND_LINE
from app.oauth.assertion import import_keys
from app.oauth.client import ClientSecret
from app.oauth.client_keys import LARGEST_KEY_SET
from app.storage.people.applications import Application, select_all_applications

cli = typer.Typer(help="Manage applications of other companies, and their secrets.", no_args_is_help=True)


@cli.command(
    epilog="Example: rovitracker app register --name 'Sitewise' --company 'Sitewise Ltd' --logo logo.png "
    "--redirect-uri https://sitewise.example/callback"
)
def register(
    name: Name,
    company: Company,
    logo: Logo = None,
    redirect_uri: RedirectUris = None,
    scope: Scope = None,
    strict: Strict = False,
    public: Public = False,
    resource_server: ResourceServer = False,
    audience: Audience = None,
    grant: Grants = None,
    customer: ActsFor = None,
    jwks: Jwks = None,
    as_json: Json = False,
) -> None:
    """Register an application, and print its client_id and, only this once, its client_secret.

    With --jwks it has no secret, and authenticates with signatures of its keys.
    """
    if resource_server != (audience is not None):
        fail("--resource-server and --audience URI belong together")

    async def work(context: Context) -> RegisteredApplication:
        return await register_application(
            context,
            COMMAND_LINE,
            name=name,
            company=company,
            redirect_uris=tuple(redirect_uri or ()),
            scope=tuple(scope or ()),
            logo=read_file(logo, most=LARGEST_LOGO) if logo else None,
            kind="strict" if strict else "classic",
            public=public,
            grants=tuple(grant or ()),
            audience=audience,
            customer_id=(await find_member(context, customer)).customer_id if customer else None,
            jwks=read_file(jwks, most=LARGEST_KEY_SET) if jwks else None,
        )

    print_record(_registered(with_context(work)), as_json=as_json)


@cli.command("list", epilog="Example: rovitracker app list --pending")
def list_(
    pending: Annotated[
        bool, typer.Option("--pending", help="Those that wait for review, with what to look at twice.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List the applications that are not deleted."""
    if pending:
        print_pending(as_json=as_json)
        return
    applications = with_context(lambda context: select_all_applications(context.database))
    rows = [
        {
            "client_id": each.client.client_id,
            "name": each.client.name,
            "company": each.client.company,
            "kind": each.client.kind,
            "status": each.client.status,
            "mode": "test" if each.client.test else "live",
            "registered_at": each.created_at,
        }
        for each in applications
    ]
    print_records(
        rows, as_json=as_json, empty="No application is registered yet: rovitracker app register --help"
    )


@cli.command(epilog="Example: rovitracker app show 0192f0c1-7b1e-7c3a-9d7e-0c6f5a4b3c2d")
def show(client_id: ClientId, as_json: Json = False) -> None:
    """Show one application, even a deleted one."""
    found = with_context(lambda context: find_application(context, client_id))
    print_record(_details(found), as_json=as_json)


application_reviews.add_to(cli)
application_changes.add_to(cli)
add_application_import(cli)


def _registered(registered: RegisteredApplication) -> dict[str, Any]:
    client = registered.client
    return {
        "client_id": client.client_id,
        "client_secret": registered.client_secret,
        "authentication": authentication_of(client),
        "name": client.name,
        "company": client.company,
        "kind": client.kind,
        "grants": sorted(client.grants),
        "redirect_uris": list(client.redirect_uris),
        "scope": " ".join(client.scope),
    }


def _details(application: Application) -> dict[str, Any]:
    client = application.client
    return {
        "client_id": client.client_id,
        "name": client.name,
        "company": client.company,
        "kind": client.kind,
        "public": client.public,
        "status": client.status,
        "live_at": application.live_at,
        "grants": sorted(client.grants),
        "scope": " ".join(client.scope),
        "redirect_uris": list(client.redirect_uris),
        "audience": client.audience,
        "customer_id": str(client.customer_id) if client.customer_id else None,
        "logo": bool(application.logo_digest),
        "terms_uri": application.terms_uri,
        "privacy_uri": application.privacy_uri,
        "authentication": authentication_of(client),
        "keys": [key.kid for key in import_keys(client.jwks)] if client.jwks else [],
        "secrets": [_secret(secret) for secret in client.secrets],
        "registered_at": application.created_at,
    }


def _secret(secret: ClientSecret) -> str:
    life = f"good until {secret.expires_at:%Y-%m-%dT%H:%M:%SZ}" if secret.expires_at else "good"
    return f"{life}, imported and not used yet" if secret.slow_hash else life

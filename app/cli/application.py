"""`rovitracker app`: applications of other companies."""

from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.output import Json, fail, print_record, print_records
from app.cli.work import with_context
from app.flows.issue_token import read_application
from app.flows.register_application import register_application
from app.storage.applications import Application, select_all_applications

cli = typer.Typer(help="Applications: register, list, show.", no_args_is_help=True)


@cli.command(
    epilog="Example: `rovitracker app register --name 'Sitewise' --company 'Sitewise Ltd' --logo logo.png "
    "--redirect-uri https://sitewise.example/callback`"
)
def register(
    name: Annotated[str, typer.Option(help="What customers read on the consent page.")],
    company: Annotated[str, typer.Option(help="Who makes it.")],
    logo: Annotated[
        Path | None, typer.Option(help="PNG, JPEG or WebP.", exists=True, dir_okay=False, readable=True)
    ] = None,
    redirect_uri: Annotated[
        list[str] | None, typer.Option(help="Complete address; repeat for several.")
    ] = None,
    scope: Annotated[list[str] | None, typer.Option(help="What it may ask for; default aemp:read.")] = None,
    as_json: Json = False,
) -> None:
    """Register an application; prints its client_id and, this once, its client_secret."""
    registered = with_context(
        lambda context: register_application(
            context,
            name=name,
            company=company,
            redirect_uris=tuple(redirect_uri or ()),
            scope=tuple(scope or ()),
            logo=logo.read_bytes() if logo else None,
        )
    )
    client = registered.client
    print_record(
        {
            "client_id": str(client.id),
            "client_secret": registered.client_secret,
            "name": client.name,
            "company": client.company,
            "redirect_uris": list(client.redirect_uris),
            "scope": " ".join(client.scope),
        },
        as_json=as_json,
    )


@cli.command("list", epilog="Example: `rovitracker app list --json`")
def list_(as_json: Json = False) -> None:
    """List the applications."""
    applications = with_context(lambda context: select_all_applications(context.database))
    rows = [
        {
            "client_id": str(each.client.id),
            "name": each.client.name,
            "company": each.client.company,
            "kind": each.client.kind,
            "status": each.client.status,
            "registered_at": each.created_at,
        }
        for each in applications
    ]
    print_records(
        rows, as_json=as_json, empty="No application is registered yet: rovitracker app register --help"
    )


@cli.command(epilog="Example: `rovitracker app show 0192f0c1-7b1e-7c3a-9d7e-0c6f5a4b3c2d`")
def show(
    client_id: Annotated[str, typer.Argument(help="The application's client_id.")], as_json: Json = False
) -> None:
    """Show one application."""
    found = with_context(lambda context: read_application(context, client_id))
    if found is None:
        fail(f"no application has the client_id {client_id}: `rovitracker app list` names them")
    print_record(_details(found), as_json=as_json)


def _details(application: Application) -> dict[str, Any]:
    client = application.client
    return {
        "client_id": str(client.id),
        "name": client.name,
        "company": client.company,
        "kind": client.kind,
        "public": client.public,
        "status": client.status,
        "grants": sorted(client.grants),
        "scope": " ".join(client.scope),
        "redirect_uris": list(client.redirect_uris),
        "audience": client.audience,
        "logo": bool(application.logo_digest),
        "secrets": len(client.secrets),
        "registered_at": application.created_at,
    }

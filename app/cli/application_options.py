"""The options that describe an application on the command line."""

from pathlib import Path
from typing import Annotated

import typer

from app.flows.token.grants import GRANTS

_NAME = typer.Option(help="The name that customers read on the consent page.")
_COMPANY = typer.Option(help="The company that makes the application.")

ClientId = Annotated[str, typer.Argument(metavar="CLIENT_ID", help="The application's client_id.")]
Name = Annotated[str, _NAME]
NewName = Annotated[str | None, _NAME]
Company = Annotated[str, _COMPANY]
NewCompany = Annotated[str | None, _COMPANY]
Logo = Annotated[
    Path | None,
    typer.Option(help="The logo, as PNG, JPEG or WebP.", exists=True, dir_okay=False, readable=True),
]
RedirectUris = Annotated[list[str] | None, typer.Option(help="A complete address; repeat for several.")]
Scope = Annotated[
    list[str] | None,
    typer.Option(help="A scope it may ask for; repeat for several. The default is aemp:read."),
]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict",
        help="Tokens live an hour and are refreshed; PKCE and all parameters of the RFCs are required.",
    ),
]
Public = Annotated[
    bool,
    typer.Option("--public", help="It runs on people's own devices and has no secret; implies --strict."),
]
ResourceServer = Annotated[
    bool, typer.Option("--resource-server", help="It may introspect the tokens for its --audience.")
]
Audience = Annotated[
    str | None, typer.Option(metavar="URI", help="The resource server's URI, as tokens name it.")
]
Grants = Annotated[
    list[str] | None,
    typer.Option(
        metavar="TYPE",
        help=f"One of {', '.join(sorted(GRANTS))}; repeat for several. The default is authorization_code, and for strict "
        "applications also refresh_token.",
    ),
]
ActsFor = Annotated[
    str | None, typer.Option(metavar="EMAIL", help="The customer that its client_credentials tokens act for.")
]
Jwks = Annotated[
    Path | None,
    typer.Option(
        help="JWK Set of the public keys that a strict application authenticates with (private_key_jwt). It then has "
        "no client_secret.",
        exists=True,
        dir_okay=False,
        readable=True,
    ),
]

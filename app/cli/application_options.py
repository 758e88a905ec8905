"""What can be said of an application on the command line."""

from pathlib import Path
from typing import Annotated

import typer

from app.oauth.registration import GRANTS

_NAME = typer.Option(help="What customers read on the consent page.")
_COMPANY = typer.Option(help="Who makes it.")

ClientId = Annotated[str, typer.Argument(metavar="CLIENT_ID", help="The application's client_id.")]
Name = Annotated[str, _NAME]
NewName = Annotated[str | None, _NAME]
Company = Annotated[str, _COMPANY]
NewCompany = Annotated[str | None, _COMPANY]
Logo = Annotated[
    Path | None, typer.Option(help="PNG, JPEG or WebP.", exists=True, dir_okay=False, readable=True)
]
RedirectUris = Annotated[list[str] | None, typer.Option(help="Complete address; repeat for several.")]
Scope = Annotated[
    list[str] | None, typer.Option(help="What it may ask for; repeat for several; default aemp:read.")
]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict", help="Tokens of an hour that are refreshed, PKCE, and every parameter the RFCs ask for."
    ),
]
Public = Annotated[
    bool, typer.Option("--public", help="Without a secret, on people's own devices; implies --strict.")
]
ResourceServer = Annotated[
    bool, typer.Option("--resource-server", help="May introspect the tokens for its --audience.")
]
Audience = Annotated[str | None, typer.Option(metavar="URI", help="Of a resource server, as tokens name it.")]
Grants = Annotated[
    list[str] | None,
    typer.Option(
        metavar="TYPE",
        help=f"One of {', '.join(GRANTS)}; repeat for several. Default: authorization_code, for strict "
        "applications with refresh_token.",
    ),
]
ActsFor = Annotated[
    str | None, typer.Option(metavar="EMAIL", help="Whom its client_credentials tokens act for.")
]
Jwks = Annotated[
    Path | None,
    typer.Option(
        help="JWK Set of the public keys it proves itself by (private_key_jwt), for strict applications. It then has "
        "no client_secret.",
        exists=True,
        dir_okay=False,
        readable=True,
    ),
]

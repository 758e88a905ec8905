"""Every row of the table of addresses with its handler, on one screen."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from starlette.routing import Mount

from app.web import health, paths
from app.web.api import aemp, telemetry
from app.web.cross_origin import READABLE, READINGS, preflight, preflight_of_reading
from app.web.oauth.introspect import introspect
from app.web.oauth.jwks import jwks
from app.web.oauth.metadata import openid_metadata, resource_metadata, server_metadata
from app.web.oauth.revoke import revoke
from app.web.oauth.token import token
from app.web.pages import account, consent, demo, login
from app.web.pages.home import home
from app.web.pages.logo import logo
from app.web.pages.static_files import PageFiles
from app.web.paths import GET, POST, READ, TABLE, Methods
from app.web.reference.docs import docs
from app.web.reference.document import openapi

HANDLERS: dict[tuple[str, Methods], Callable[..., Any]] = {
    # OAuth2
    (paths.AUTHORIZE, GET): consent.authorize,
    (paths.AUTHORIZE, POST): consent.authorize_by_post,
    (paths.CONSENT, POST): consent.submit_consent,
    (paths.TOKEN, POST): token,
    (paths.INTROSPECT, POST): introspect,
    (paths.REVOKE, POST): revoke,
    (paths.JWKS, READ): jwks,
    (paths.SERVER_METADATA, READ): server_metadata,
    (paths.OPENID_METADATA, READ): openid_metadata,
    (paths.RESOURCE_METADATA, READ): resource_metadata,
    # AEMP
    (paths.FLEET_BEFORE_V1_ROUTE, READ): aemp.read_v1,
    (paths.BELOW_FLEET_BEFORE_V1, READ): aemp.read_v1,
    (paths.FLEET_V1_ROUTE, READ): aemp.read_v1,
    (paths.BELOW_FLEET_V1, READ): aemp.read_v1,
    (paths.FLEET_V2_ROUTE, READ): aemp.read_v2,
    (paths.BELOW_FLEET_V2, READ): aemp.read_v2,
    (paths.TELEMETRY, POST): telemetry.write,
    # For integrators
    (paths.OPENAPI, READ): openapi,
    (paths.DOCUMENTATION, READ): docs,
    # Pages
    (paths.HOME, READ): home,
    (paths.LOGIN, GET): login.login,
    (paths.LOGIN, POST): login.submit_login,
    (paths.LOGOUT, POST): login.submit_logout,
    (paths.MACHINES, GET): account.machines,
    (paths.CONNECTIONS, GET): account.connections,
    (paths.DISCONNECT, POST): account.submit_disconnect,
    (paths.LOGO, READ): logo,
    (paths.STATIC_FILES, READ): PageFiles(),
    # The demo application
    (paths.DEMO_CALLBACK, GET): demo.callback,
    (paths.DEMO_TOKEN, POST): demo.fetch_token,
    (paths.DEMO_FLEET, POST): demo.call_api,
    # For those who run it
    (paths.ALIVE, READ): health.alive,
    (paths.READY, READ): health.ready,
    (paths.VERSION, READ): health.version,
}

router = APIRouter()

for row in TABLE:
    handler = HANDLERS[row.path, row.methods]
    if isinstance(handler, PageFiles):  # many files below one address
        router.routes.append(Mount(row.path, handler))
    else:
        router.add_api_route(row.path, handler, methods=[*row.methods])
for readable in sorted(READABLE):
    router.add_api_route(readable, preflight, methods=["OPTIONS"])
for reading in sorted(READINGS):
    router.add_api_route(reading, preflight_of_reading, methods=["OPTIONS"])

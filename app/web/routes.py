"""Every URL of the service on one screen."""

from fastapi import APIRouter
from starlette.routing import Mount

from app.web import health
from app.web.api import aemp, telemetry
from app.web.cross_origin import READABLE, preflight
from app.web.errors import RESOURCE_METADATA
from app.web.oauth.introspect import introspect
from app.web.oauth.jwks import jwks
from app.web.oauth.metadata import DOCUMENTATION, JWKS, resource_metadata, server_metadata
from app.web.oauth.revoke import revoke
from app.web.oauth.token import token
from app.web.pages import account, consent, login
from app.web.pages.demo import call_api, callback, fetch_token
from app.web.pages.home import home
from app.web.pages.logo import logo
from app.web.pages.static_files import PageFiles
from app.web.reference.docs import docs
from app.web.reference.document import OPENAPI, openapi

router = APIRouter()
route = router.add_api_route

# Documents whose head alone may be asked for too (RFC 9110 section 9.3.2). Pages of a person's own begin or go on with
# something when they are read, so they are only ever read whole.
READ = ["GET", "HEAD"]

# OAuth2
route(consent.AUTHORIZE, consent.authorize, methods=["GET"])
route(consent.AUTHORIZE, consent.authorize_by_post, methods=["POST"])
route("/app/oauth2/token", token, methods=["POST"])
route("/app/oauth2/introspect", introspect, methods=["POST"])
route("/app/oauth2/revoke", revoke, methods=["POST"])
route(JWKS, jwks, methods=READ)
for readable in sorted(READABLE):
    route(readable, preflight, methods=["OPTIONS"])
route("/.well-known/oauth-authorization-server", server_metadata, methods=READ)
route("/.well-known/oauth-protected-resource", resource_metadata, methods=READ)
route(RESOURCE_METADATA, resource_metadata, methods=READ)

# AEMP
for version, read in ((aemp.V1, aemp.read_v1), (aemp.V2, aemp.read_v2)):
    route(version + "{fleet:fleet}", read, methods=READ)
    route(version + "{fleet:fleet}/{address:path}", read, methods=READ)
route(telemetry.TELEMETRY, telemetry.write, methods=["POST"])

# For integrators: the same, for programs and for people
route(OPENAPI, openapi, methods=READ)
route(DOCUMENTATION, docs, methods=READ)

# Pages
route("/", home, methods=READ)
route(login.LOGIN, login.login, methods=["GET"])
route(login.LOGIN, login.submit_login, methods=["POST"])
route(login.LOGOUT, login.submit_logout, methods=["POST"])
route(consent.CONSENT, consent.submit_consent, methods=["POST"])
route(account.MACHINES, account.machines, methods=["GET"])
route(login.CONNECTIONS, account.connections, methods=["GET"])
route(account.DISCONNECT, account.submit_disconnect, methods=["POST"])
route("/app/logo/{digest}.png", logo, methods=READ)
router.routes.append(Mount("/app/static", PageFiles()))

# The demo application, in development only
route("/app/demo/callback", callback, methods=["GET"])
route("/app/demo/token", fetch_token, methods=["POST"])
route("/app/demo/fleet", call_api, methods=["POST"])

# For those who run it
route("/health/alive", health.alive, methods=READ)
route("/health/ready", health.ready, methods=READ)
route("/version", health.version, methods=READ)

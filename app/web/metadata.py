"""Discovery documents: the authorization server (RFC 8414) and the resource it guards (RFC 9728)."""

import orjson
from starlette.requests import Request
from starlette.responses import Response

from app.flows.issue_token import GRANT_TYPES
from app.oauth.metadata import authorization_server, protected_resource
from app.web.request import context_of

_ENDPOINTS = {
    "authorization_endpoint": "/app/oauth2/authorize",
    "token_endpoint": "/app/oauth2/token",
    "introspection_endpoint": "/app/oauth2/introspect",
    "revocation_endpoint": "/app/oauth2/revoke",
}
_HEADERS = {"Cache-Control": "public, max-age=3600", "Access-Control-Allow-Origin": "*"}


async def server_metadata(request: Request) -> Response:
    issuer = context_of(request).policy.issuer
    document = authorization_server(issuer, endpoints=_ENDPOINTS, grant_types=GRANT_TYPES)
    return Response(orjson.dumps(document), media_type="application/json", headers=_HEADERS)


async def resource_metadata(request: Request) -> Response:
    policy = context_of(request).policy
    document = protected_resource(policy.audience, issuer=policy.issuer)
    return Response(orjson.dumps(document), media_type="application/json", headers=_HEADERS)

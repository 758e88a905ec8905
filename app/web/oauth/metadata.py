"""Discovery documents: the authorization server (RFC 8414) and the resource it guards (RFC 9728)."""

import orjson
from starlette.requests import Request
from starlette.responses import Response

from app.flows.token.grants import GRANTS
from app.oauth.metadata import authorization_server, protected_resource
from app.web.cross_origin import document_headers
from app.web.paths import AUTHORIZE, DOCUMENTATION, INTROSPECT, JWKS, REVOKE, TOKEN
from app.web.request import context_of

_ENDPOINTS = {
    "authorization_endpoint": AUTHORIZE,
    "token_endpoint": TOKEN,
    "introspection_endpoint": INTROSPECT,
    "revocation_endpoint": REVOKE,
    "jwks_uri": JWKS,
}
_HEADERS = {"Cache-Control": "public, max-age=3600"}


async def server_metadata(request: Request) -> Response:
    return _answer(request, describe_server(context_of(request).policy.issuer))


async def openid_metadata(request: Request) -> Response:
    return _answer(request, describe_for_openid(context_of(request).policy.issuer))


async def resource_metadata(request: Request) -> Response:
    policy = context_of(request).policy
    return _answer(request, describe_resource(policy.issuer, policy.audience))


def describe_server(issuer: str) -> dict[str, object]:
    return authorization_server(
        issuer,
        endpoints=_ENDPOINTS,
        grant_types=tuple(GRANTS),
        service_documentation=issuer + DOCUMENTATION,
    )


def describe_for_openid(issuer: str) -> dict[str, object]:
    """The same for libraries that look where OpenID providers publish theirs (RFC 8414 section 5).

    They refuse a document without `subject_types_supported`. Nothing in it says that we are such a provider.
    """
    return {**describe_server(issuer), "subject_types_supported": ["public"]}


def describe_resource(issuer: str, audience: str) -> dict[str, object]:
    return protected_resource(audience, issuer=issuer, resource_documentation=issuer + DOCUMENTATION)


def _answer(request: Request, document: dict[str, object]) -> Response:
    headers = {**_HEADERS, **document_headers(request.scope["path"])}
    return Response(orjson.dumps(document), media_type="application/json", headers=headers)

"""The OpenAPI 3.1 document: what programs may ask of this service, and what they are answered."""

from functools import cache

import orjson
from starlette.requests import Request
from starlette.responses import Response

from app import __version__
from app.oauth.challenge import BASIC
from app.oauth.scope import KNOWN_SCOPES
from app.web.oauth.metadata import DOCUMENTATION
from app.web.reference import (
    aemp,
    aemp_forms,
    aemp_refusals,
    authorize,
    credentials,
    fleet_schemas,
    introduction,
    schemas,
    series_schemas,
    service,
    telemetry,
    token,
    token_query,
)
from app.web.reference.notation import Json
from app.web.request import context_of

OPENAPI = "/openapi.json"

_HEADERS = {"Cache-Control": "no-cache", "Access-Control-Allow-Origin": "*"}


async def openapi(request: Request) -> Response:
    return Response(
        _rendered(context_of(request).policy.issuer), media_type="application/json", headers=_HEADERS
    )


@cache
def describe(issuer: str) -> Json:
    """Addresses in it begin with the issuer, whatever Host a request named."""
    return {
        "openapi": "3.1.1",
        "info": {
            "title": introduction.TITLE,
            "version": __version__,
            "summary": introduction.SUMMARY,
            "description": introduction.description(),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": issuer}],
        "externalDocs": {"description": "The same for people", "url": issuer + DOCUMENTATION},
        "tags": [{"name": tag.name, "description": f"{tag.title}. {tag.text}"} for tag in introduction.TAGS],
        "paths": {
            **authorize.paths(issuer),
            **token.paths(issuer),
            **token_query.paths(issuer),
            **aemp.paths(issuer),
            **telemetry.paths(),
            **service.paths(issuer),
        },
        "components": {
            "schemas": _SCHEMAS,
            "responses": {**credentials.RESPONSES, **aemp_refusals.RESPONSES},
            "parameters": aemp_forms.PARAMETERS,
            "headers": _RESPONSE_HEADERS,
            "securitySchemes": _security_schemes(issuer),
        },
    }


@cache
def _rendered(issuer: str) -> bytes:
    return orjson.dumps(describe(issuer))


_SCHEMAS: Json = {
    "TokenAnswer": schemas.TOKEN_ANSWER,
    "Introspection": schemas.INTROSPECTION,
    "SignedIntrospection": schemas.SIGNED_INTROSPECTION,
    "KeySet": schemas.KEY_SET,
    "Nothing": schemas.NOTHING,
    "OAuthError": schemas.OAUTH_ERROR,
    "Fleet": fleet_schemas.FLEET,
    "Fleet20190501": fleet_schemas.FLEET_20190501,
    "Equipment": fleet_schemas.EQUIPMENT,
    "EquipmentHeader": fleet_schemas.EQUIPMENT_HEADER,
    "Link": fleet_schemas.LINK,
    "FleetAemp12": fleet_schemas.FLEET_1_2,
    "EquipmentAemp12": fleet_schemas.EQUIPMENT_1_2,
    **fleet_schemas.READINGS,
    **series_schemas.SERIES_SCHEMAS,
    "Taken": telemetry.TAKEN,
    "RejectedReading": telemetry.REJECTED,
    "AempError": fleet_schemas.AEMP_ERROR,
    "ServerMetadata": schemas.SERVER_METADATA,
    "ResourceMetadata": schemas.RESOURCE_METADATA,
    "Alive": schemas.ALIVE,
    "Ready": schemas.READY,
    "Version": schemas.VERSION,
}


def _header(description: str, **schema: object) -> Json:
    return {"description": description, "schema": {"type": "string", **schema}}


_RESPONSE_HEADERS: Json = {
    "NoStore": _header("Holds secrets, or changes at once: nobody keeps it.", const="no-store"),
    "Private": _header("For the one who asked, and asked again each time.", const="private, no-cache"),
    "Public": _header("May be kept for an hour.", const="public, max-age=3600"),
    "PublicBriefly": _header(
        "May be kept for less time than a new key waits before it signs.", pattern=r"^public, max-age=\d+$"
    ),
    "Varies": _header("What the answer depends on.", const="Accept, Accept-Encoding"),
    "EntityTag": _header(
        "Of the document and its coding: send it as `If-None-Match`, and what you have is answered 304.",
        pattern='^"[^"]+"$',
    ),
    "RateLimitPolicy": _header(
        "How many requests a minute one connection of a customer has (an IETF draft). The same number, what is left and "
        "when it is whole again also stand in `X-RateLimit-Limit`, `X-RateLimit-Remaining` and `X-RateLimit-Reset`.",
        pattern=r'^"reads";q=\d+;w=60$',
    ),
    "RateLimit": _header(
        "What is left of that, and in how many seconds it is whole again.", pattern=r'^"reads";r=\d+;t=\d+$'
    ),
    "AnyOrigin": _header("Pages of any site may read it.", const="*"),
    "RetryAfter": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}},
    "BasicChallenge": _header("How to authenticate.", const=BASIC),
    "BearerChallenge": _header(
        "RFC 6750: `error` says what is wrong with the token, `resource_metadata` (RFC 9728) where to get another.",
        pattern="^Bearer ",
    ),
}


def _security_schemes(issuer: str) -> Json:
    return {
        "basic": {
            "type": "http",
            "scheme": "basic",
            "description": "The application, by `client_id` and `client_secret`. Instead of it, both may be sent as fields "
            "of the form; a public application sends its `client_id` alone, one registered with keys a `client_assertion`.",
        },
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": schemas.TOKEN_PATTERN,
            "description": "The access token, in the `Authorization` header only.",
        },
        "oauth2": {
            "type": "oauth2",
            "description": "The same token, for tools that fetch it themselves.",
            "flows": {
                "authorizationCode": {
                    "authorizationUrl": f"{issuer}/app/oauth2/authorize",
                    "tokenUrl": f"{issuer}/app/oauth2/token",
                    "refreshUrl": f"{issuer}/app/oauth2/token",
                    "scopes": KNOWN_SCOPES,
                },
                "clientCredentials": {"tokenUrl": f"{issuer}/app/oauth2/token", "scopes": KNOWN_SCOPES},
            },
        },
    }

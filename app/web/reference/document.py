"""The OpenAPI 3.1 document: the requests that programs may send to this service, and its answers."""

from functools import cache

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope

from app import __version__
from app.context import Context
from app.oauth.challenge import BASIC
from app.oauth.scope import offered_scopes
from app.web.answer import Answer, as_response, spelt
from app.web.cross_origin import document_headers
from app.web.paths import AUTHORIZE, DOCUMENTATION, OPENAPI, TOKEN
from app.web.reference import (
    aemp,
    aemp_forms,
    aemp_refusals,
    authorize,
    credentials,
    details,
    fleet_schemas,
    introduction,
    schemas,
    series_schemas,
    service,
    telemetry,
    token,
    token_query,
    userinfo,
)
from app.web.reference.notation import Json
from app.web.request import context_of

_HEADERS = spelt(
    {"Content-Type": "application/json", "Cache-Control": "no-cache", **document_headers(OPENAPI)}
)


async def answer_openapi(context: Context, _scope: Scope, _receive: Receive) -> Answer:
    return Answer(200, _rendered(context.policy.issuer), _HEADERS)


async def openapi(request: Request) -> Response:
    return as_response(await answer_openapi(context_of(request), request.scope, request.receive))


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
        "externalDocs": {"description": "The same text for people", "url": issuer + DOCUMENTATION},
        "tags": [{"name": tag.name, "description": f"{tag.title}. {tag.text}"} for tag in introduction.TAGS],
        "paths": {
            **authorize.paths(issuer),
            **token.paths(issuer),
            **token_query.paths(issuer),
            **userinfo.paths(issuer),
            **aemp.paths(issuer),
            **telemetry.paths(),
            **service.paths(issuer),
        },
        "components": {
            "schemas": _SCHEMAS,
            "responses": {**credentials.responses(issuer), **aemp_refusals.RESPONSES},
            "parameters": aemp_forms.PARAMETERS,
            "headers": _RESPONSE_HEADERS,
            "securitySchemes": _security_schemes(issuer),
        },
    }


@cache
def _rendered(issuer: str) -> bytes:
    return orjson.dumps(describe(issuer))


_SCHEMAS: Json = {
    "GrantedDetails": details.GRANTED,
    "TokenAnswer": schemas.TOKEN_ANSWER,
    "Introspection": schemas.INTROSPECTION,
    "Userinfo": schemas.USERINFO,
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
    "NoStore": _header("The answer holds secrets, or changes at once. Nobody may keep it.", const="no-store"),
    "Private": _header(
        "Only the caller may keep the answer, and must check it again each time.", const="private, no-cache"
    ),
    "Public": _header("The answer may be kept for an hour.", const="public, max-age=3600"),
    "PublicBriefly": _header(
        "The answer may be kept. A new key waits longer than that before it signs.",
        pattern=r"^public, max-age=\d+$",
    ),
    "Varies": _header("The request headers that the answer depends on.", const="Accept, Accept-Encoding"),
    "EntityTag": _header(
        "The tag of the document and its coding. Send it as `If-None-Match`; an unchanged document is answered 304.",
        pattern='^"[^"]+"$',
    ),
    "RateLimitPolicy": _header(
        "How many requests a minute one connection of a customer has (an IETF draft). `X-RateLimit-Limit`, "
        "`X-RateLimit-Remaining` and `X-RateLimit-Reset` also name this number, the requests left, and when all are back.",
        pattern=r'^"reads";q=\d+;w=60$',
    ),
    "RateLimit": _header(
        "The requests left, and the seconds until the budget is full again.", pattern=r'^"reads";r=\d+;t=\d+$'
    ),
    "AnyOrigin": _header("Pages of any site may read the answer.", const="*"),
    "RetryAfter": {"description": "The seconds to wait.", "schema": {"type": "integer", "minimum": 0}},
    "BasicChallenge": _header("How to authenticate.", const=BASIC),
    "BearerChallenge": _header(
        "RFC 6750. `error` and `error_uri` say what is wrong with the token, and `scope` which one is needed. `resource_metadata` (RFC 9728) "
        "says where to get another.",
        pattern="^Bearer ",
    ),
}


def _security_schemes(issuer: str) -> Json:
    return {
        "basic": {
            "type": "http",
            "scheme": "basic",
            "description": "The application's `client_id` and `client_secret`. You may send both as fields of the form "
            "instead. A public application sends only its `client_id`. An application with keys sends a `client_assertion`.",
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
                    "authorizationUrl": f"{issuer}{AUTHORIZE}",
                    "tokenUrl": f"{issuer}{TOKEN}",
                    "refreshUrl": f"{issuer}{TOKEN}",
                    "scopes": offered_scopes(),
                },
                "clientCredentials": {"tokenUrl": f"{issuer}{TOKEN}", "scopes": offered_scopes()},
            },
        },
    }

"""The service describes itself: discovery documents, health, version."""

from app.policy import audience_of
from app.web.health import PUBLISHED
from app.web.oauth.metadata import describe_for_openid, describe_resource, describe_server
from app.web.paths import ALIVE, JWKS, OPENID_METADATA, READY, RESOURCE_METADATA, SERVER_METADATA, VERSION
from app.web.reference import examples
from app.web.reference.notation import Json, answer, example, json_content, ref, schema_ref

_PUBLIC = {"Cache-Control": "Public", "Access-Control-Allow-Origin": "AnyOrigin"}
_NO_STORE = {"Cache-Control": "NoStore"}
_WELL: Json = {"status": "ok", "postgresql": "ok", "valkey": "ok"}


def _operation(operation_id: str, tag: str, summary: str, description: str, responses: Json) -> Json:
    return {
        "get": {
            "operationId": operation_id,
            "tags": [tag],
            "summary": summary,
            "description": description,
            "security": [],
            "responses": responses,
        }
    }


def _keys() -> Json:
    return _operation(
        "readKeys",
        "discovery",
        "The keys that sign answers",
        "For callers who ask for signed answers (RFC 9701). A new key is published here before it signs. So a set that you "
        "keep as long as `Cache-Control` says is always complete.",
        {
            "200": answer(
                "A JWK Set (RFC 7517).",
                {
                    "application/jwk-set+json": {
                        "schema": schema_ref("KeySet"),
                        "examples": {"keys": example("Today", {"keys": [examples.PUBLIC_JWK]})},
                    }
                },
                headers={**_PUBLIC, "Cache-Control": "PublicBriefly"},
            ),
            "503": ref("responses", "Unavailable"),
        },
    )


def _discovery(issuer: str) -> Json:
    server = json_content("ServerMetadata", {"server": example("Today", describe_server(issuer))})
    openid = json_content("ServerMetadata", {"server": example("Today", describe_for_openid(issuer))})
    described = describe_resource(issuer, audience_of(issuer))
    resource = json_content("ResourceMetadata", {"resource": example("Today", described)})
    return {
        SERVER_METADATA: _operation(
            "describeServer",
            "discovery",
            "The authorization server",
            "Everything an OAuth2 library needs to configure itself.",
            {"200": answer("RFC 8414 metadata.", server, headers=_PUBLIC)},
        ),
        OPENID_METADATA: _operation(
            "describeServerForOpenId",
            "discovery",
            "The authorization server, for OpenID libraries",
            "The same metadata at the place where some libraries look. We are no OpenID provider: there are no ID tokens.",
            {"200": answer("RFC 8414 metadata, with `subject_types_supported`.", openid, headers=_PUBLIC)},
        ),
        JWKS: _keys(),
        RESOURCE_METADATA: _operation(
            "describeResource",
            "discovery",
            "The AEMP API",
            "Names the server that gives tokens for the API. Challenges point here.",
            {"200": answer("RFC 9728 metadata.", resource, headers=_PUBLIC)},
        ),
    }


def _ready() -> Json:
    degraded = {**_WELL, "status": "degraded", "valkey": "unreachable"}
    unavailable = {**_WELL, "status": "unavailable", "postgresql": "unreachable"}
    can = {
        "ok": example("All is well.", _WELL),
        "degraded": example("Tokens are checked and issued; new approvals wait.", degraded),
    }
    cannot = {
        "unavailable": example("Nothing can be served.", unavailable),
        "draining": example("The process is about to stop; use another.", {**_WELL, "status": "draining"}),
    }
    return _operation(
        "ready",
        "operation",
        "Can it serve?",
        "Load balancers ask this.",
        {
            "200": answer("The process can serve.", json_content("Ready", can), headers=_NO_STORE),
            "503": answer("The process cannot serve.", json_content("Ready", cannot), headers=_NO_STORE),
        },
    )


def _health() -> Json:
    alive = json_content("Alive", {"alive": example("Always", {"status": "ok"})})
    return {
        ALIVE: _operation(
            "alive",
            "operation",
            "Does the process answer?",
            "A supervisor asks this, to restart the process. It never touches a store.",
            {"200": answer("The process answers.", alive, headers=_NO_STORE)},
        ),
        READY: _ready(),
        VERSION: _operation(
            "version",
            "operation",
            "What is running?",
            "The version of the service. In development it also names the interpreter and the required database schema.",
            {
                "200": answer(
                    "The versions.",
                    json_content("Version", {"version": example("Now", PUBLISHED)}),
                    headers=_NO_STORE,
                )
            },
        ),
    }


def paths(issuer: str) -> Json:
    return {**_discovery(issuer), **_health()}

"""Schemas of what the OAuth2 endpoints, the discovery documents and the health routes answer."""

from app.oauth.scope import offered_scopes
from app.oauth.token_string import CLIENT_SECRET_PATTERN, PATTERNS
from app.web.reference.notation import REFERENCE, Json, schema_ref

TOKEN_PATTERN = f"^{PATTERNS['at']}$"
CODE_PATTERN = f"^{PATTERNS['ac']}$"
REFRESH_PATTERN = f"^{PATTERNS['rt']}$"
SECRET_PATTERN = f"^{CLIENT_SECRET_PATTERN}$"
CHALLENGE_PATTERN = "^[A-Za-z0-9_-]{43}$"
JWT_PATTERN = r"^[\w-]+\.[\w-]+\.[\w-]+$"
VERIFIER_PATTERN = "^[A-Za-z0-9._~-]{43,128}$"

_SCOPES = " and ".join(f"`{scope}`" for scope in offered_scopes())

_TEXTS: Json = {"type": "array", "items": {"type": "string"}}
_ADDRESS: Json = {"type": "string", "format": "uri"}


def _object(required: tuple[str, ...], **properties: Json) -> Json:
    return {"type": "object", "required": list(required), "properties": properties}


def _text(description: str, **more: object) -> Json:
    return {"type": "string", "description": description, **more}


def _seconds(description: str) -> Json:
    return {"type": "integer", "minimum": 0, "description": description}


_SUB = _text(
    "Who stands behind the token: the person who approved it, or the application where no person did."
)
_TEST: Json = {
    "type": "boolean",
    "const": True,
    "description": "Stands there where the account is a test customer.",
}
_ACCOUNT: Json = {
    **_object(("id", "name"), id=_text("Its id, for ever.", format="uuid"), name=_text("Its name today.")),
    "description": "The customer whose machines the token reads. A token that acts for no customer has none.",
}

TOKEN_ANSWER = _object(
    ("access_token", "token_type", "type", "expires_in", "scope"),
    access_token=_text("Send it as `Authorization: Bearer ...`.", pattern=TOKEN_PATTERN),
    token_type=_text("How the token is used.", const="Bearer"),
    type=_text("The same as `token_type`, for applications made before that member existed.", const="Bearer"),
    expires_in=_seconds(
        "Seconds until the token ends if it is not used. Each use of a long-lived token renews it."
    ),
    scope=_text(f"What the token covers. The scopes are {_SCOPES}."),
    refresh_token=_text("Gives a strict application the next pair. It works once.", pattern=REFRESH_PATTERN),
    authorization_details=schema_ref("GrantedDetails"),
)

INTROSPECTION: Json = {
    "description": "The token's state. An inactive token is answered the same for every reason.",
    "oneOf": [
        _object(
            ("active", "scope", "client_id", "exp", "sub", "aud", "iss", "jti"),
            active={"type": "boolean", "const": True, "description": "Whether the token works."},
            scope=_text("What the token covers."),
            client_id=_text(
                "The application that got the token. Those from before a move keep an id of any form."
            ),
            token_type=_text("How the token is used. A refresh token has none.", const="Bearer"),
            exp=_seconds("When the token ends if it is not used, in seconds since 1970 (UTC)."),
            iat=_seconds(
                "When the token was issued, in seconds since 1970 (UTC). It is missing where a former system did not say."
            ),
            sub=_SUB,
            account=_ACCOUNT,
            test=_TEST,
            aud={**_ADDRESS, "description": "The API that the token is meant for."},
            iss={**_ADDRESS, "description": "The issuer of the token."},
            jti=_text("The token's id, which is no secret.", format="uuid"),
            authorization_details=schema_ref("GrantedDetails"),
        ),
        {**_object(("active",), active={"const": False}), "maxProperties": 1},
    ],
}

USERINFO = _object(
    ("sub", "account"),
    sub=_SUB,
    account=_ACCOUNT,
    test=_TEST,
    email=_text("Address of the person who approved. Missing until the person confirmed it."),
    email_verified={"type": "boolean", "const": True, "description": "Stands beside `email`."},
)

NOTHING = _object(())

OAUTH_ERROR = _object(
    ("error", "reference"),
    error=_text("The error's code, for programs.", pattern="^[a-z_]+$"),
    error_description=_text("An explanation for people who read logs. Its words may change."),
    error_uri={**_ADDRESS, "description": "A page about this error."},
    reference=REFERENCE,
)

SERVER_METADATA = _object(
    ("issuer", "authorization_endpoint", "token_endpoint", "response_types_supported"),
    issuer={**_ADDRESS, "description": "Compare it with `iss` in the answers."},
    authorization_endpoint=_ADDRESS,
    token_endpoint=_ADDRESS,
    introspection_endpoint=_ADDRESS,
    revocation_endpoint=_ADDRESS,
    jwks_uri=_ADDRESS,
    scopes_supported=_TEXTS,
    response_types_supported=_TEXTS,
    response_modes_supported=_TEXTS,
    grant_types_supported=_TEXTS,
    token_endpoint_auth_methods_supported=_TEXTS,
    token_endpoint_auth_signing_alg_values_supported=_TEXTS,
    introspection_endpoint_auth_methods_supported=_TEXTS,
    introspection_endpoint_auth_signing_alg_values_supported=_TEXTS,
    introspection_signing_alg_values_supported=_TEXTS,
    revocation_endpoint_auth_methods_supported=_TEXTS,
    revocation_endpoint_auth_signing_alg_values_supported=_TEXTS,
    code_challenge_methods_supported=_TEXTS,
    authorization_response_iss_parameter_supported={"type": "boolean"},
    authorization_details_types_supported=_TEXTS,
    service_documentation=_ADDRESS,
    subject_types_supported=_TEXTS,
)

SIGNED_INTROSPECTION = _text(
    "A JWT of type `token-introspection+jwt` for the caller. It has `iss`, `aud` (your `client_id`), `iat`, and the answer as "
    "`token_introspection`.",
    pattern=JWT_PATTERN,
)

KEY_SET = _object(
    ("keys",),
    keys={
        "type": "array",
        "minItems": 1,
        "description": "The key that signs now, keys that will sign, and keys that signed until a day ago.",
        "items": _object(
            ("kty", "crv", "x", "y", "use", "alg", "kid"),
            kty={"const": "EC"},
            crv={"const": "P-256"},
            x={"type": "string"},
            y={"type": "string"},
            use={"const": "sig"},
            alg={"const": "ES256"},
            kid=_text("The key's thumbprint (RFC 7638).", pattern="^[A-Za-z0-9_-]{43}$"),
        ),
    },
)

RESOURCE_METADATA = _object(
    ("resource", "authorization_servers"),
    resource={**_ADDRESS, "description": "The audience that tokens for the API carry."},
    authorization_servers={"type": "array", "items": _ADDRESS},
    scopes_supported=_TEXTS,
    bearer_methods_supported=_TEXTS,
    authorization_details_types_supported=_TEXTS,
    resource_name={"type": "string"},
    resource_documentation=_ADDRESS,
)

ALIVE = _object(("status",), status={"const": "ok"})

READY = _object(
    ("status", "postgresql", "valkey"),
    status=_text(
        "`degraded`: tokens are checked and issued, but new approvals and applications with keys wait. "
        "`draining`: the process is about to stop.",
        enum=["ok", "degraded", "unavailable", "draining"],
    ),
    postgresql=_text("`ok`, or what is wrong with the store."),
    valkey=_text("`ok`, or what is wrong with the store."),
)

VERSION = _object(
    ("version",),
    version=_text("The version of the service."),
    python=_text("The version of the interpreter, in development."),
    schema={
        "type": "integer",
        "minimum": 1,
        "description": "The number of the required database schema, in development.",
    },
)

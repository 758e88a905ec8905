"""The endpoints an application's own server calls: token, introspection, revocation."""

from uuid import UUID

import orjson

from app.flows.issue_token import GRANT_TYPES
from app.oauth.answer import INACTIVE, introspection_answer, token_answer
from app.oauth.errors import (
    body_too_large,
    invalid_client,
    invalid_grant,
    invalid_request,
    invalid_scope,
    invalid_target,
    temporarily_unavailable,
    too_many_failures,
    unauthorized_client,
    unsupported_grant_type,
)
from app.oauth.scope import DEFAULT_SCOPE, KNOWN_SCOPES
from app.web.openapi import examples
from app.web.openapi.notation import Case, Json, answer, example, json_content, ref, refusal
from app.web.openapi.schemas import CODE_PATTERN, REFRESH_PATTERN, SECRET_PATTERN, VERIFIER_PATTERN
from app.web.request import MOST_BODY_BYTES

_YEAR_S = 365 * 86_400
_MONTH_S = 30 * 86_400
_HOUR_S = 3600

_TEXT: Json = {"type": "string"}

# The secret travels in the body, as the documented wire has it, or by HTTP Basic; a public application has none. OpenAPI
# has no scheme for the body: the empty alternative stands for it, and the two fields of the form.
_AUTHENTICATED: list[Json] = [{"basic": []}, {}]
_CREDENTIALS: Json = {
    "client_id": {
        **_TEXT,
        "format": "uuid",
        "description": "Yours, from registration. Here or by HTTP Basic, not both.",
    },
    "client_secret": {
        **_TEXT,
        "pattern": SECRET_PATTERN,
        "description": "Yours, from registration. Here or by HTTP Basic, not both. Public applications have none.",
    },
}
_SENT: Json = {"client_id": examples.CLIENT_ID, "client_secret": examples.CLIENT_SECRET}

_MISSING: Case = ("invalid_request", "There is no `token`.", invalid_request("token is missing"))

RESPONSES: Json = {
    "InvalidClient": refusal(
        "Who asks is not proved.",
        (
            "invalid_client",
            "`client_id` or `client_secret` is wrong; we do not say which.",
            invalid_client("not shown"),
        ),
        headers={"WWW-Authenticate": "BasicChallenge"},
    ),
    "TooLarge": refusal(
        "The body is too large.",
        (
            "invalid_request",
            "The body is larger than 16 KiB.",
            body_too_large(MOST_BODY_BYTES),
        ),
    ),
    "NotAForm": refusal(
        "The body is no form.",
        (
            "invalid_request",
            "The body is something else, such as JSON.",
            invalid_request("the body must be application/x-www-form-urlencoded"),
        ),
    ),
    "TooManyFailures": refusal(
        "Too many failures of yours.",
        (
            "slow_down",
            "Too many wrong secrets or forged tokens came from you. Try again after `Retry-After` seconds.",
            too_many_failures(),
        ),
        headers={"Retry-After": "RetryAfter"},
    ),
    "Unavailable": refusal(
        "We are briefly away.",
        (
            "temporarily_unavailable",
            "Try again after `Retry-After` seconds.",
            temporarily_unavailable(),
        ),
        headers={"Retry-After": "RetryAfter"},
    ),
}

_SHARED: Json = {
    "401": ref("responses", "InvalidClient"),
    "413": ref("responses", "TooLarge"),
    "415": ref("responses", "NotAForm"),
    "429": ref("responses", "TooManyFailures"),
    "503": ref("responses", "Unavailable"),
}


def _form(required: tuple[str, ...], fields: Json, form_examples: Json) -> Json:
    schema = {"type": "object", "required": list(required), "properties": fields}
    content = {"application/x-www-form-urlencoded": {"schema": schema, "examples": form_examples}}
    return {"required": True, "content": content}


def _token_fields(issuer: str) -> Json:
    return {
        **_CREDENTIALS,
        "code": {
            **_TEXT,
            "pattern": CODE_PATTERN,
            "description": "What came back to your address, within 60 seconds.",
        },
        "grant_type": {
            **_TEXT,
            "enum": list(GRANT_TYPES),
            "description": "May be left out with `code`, and then means `authorization_code`; not by strict applications.",
        },
        "refresh_token": {
            **_TEXT,
            "pattern": REFRESH_PATTERN,
            "description": "The newest one you were given. It works once.",
        },
        "redirect_uri": {
            **_TEXT,
            "format": "uri",
            "description": "May be left out. When it is sent, it must be the address the code went to.",
        },
        "code_verifier": {
            **_TEXT,
            "pattern": VERIFIER_PATTERN,
            "description": "Required when the customer was sent with a `code_challenge`, as strict applications always do.",
        },
        "scope": {
            **_TEXT,
            "enum": sorted(KNOWN_SCOPES),
            "description": f"For `client_credentials`: `{DEFAULT_SCOPE}` where it is left out. For `refresh_token`: at most "
            "what the customer approved, and that where it is left out.",
        },
        "resource": {
            **_TEXT,
            "enum": [f"{issuer}/api"],
            "description": "For `client_credentials` and `refresh_token` (RFC 8707); may be left out.",
        },
    }


def _token_request(issuer: str) -> Json:
    standard = {
        "grant_type": "authorization_code",
        "code": examples.CODE,
        "redirect_uri": examples.REDIRECT_URI,
        "code_verifier": examples.CODE_VERIFIER,
    }
    return _form(
        (),
        _token_fields(issuer),
        {
            "documented": example("Three fields", {**_SENT, "code": examples.CODE}),
            "standard": example("As libraries send it: HTTP Basic, grant type, PKCE", standard),
            "public": example(
                "Of a public application, which has no secret",
                {
                    "grant_type": "authorization_code",
                    "client_id": examples.PUBLIC_CLIENT_ID,
                    "code": examples.CODE,
                    "code_verifier": examples.CODE_VERIFIER,
                },
            ),
            "refresh_token": example(
                "The next token of a strict application",
                {"grant_type": "refresh_token", "refresh_token": examples.REFRESH_TOKEN},
            ),
            "client_credentials": example(
                "For the application itself, where it is registered for that",
                {"grant_type": "client_credentials"},
            ),
        },
    )


def _token_refusals() -> Json:
    return refusal(
        "The request cannot be granted.",
        (
            "invalid_grant",
            "The code or refresh token is unknown, expired, used, revoked or not for this. Send the customer again.",
            invalid_grant("not shown"),
        ),
        (
            "invalid_request",
            "A parameter is missing, sent twice or badly encoded; the description says which.",
            invalid_request("code is sent more than once"),
        ),
        (
            "unauthorized_client",
            "Your registration does not cover this.",
            unauthorized_client("this application was not registered for this grant type"),
        ),
        ("unsupported_grant_type", "There is no such grant type.", unsupported_grant_type()),
        (
            "invalid_scope",
            "The scope is not one you may ask for, or reaches beyond what the customer approved.",
            invalid_scope("scope reaches beyond what this application may ask for"),
        ),
        (
            "invalid_target",
            "The resource is not our API.",
            invalid_target(),
        ),
    )


def _issued(token: str, life_s: int, refresh_token: str | None = None) -> object:
    return orjson.loads(token_answer(token, "Bearer", life_s, DEFAULT_SCOPE, refresh_token))


def _token(issuer: str) -> Json:
    issued = {
        "documented": example("For a code", _issued(examples.TOKEN, _YEAR_S)),
        "public": example(
            "For a code of a strict application, public or not",
            _issued(examples.SHORT_TOKEN, _HOUR_S, examples.REFRESH_TOKEN),
        ),
        "refresh_token": example(
            "For a refresh token, which is spent by it",
            _issued(examples.SHORT_TOKEN, _HOUR_S, examples.NEXT_REFRESH_TOKEN),
        ),
        "client_credentials": example("For the application itself", _issued(examples.SHORT_TOKEN, _HOUR_S)),
    }
    return {
        "operationId": "requestToken",
        "tags": ["connect"],
        "summary": "Exchange the code for a token",
        "description": "From your server, with your secret. The token lives 365 days from its last use and three years at "
        "most; there is nothing to refresh. Of one customer, your ten newest tokens work. A strict application's token lives "
        "an hour and comes with a refresh token that is good for 30 days, and its successors for a year. Each works once: "
        "presented a second time, it ends the connection, since somebody else may hold it.",
        "security": _AUTHENTICATED,
        "requestBody": _token_request(issuer),
        "responses": {
            "200": answer(
                "The token, stored before it is answered.",
                json_content("TokenAnswer", issued),
                headers={"Cache-Control": "NoStore"},
            ),
            "400": _token_refusals(),
            **_SHARED,
        },
    }


def _query_form(description: str) -> Json:
    fields = {
        "token": {**_TEXT, "description": description},
        **_CREDENTIALS,
        "token_type_hint": {**_TEXT, "description": "Not needed: a token says what it is."},
    }
    return _form(("token",), fields, {"documented": example("With HTTP Basic", {"token": examples.TOKEN})})


def _active(issuer: str, *, refresh: bool = False) -> object:
    written = introspection_answer(
        issuer=issuer,
        audience=f"{issuer}/api",
        client_id=UUID(examples.STRICT_CLIENT_ID if refresh else examples.CLIENT_ID),
        customer_id=examples.CUSTOMER_ID,
        token_id=examples.REFRESH_TOKEN_ID if refresh else examples.TOKEN_ID,
        token_type=None if refresh else "Bearer",
        scope=DEFAULT_SCOPE,
        issued_at=examples.ISSUED_AT_S,
        expires_at=examples.ISSUED_AT_S + (_MONTH_S if refresh else _YEAR_S),
    )
    return orjson.loads(written)


def _introspect(issuer: str) -> Json:
    states = {
        "active": example("It works.", _active(issuer)),
        "refresh_token": example("It is a refresh token that nobody used.", _active(issuer, refresh=True)),
        "inactive": example("It does not, or is not yours to ask about.", orjson.loads(INACTIVE)),
    }
    return {
        "operationId": "introspectToken",
        "tags": ["connect"],
        "summary": "Ask whether a token works",
        "description": "RFC 7662. You see your own tokens, refresh tokens too; a resource server sees the access tokens meant "
        "for it. Not for public applications.",
        "security": _AUTHENTICATED,
        "requestBody": _query_form("The token asked about."),
        "responses": {
            "200": answer(
                "What the token is.",
                json_content("Introspection", states),
                headers={"Cache-Control": "NoStore"},
            ),
            "400": refusal("The request is malformed.", _MISSING),
            **_SHARED,
        },
    }


def _revoke() -> Json:
    return {
        "operationId": "revokeToken",
        "tags": ["connect"],
        "summary": "End a token",
        "description": "RFC 7009, for when a customer leaves you. A second after the answer nobody accepts it any more. A "
        "refresh token ends with every token that came from the same approval, an access token alone.",
        "security": _AUTHENTICATED,
        "requestBody": _query_form("The token to end."),
        "responses": {
            "200": answer(
                "It does not work now, or never did. The body says nothing.",
                json_content("Nothing", {"ended": example("Whatever the token was", {})}),
                headers={"Cache-Control": "NoStore"},
            ),
            "400": refusal("The request is malformed.", _MISSING),
            **_SHARED,
        },
    }


def paths(issuer: str) -> Json:
    return {
        "/app/oauth2/token": {"post": _token(issuer)},
        "/app/oauth2/introspect": {"post": _introspect(issuer)},
        "/app/oauth2/revoke": {"post": _revoke()},
    }

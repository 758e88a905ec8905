"""The token endpoint: a code, a refresh token or the application itself becomes a token."""

import orjson

from app.flows.token.grants import GRANTS
from app.oauth.answer import token_answer
from app.oauth.assertion import ASSERTION_TYPE
from app.oauth.errors import (
    invalid_request,
    invalid_target,
    unauthorized_client,
    unsupported_grant_type,
)
from app.oauth.fleet_details import refuse_at_token
from app.oauth.refused_grant import refuse
from app.oauth.scope import DEFAULT_SCOPE, offered_scopes, refused_scope
from app.policy import audience_of
from app.web.paths import TOKEN
from app.web.reference import examples
from app.web.reference.credentials import AUTHENTICATED, CREDENTIALS, SHARED, TEXT, form
from app.web.reference.notation import Json, answer, example, json_content, refusal
from app.web.reference.schemas import CODE_PATTERN, REFRESH_PATTERN, VERIFIER_PATTERN

_YEAR_S = 365 * 86_400
_HOUR_S = 3600

_SENT: Json = {"client_id": examples.CLIENT_ID, "client_secret": examples.CLIENT_SECRET}


_PROOFS: Json = {
    "code": {
        **TEXT,
        "pattern": CODE_PATTERN,
        "description": "The code that came back to your address, within 60 seconds.",
    },
    "grant_type": {
        **TEXT,
        "enum": list(GRANTS),
        "description": "With `code` it may be left out, and then means `authorization_code`. Strict applications always send it.",
    },
    "refresh_token": {
        **TEXT,
        "pattern": REFRESH_PATTERN,
        "description": "Your newest refresh token. It works once.",
    },
    "redirect_uri": {
        **TEXT,
        "format": "uri",
        "description": "It may be left out. When you send it, it must be the address that the code went to.",
    },
    "code_verifier": {
        **TEXT,
        "pattern": VERIFIER_PATTERN,
        "description": "Required when you sent the customer with a `code_challenge`. Strict applications always do.",
    },
}


def _token_fields(issuer: str) -> Json:
    return {
        **CREDENTIALS,
        **_PROOFS,
        "scope": {
            **TEXT,
            "enum": list(offered_scopes()),
            "description": f"For `client_credentials` the default is `{DEFAULT_SCOPE}`. For `refresh_token` ask at most for what the "
            "customer approved, which is the default.",
        },
        "resource": {
            **TEXT,
            "enum": [audience_of(issuer)],
            "description": "Used with `client_credentials` and `refresh_token` (RFC 8707). It may be left out.",
        },
    }


def _token_request(issuer: str) -> Json:
    return form((), _token_fields(issuer), _requests(issuer))


def _requests(issuer: str) -> Json:
    standard = {
        "grant_type": "authorization_code",
        "code": examples.CODE,
        "redirect_uri": examples.REDIRECT_URI,
        "code_verifier": examples.CODE_VERIFIER,
    }
    public = {
        "grant_type": "authorization_code",
        "client_id": examples.PUBLIC_CLIENT_ID,
        "code": examples.CODE,
        "code_verifier": examples.CODE_VERIFIER,
    }
    with_keys = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": examples.client_assertion(issuer),
    }
    return {
        "documented": example("Three fields", {**_SENT, "code": examples.CODE}),
        "standard": example("As libraries send it: HTTP Basic, grant type, PKCE", standard),
        "public": example("A public application, which has no secret", public),
        "refresh_token": example(
            "The next token of a strict application",
            {"grant_type": "refresh_token", "refresh_token": examples.REFRESH_TOKEN},
        ),
        "client_credentials": example(
            "For the application itself, if it is registered for that",
            {"grant_type": "client_credentials"},
        ),
        "private_key_jwt": example("The same for an application that is registered with keys", with_keys),
    }


def _token_refusals(issuer: str) -> Json:
    return refusal(
        issuer,
        "The request cannot be granted.",
        (
            "invalid_grant",
            "The description says what is wrong with the code or refresh token. Send the customer again.",
            refuse("ac", "unknown", proved=True),
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
            "You may not ask for this scope, or the customer approved less. The description names the word.",
            refused_scope("fleet:write"),
        ),
        ("invalid_target", "The resource is not our API.", invalid_target()),
        (
            "invalid_authorization_details",
            "They are asked for at the authorization endpoint, and not here.",
            refuse_at_token(),
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
            "For a refresh token, which is then spent",
            _issued(examples.SHORT_TOKEN, _HOUR_S, examples.NEXT_REFRESH_TOKEN),
        ),
        "client_credentials": example("For the application itself", _issued(examples.SHORT_TOKEN, _HOUR_S)),
    }
    return {
        "operationId": "requestToken",
        "tags": ["connect"],
        "summary": "Exchange the code for a token",
        "description": "Call this from your server, with your secret. The token lives 365 days from its last use and three "
        "years at most. You need not refresh it. Your ten newest tokens of one customer work. A strict application's token "
        "lives an hour. It comes with a refresh token that is good for 30 days, and its successors for a year. Each refresh "
        "token works once. A second use ends the connection, since somebody else may hold the token.",
        "security": AUTHENTICATED,
        "requestBody": _token_request(issuer),
        "responses": {
            "200": answer(
                "The token. It is stored before it is answered.",
                json_content("TokenAnswer", issued),
                headers={"Cache-Control": "NoStore"},
            ),
            "400": _token_refusals(issuer),
            **SHARED,
        },
    }


def paths(issuer: str) -> Json:
    return {TOKEN: {"post": _token(issuer)}}

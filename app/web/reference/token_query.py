"""Introspection and revocation: what an application asks about a token, and how it ends one."""

from dataclasses import replace

import orjson

from app.oauth.answer import INACTIVE, introspection_answer
from app.oauth.errors import invalid_request
from app.oauth.scope import DEFAULT_SCOPE
from app.oauth.signing import JWT_TYPE
from app.policy import audience_of
from app.web.paths import INTROSPECT, REVOKE
from app.web.reference import examples
from app.web.reference.credentials import AUTHENTICATED, CREDENTIALS, SHARED, TEXT, form
from app.web.reference.notation import Case, Json, answer, example, json_content, refusal, schema_ref

_YEAR_S = 365 * 86_400
_MONTH_S = 30 * 86_400

_MISSING: Case = ("invalid_request", "There is no `token`.", invalid_request("token is missing"))


def _query_form(description: str) -> Json:
    fields = {
        "token": {**TEXT, "description": description},
        **CREDENTIALS,
        "token_type_hint": {**TEXT, "description": "Not needed, since a token says what it is."},
    }
    return form(("token",), fields, {"documented": example("With HTTP Basic", {"token": examples.TOKEN})})


def _active(issuer: str, *, refresh: bool = False) -> object:
    written = introspection_answer(
        issuer=issuer,
        audience=audience_of(issuer),
        party=replace(examples.PARTY, client_id=examples.STRICT_CLIENT_ID) if refresh else examples.PARTY,
        token_id=examples.REFRESH_TOKEN_ID if refresh else examples.TOKEN_ID,
        token_type=None if refresh else "Bearer",
        scope=DEFAULT_SCOPE,
        issued_at=examples.ISSUED_AT_S,
        expires_at=examples.ISSUED_AT_S + (_MONTH_S if refresh else _YEAR_S),
    )
    return orjson.loads(written)


def _introspect(issuer: str) -> Json:
    states = {
        "active": example("The token works.", _active(issuer)),
        "refresh_token": example("The token is an unused refresh token.", _active(issuer, refresh=True)),
        "inactive": example("The token does not work, or you may not ask about it.", orjson.loads(INACTIVE)),
    }
    signed = {
        "signed": example(
            "The first answer, signed on request", examples.signed_answer(issuer, _active(issuer))
        )
    }
    return {
        "operationId": "introspectToken",
        "tags": ["connect"],
        "summary": "Ask whether a token works",
        "description": "RFC 7662. You see your own tokens, refresh tokens too. A resource server sees the access tokens that "
        f"are meant for it. Public applications cannot ask. With `Accept: {JWT_TYPE}` the answer is signed (RFC 9701).",
        "security": AUTHENTICATED,
        "requestBody": _query_form("The token that you ask about."),
        "responses": {
            "200": answer(
                "The state of the token.",
                {
                    **json_content("Introspection", states),
                    JWT_TYPE: {"schema": schema_ref("SignedIntrospection"), "examples": signed},
                },
                headers={"Cache-Control": "NoStore"},
            ),
            "400": refusal(issuer, "The request is malformed.", _MISSING),
            **SHARED,
        },
    }


def _revoke(issuer: str) -> Json:
    return {
        "operationId": "revokeToken",
        "tags": ["connect"],
        "summary": "End a token",
        "description": "RFC 7009. End a token when a customer leaves you. A second after the answer nobody accepts it any "
        "more. Ending a refresh token ends every token from the same approval. Ending an access token ends only that one.",
        "security": AUTHENTICATED,
        "requestBody": _query_form("The token to end."),
        "responses": {
            "200": answer(
                "The token does not work now, or never did. The body says nothing about it.",
                json_content("Nothing", {"ended": example("The same for every token", {})}),
                headers={"Cache-Control": "NoStore"},
            ),
            "400": refusal(issuer, "The request is malformed.", _MISSING),
            **SHARED,
        },
    }


def paths(issuer: str) -> Json:
    return {
        INTROSPECT: {"post": _introspect(issuer)},
        REVOKE: {"post": _revoke(issuer)},
    }

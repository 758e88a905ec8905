"""Userinfo: whose account was connected."""

import orjson

from app.oauth.answer import userinfo_answer
from app.oauth.errors import insufficient_scope, invalid_token, malformed_bearer, too_many_failures
from app.web.paths import USERINFO
from app.web.reference import examples
from app.web.reference.credentials import AWAY, LATER
from app.web.reference.notation import Case, Json, answer, example, json_content, refusal

SCOPE = "account:read"
_CHALLENGED = {"WWW-Authenticate": "BearerChallenge"}
_HEADERS = {
    "Cache-Control": "NoStore",
    "RateLimit-Policy": "RateLimitPolicy",
    "RateLimit": "RateLimit",
    "Access-Control-Allow-Origin": "AnyOrigin",
}
_INVALID: Case = (
    "invalid_token",
    "The token expired, or you or the customer revoked it. Offer the customer to connect again.",
    invalid_token(SCOPE),
)
_NARROW: Case = (
    "insufficient_scope",
    f"The token lacks `{SCOPE}`, or acts for no customer.",
    insufficient_scope(SCOPE),
)
_MALFORMED: Case = (
    "invalid_request",
    "The `Authorization` header holds more than one token.",
    malformed_bearer("the Authorization header is not Bearer and one token"),
)
_FAILED: Case = (
    "slow_down",
    "Your address sent too many forged tokens. Try again after `Retry-After` seconds.",
    too_many_failures(),
)


def paths(issuer: str) -> Json:
    told = orjson.loads(userinfo_answer(examples.PARTY, examples.CONFIRMED_EMAIL))
    return {
        USERINFO: {
            "get": {
                "operationId": "readUserinfo",
                "tags": ["connect"],
                "summary": "Ask whose account was connected",
                "description": f"Needs the scope `{SCOPE}`. `account` is the customer, the same for all of its people. `sub` "
                "stands for the person who approved. `email` is that person's, and is missing until they confirmed it. This is no sign-in: never let somebody in because of it.",
                "security": [{"bearer": []}, {"oauth2": [SCOPE]}],
                "responses": {
                    "200": answer(
                        "The account, and who approved.",
                        json_content("Userinfo", {"approved": example("A customer approved", told)}),
                        headers=_HEADERS,
                    ),
                    "400": refusal(issuer, "The request is malformed.", _MALFORMED, headers=_CHALLENGED),
                    "401": refusal(
                        issuer, "The token is missing, or does not work.", _INVALID, headers=_CHALLENGED
                    ),
                    "403": refusal(issuer, "The token does not cover this.", _NARROW, headers=_CHALLENGED),
                    "429": refusal(
                        issuer,
                        "You sent too many requests, or too many of them failed.",
                        _FAILED,
                        headers=LATER,
                    ),
                    "503": refusal(issuer, "The service is briefly unavailable.", AWAY, headers=LATER),
                },
            }
        }
    }

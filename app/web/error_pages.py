"""The errors of OAuth as the documentation explains them, each under the address that `error_uri` names."""

from typing import NamedTuple

from app.web.paths import DOCUMENTATION

_ANCHOR = "error-"


class Explained(NamedTuple):
    """An error's meaning, and what to do about it."""

    meaning: str
    remedy: str


ERRORS: dict[str, Explained] = {
    "invalid_request": Explained(
        "The request is malformed: a parameter is missing, sent twice, too long or badly encoded.",
        "The description names the parameter. Correct the request; the same one fails again.",
    ),
    "invalid_client": Explained(
        "We could not authenticate your application. We do not say whether `client_id` or the secret was wrong.",
        "Compare both with what registration gave you. With an assertion, check your clock, `aud` and `jti`.",
    ),
    "invalid_grant": Explained(
        "The code or refresh token does not work. Once you proved who you are, the description says why: it is unknown, "
        "expired, used before, revoked or suspended, or `redirect_uri` or `code_verifier` does not fit.",
        "Send the customer again. A code works once and briefly. Of two refreshes at once, one must wait for the other's answer.",
    ),
    "unauthorized_client": Explained(
        "Your application is registered, but not for this grant type, or it is suspended.",
        "Ask us to register it for the grant type.",
    ),
    "unsupported_grant_type": Explained(
        "There is no such grant type here.",
        "The metadata lists those that there are, as `grant_types_supported`.",
    ),
    "unsupported_response_type": Explained(
        "The authorization endpoint answers with a code, in the query.",
        "Send `response_type=code` and no other `response_mode` than `query`.",
    ),
    "invalid_scope": Explained(
        "Your application may not ask for one of the scopes, or the customer approved less. The description names the word.",
        "Leave the word out. Without `scope` you get what most applications need.",
    ),
    "invalid_target": Explained(
        "`resource` names another API than ours, or another than was granted.",
        "Leave `resource` out, or send the one that the resource's metadata names.",
    ),
    "invalid_authorization_details": Explained(
        "`authorization_details` is not what we take: an array of one object of type `fleet`. Nothing takes it but the "
        "authorization endpoint. The description says what is wrong.",
        "Correct it, or leave it out. The customer chooses on the consent page either way.",
    ),
    "access_denied": Explained(
        "The customer chose not to connect your application.",
        "Offer to connect again when the customer asks for it.",
    ),
    "request_not_supported": Explained(
        "Request objects are not supported (RFC 9101).",
        "Send the parameters themselves, without `request`.",
    ),
    "request_uri_not_supported": Explained(
        "Request objects are not supported (RFC 9101).",
        "Send the parameters themselves, without `request_uri`.",
    ),
    "slow_down": Explained(
        "Too many of your attempts failed. This one was not looked at.",
        "Wait as long as `Retry-After` says, and stop sending what failed.",
    ),
    "temporarily_unavailable": Explained(
        "The service is briefly unavailable, which is no fault of yours.",
        "Try again after `Retry-After` seconds. Your code or refresh token may still be good.",
    ),
    "server_error": Explained(
        "Something went wrong on our side.",
        "Try again later. If it stays, tell us the `reference` of the answer.",
    ),
    "invalid_token": Explained(
        "The access token is unknown, expired or revoked.",
        "Refresh it where you can, else offer the customer to connect again.",
    ),
    "insufficient_scope": Explained(
        "The token works, but not for this. `scope` in the challenge says what it would need.",
        "Send the customer again, and ask for that scope.",
    ),
}


def anchor_of(code: str) -> str:
    return _ANCHOR + code


def error_uri(issuer: str, code: str) -> str | None:
    """The page about an error (RFC 6749 section 5.2); None for what OAuth does not name."""
    return f"{issuer}{DOCUMENTATION}#{anchor_of(code)}" if code in ERRORS else None

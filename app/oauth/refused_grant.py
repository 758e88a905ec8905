"""A refused code or refresh token: its cause for a caller that proved itself, and one text for everybody else."""

from collections.abc import Mapping
from typing import Literal

from app.oauth.errors import OAuthError, invalid_grant
from app.oauth.token_string import TokenKind

Cause = Literal[
    "unknown",
    "expired",
    "expired or taken",
    "used",
    "revoked",
    "suspended",
    "redirect_uri",
    "code_verifier",
    "no code_verifier",
    "no code_challenge",
]

_TEXTS: Mapping[Cause, str] = {
    "unknown": "{it} is unknown",
    "expired": "{it} has expired",
    "expired or taken": "{it} has expired, or another request has taken it",
    "used": "{it} was used before, so all that came from it is revoked",
    "revoked": "{it} is revoked: the connection was ended",
    "suspended": "the application or the customer is suspended",
    "redirect_uri": "redirect_uri is not the address that {it} went to",
    "code_verifier": "code_verifier does not fit the code_challenge",
    "no code_verifier": "code_verifier is missing, and a code_challenge was sent",
    "no code_challenge": "code_verifier is sent, and no code_challenge was",
}
# A guesser must not learn from it that part of a guess was right.
_TO_ANYBODY = "{it} is unknown, expired, used, revoked or not issued for this request"

_NAMES: Mapping[TokenKind, str] = {
    "at": "the access token",
    "rt": "the refresh token",
    "ac": "the code",
}


def refuse(kind: TokenKind, cause: Cause, *, proved: bool, detail: str = "") -> OAuthError:
    """The invalid_grant of RFC 6749 section 5.2.

    A wrong secret part and another application's token are `unknown`.
    proved: by its secret or keys; for a public application, by the right verifier alone.
    detail: for the log; without it, the cause.
    """
    told = _TEXTS[cause] if proved else _TO_ANYBODY
    return invalid_grant(told.format(it=_NAMES[kind]), detail or cause)


def verifier_fault(challenge: str | None, verifier: str | None) -> Cause:
    """The cause, when a challenge and a verifier do not belong together."""
    if verifier is None:
        return "no code_verifier"
    return "no code_challenge" if challenge is None else "code_verifier"

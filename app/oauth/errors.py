"""The errors of RFC 6749 and RFC 6750 as values to raise; other rooms decide how they travel.

RefusedError
 ├─ OAuthError   told to the application: JSON, a redirect or a challenge
 └─ PageError    told to the person in front of the browser: our own page, never a redirect
"""

from app.oauth.bounds import LONGEST_AUTHORIZATION
from app.oauth.challenge import BASIC, REALM, challenge, printable
from app.refused import Headers, RefusedError, ToldError
from app.sentence import Sentence

# One text for every cause: a guesser must not learn which half of a credential was wrong.
_CLIENT_TEXT = "client authentication failed"
_BEARER_TEXT = "the access token is unknown, expired or revoked"


class OAuthError(RefusedError):
    """An answer the RFCs foresee: code and text are public, the detail goes to the log only.

    `code` is empty only where RFC 6750 section 3.1 wants a challenge without an error code.
    """

    def __init__(
        self, code: str, what: str = "", *, status: int = 400, detail: str = "", headers: Headers = ()
    ) -> None:
        allowed = printable(what)  # a Sentence that is, stays one
        super().__init__(
            what if what == allowed else allowed, code=code, status=status, detail=detail, headers=headers
        )

    def __str__(self) -> str:
        return ": ".join(part for part in (self.code, self.detail or self.what) if part)


class PageError(ToldError):
    """An authorization request we must not redirect (RFC 6749 section 4.1.2.1): the person is told instead."""

    code = "page_error"
    title: Sentence

    def __init__(
        self,
        title: Sentence,
        what: Sentence,
        status: int = 400,
        *,
        detail: str = "",
        code: str | None = None,
    ) -> None:
        super().__init__(what, title=title, status=status, detail=detail, code=code)


def refused_link(explanation: Sentence, *, status: int = 400, detail: str = "") -> PageError:
    told = Sentence("%(fault)s Please tell whoever gave you this link.", fault=explanation)
    return PageError(Sentence("This link cannot be followed"), told, status, detail=detail)


def invalid_request(description: str, *, status: int = 400) -> OAuthError:
    return OAuthError("invalid_request", description, status=status)


def body_too_large(most_bytes: int) -> OAuthError:
    """The rest of the body stays unread, so nothing else can follow on the connection (RFC 9110 section 15.5.14)."""
    description = Sentence("the body is larger than %(most)s bytes", most=str(most_bytes))
    return OAuthError("invalid_request", description, status=413, headers=(("Connection", "close"),))


def authorization_too_long() -> OAuthError:
    """The refusal of RFC 9110 section 5.4, with the status of RFC 6585 section 5."""
    description = f"the Authorization header is longer than {LONGEST_AUTHORIZATION} characters"
    return invalid_request(description, status=431)


def request_object_refused(name: str) -> OAuthError:
    """The refusal of RFC 9101 section 7. name: of the parameter that carries a request object."""
    return OAuthError(f"{name}_not_supported", "request objects are not supported")


def invalid_client(detail: str) -> OAuthError:
    return OAuthError(
        "invalid_client", _CLIENT_TEXT, status=401, detail=detail, headers=(("WWW-Authenticate", BASIC),)
    )


def invalid_grant(description: str, detail: str) -> OAuthError:
    """What the caller may know of the cause, `refused_grant.py` says."""
    return OAuthError("invalid_grant", description, detail=detail)


def unauthorized_client(description: str = "this application may not do that") -> OAuthError:
    return OAuthError("unauthorized_client", description)


def unsupported_grant_type(description: str = "this grant type is not supported") -> OAuthError:
    return OAuthError("unsupported_grant_type", description)


def unsupported_response_type(description: str = "the only response type is code") -> OAuthError:
    return OAuthError("unsupported_response_type", description)


def invalid_scope(description: str) -> OAuthError:
    return OAuthError("invalid_scope", description)


def invalid_target(description: str = "the resource is not served here") -> OAuthError:
    """RFC 8707 section 2."""
    return OAuthError("invalid_target", description)


def invalid_authorization_details(description: str) -> OAuthError:
    """RFC 9396 sections 5 and 6."""
    return OAuthError("invalid_authorization_details", description)


def access_denied(description: str = "the customer did not approve") -> OAuthError:
    return OAuthError("access_denied", description)


def server_error(detail: str = "") -> OAuthError:
    return OAuthError("server_error", "something went wrong on our side", status=500, detail=detail)


def temporarily_unavailable(detail: str = "", *, retry_after_s: int = 2) -> OAuthError:
    headers = (("Retry-After", str(retry_after_s)),)
    return OAuthError(
        "temporarily_unavailable",
        Sentence("Please try again shortly."),
        status=503,
        detail=detail,
        headers=headers,
    )


def too_many_failures(detail: str = "", *, retry_after_s: int = 2) -> OAuthError:
    """Say nothing of right or wrong, since nothing was looked up (RFC 6585 section 4; the code is RFC 8628's)."""
    return OAuthError(
        "slow_down",
        Sentence("too many failed attempts from here: wait, and try again"),
        status=429,
        detail=detail,
        headers=(("Retry-After", str(retry_after_s)),),
    )


def missing_token(scope: str | None) -> OAuthError:
    """No usable credentials at all: the challenge names no error (RFC 6750 section 3.1).

    scope: that the resource asks for, so that nobody has to guess it.
    """
    value = challenge(REALM, scope=scope)
    return OAuthError("", status=401, detail="no bearer token", headers=(("WWW-Authenticate", value),))


def malformed_bearer(description: str) -> OAuthError:
    return _bearer_error("invalid_request", description, status=400)


def invalid_token(scope: str) -> OAuthError:
    """`scope` is what the resource asks for: clients ask for it when they get another token."""
    return _bearer_error("invalid_token", _BEARER_TEXT, status=401, scope=scope)


def insufficient_scope(scope: str) -> OAuthError:
    """`scope` is what the resource asks for, not what the token has."""
    return _bearer_error(
        "insufficient_scope", "the access token does not reach this far", status=403, scope=scope
    )


def _bearer_error(error: str, description: str, *, status: int, scope: str | None = None) -> OAuthError:
    value = challenge(REALM, error=error, description=description, scope=scope)
    return OAuthError(error, description, status=status, headers=(("WWW-Authenticate", value),))

"""Bearer tokens at the resource (RFC 6750): the token out of the header, and the challenge back."""

import re
from collections.abc import Sequence

from app.oauth.bounds import LONGEST_AUTHORIZATION
from app.oauth.challenge import challenge
from app.oauth.errors import malformed_bearer, missing_token

__all__ = ["challenge", "read_bearer"]

_TOKEN68 = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_VISIBLE = re.compile(r"[!-~]+")


def read_bearer(
    authorization_headers: Sequence[str], *, scope: str | None = None, any_form: bool = False
) -> str:
    """The unverified token in these Authorization headers. Body and query are never looked at.

    scope: that the resource asks for, told to whoever brings no token; None where nobody will be told.
    any_form: whether any visible characters may be a token, as while those of a former system are accepted.
    Raises OAuthError when there is no token, it is malformed or too long, or there are several headers.
    """
    if len(authorization_headers) > 1:
        raise malformed_bearer("there is more than one Authorization header")
    scheme, _, unverified_token = (authorization_headers[0] if authorization_headers else "").partition(" ")
    # RFC 6750 section 3.1: another scheme is an unsupported method, told nothing but which one we want.
    if scheme.lower() != "bearer":
        raise missing_token(scope)
    if len(unverified_token) > LONGEST_AUTHORIZATION:
        raise malformed_bearer(f"the token is longer than {LONGEST_AUTHORIZATION} characters")
    unverified_token = unverified_token.strip(" ")
    if not (_VISIBLE if any_form else _TOKEN68).fullmatch(unverified_token):
        raise malformed_bearer("the Authorization header is not Bearer and one token")
    return unverified_token

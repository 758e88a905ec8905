"""Proof Key for Code Exchange (RFC 7636): S256 and nothing weaker."""

import hmac
import re
from base64 import urlsafe_b64encode
from hashlib import sha256

from app.oauth.errors import invalid_request

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def check_challenge(code_challenge: str | None, code_challenge_method: str | None) -> str | None:
    """The challenge of an authorization request, or None when it has none. Whether it needs one, others decide.

    Raises invalid_request when the challenge is malformed, or its method is not S256.
    """
    if code_challenge is None:
        if code_challenge_method is not None:
            raise invalid_request("code_challenge_method is sent without code_challenge")
        return None
    # RFC 7636 section 4.3: an absent method means plain, so it is refused as plain is.
    if code_challenge_method != "S256":
        raise invalid_request("code_challenge_method must be S256")
    if not _CHALLENGE.fullmatch(code_challenge):
        raise invalid_request("code_challenge must be 43 base64url characters")
    return code_challenge


def verifier_matches(challenge: str | None, verifier: str | None) -> bool:
    """Whether a code's challenge and the verifier sent with it belong together (RFC 7636 section 4.6)."""
    if challenge is None or verifier is None:
        # A verifier for a code without challenge means the challenge was stripped on the way: a downgrade
        # (RFC 9700 section 4.8.2).
        return challenge is None and verifier is None
    if not _VERIFIER.fullmatch(verifier):
        return False
    expected = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=")
    return hmac.compare_digest(expected, challenge.encode())

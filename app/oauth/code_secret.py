"""The secret part of an authorization code, derived so that a double submit repeats the same code unstored."""

import hmac
from uuid import UUID

_LENGTH = 20


def code_secret(key: bytes, code_id: UUID, application_id: UUID) -> bytes:
    """160 bits nobody can guess without the key, and the same 160 bits whenever the same consent is submitted.

    The application is in them, so that what it shows later is known to have been its own, without anything stored.
    """
    return hmac.digest(key, code_id.bytes + application_id.bytes, "sha256")[:_LENGTH]

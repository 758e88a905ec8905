"""Answers of the token and introspection endpoints, as the bytes that go out."""

from uuid import UUID

import orjson

# RFC 7662 section 2.2: nothing beside it, so that no answer tells why.
INACTIVE = b'{"active":false}'


def token_answer(
    token: str, token_type: str, expires_in: int, scope: str, refresh_token: str | None = None
) -> bytes:
    """The answer of RFC 6749 section 5.1, with `token_type` also under our documented name `type`."""
    members = {
        "access_token": token,
        "token_type": token_type,
        "type": token_type,
        "expires_in": expires_in,
        "scope": scope,
    }
    return orjson.dumps(members if refresh_token is None else {**members, "refresh_token": refresh_token})


def introspection_answer(
    *,
    issuer: str,
    audience: str,
    client_id: UUID,
    customer_id: UUID | None,
    token_id: UUID,
    token_type: str | None,
    scope: str,
    issued_at: int,
    expires_at: int,
) -> bytes:
    """A live token (RFC 7662 section 2.2). Times are seconds since 1970. A token without customer acts for its application alone."""
    members = {
        "active": True,
        "scope": scope,
        "client_id": str(client_id),
        "token_type": token_type,
        "exp": expires_at,
        "iat": issued_at,
        "sub": str(customer_id or client_id),
        "aud": audience,
        "iss": issuer,
        "jti": str(token_id),
    }
    return orjson.dumps({name: value for name, value in members.items() if value is not None})

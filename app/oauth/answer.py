"""Answers of the token and introspection endpoints, as the bytes that go out."""

from dataclasses import dataclass
from uuid import UUID

import orjson

# RFC 7662 section 2.2: nothing beside it, so that no answer tells why.
INACTIVE = b'{"active":false}'


@dataclass(frozen=True, slots=True)
class Party:
    """The application that holds a token, the account it opens, and the person who approved.

    customer_id, account: None where it opens none. member_id: None where nobody approved, as with client credentials.
    test: whether the account is a test customer.
    """

    client_id: str
    customer_id: UUID | None
    account: str | None
    member_id: UUID | None
    test: bool = False

    @property
    def members(self) -> dict[str, object]:
        """`sub` has one meaning everywhere: who stands behind the token, a person or else the application."""
        sub = {"sub": str(self.member_id or self.client_id)}
        if self.customer_id is None:
            return dict(sub)
        told: dict[str, object] = {**sub, "account": {"id": str(self.customer_id), "name": self.account}}
        return {**told, "test": True} if self.test else told


def token_answer(  # noqa: PLR0917  # a member each
    token: str,
    token_type: str,
    expires_in: int,
    scope: str,
    refresh_token: str | None = None,
    details: str | None = None,
) -> bytes:
    """The answer of RFC 6749 section 5.1, with `token_type` also under our documented name `type`.

    details: granted authorization details, in JSON; None where nobody asked for any.
    """
    members: dict[str, object] = {
        "access_token": token,
        "token_type": token_type,
        "type": token_type,
        "expires_in": expires_in,
        "scope": scope,
    }
    if refresh_token is not None:
        members["refresh_token"] = refresh_token
    if details is not None:
        members["authorization_details"] = orjson.Fragment(details)
    return orjson.dumps(members)


def introspection_answer(
    *,
    issuer: str,
    audience: str,
    party: Party,
    token_id: UUID,
    token_type: str | None,
    scope: str,
    issued_at: int | None,
    expires_at: int,
    details: str | None = None,
) -> bytes:
    """A live token (RFC 7662 section 2.2). Times are seconds since 1970. A token without customer acts for its application alone.

    details: as in the token's answer (RFC 9396 section 9.2).
    """
    members = {
        "active": True,
        "scope": scope,
        "client_id": party.client_id,
        "token_type": token_type,
        "exp": expires_at,
        "iat": issued_at,
        **party.members,
        "aud": audience,
        "iss": issuer,
        "jti": str(token_id),
        "authorization_details": None if details is None else orjson.Fragment(details),
    }
    return orjson.dumps({name: value for name, value in members.items() if value is not None})


def userinfo_answer(party: Party, email: str | None) -> bytes:
    """The account that an application was connected to, in the members that introspection has too.

    email: of the person who approved, and only one that they confirmed (OpenID Connect Core section 5.1).
    """
    confirmed = {} if email is None else {"email": email, "email_verified": True}
    return orjson.dumps({**party.members, **confirmed})

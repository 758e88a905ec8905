"""An application as the rules see it, and the proof that a caller is it (RFC 6749 section 2)."""

import hmac
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Literal
from uuid import UUID

from app.oauth.assertion import objection_to
from app.oauth.errors import invalid_client
from app.oauth.request import Credentials
from app.oauth.scope import Scope
from app.oauth.token_string import secret_digest

ClientKind = Literal["classic", "strict"]
ClientStatus = Literal["pending", "active", "suspended", "deleted"]

_CANONICAL_LENGTH = 36


@dataclass(frozen=True, slots=True)
class ClientSecret:
    digest: bytes = field(repr=False)
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Client:
    """A registered application. `audience` makes it a resource server; `customer_id` is the customer it acts for by itself.

    jwks: its public keys as a JWK Set; it proves itself by them and has no secret.
    """

    id: UUID
    kind: ClientKind
    public: bool
    name: str
    company: str
    status: ClientStatus
    grants: frozenset[str]
    scope: Scope
    redirect_uris: tuple[str, ...]
    audience: str | None
    customer_id: UUID | None
    secrets: tuple[ClientSecret, ...]
    jwks: str | None = None

    @property
    def active(self) -> bool:
        """Whether it may be given anything now. A suspended one can still prove who it is."""
        return self.status == "active"

    def allows(self, grant_type: str) -> bool:
        return grant_type in self.grants


# An unknown client is compared with this: no secret has this digest, and the work is the same.
_NO_SECRETS = (ClientSecret(bytes(32), expires_at=None),)
_NO_DIGEST = secret_digest("")  # of the secret that was not sent


def authenticate(client: Client | None, credentials: Credentials, now: datetime, *, issuer: str) -> Client:
    """The client that the caller proved to be. Whether an assertion was used before is not judged here.

    Raises invalid_client, alike in body and time, when the proof fails.
    """
    objection = _objection(client, credentials, now, issuer)
    if client is None:
        raise invalid_client("unknown client")
    if client.status in ("pending", "deleted"):
        raise invalid_client(f"the client is {client.status}")
    if client.public:
        # A secret where there is none to check would make a guess look like a proof.
        if credentials.method != "none":
            raise invalid_client("a public client sent a secret")
    elif credentials.method == "none":
        raise invalid_client("a confidential client sent no secret")
    elif objection is not None:
        raise invalid_client(objection)
    return client


def parse_client_id(unverified: str) -> UUID | None:
    """The application id a client_id stands for: its canonical text, in no other spelling."""
    # The length comes first: else a stranger's long names would fill the memory.
    return _parse_canonical(unverified) if len(unverified) == _CANONICAL_LENGTH else None


@lru_cache(maxsize=4096)  # the same few in every request
def _parse_canonical(unverified: str) -> UUID | None:
    try:
        client_id = UUID(unverified)
    except ValueError:
        return None
    return client_id if str(client_id) == unverified else None


def _objection(client: Client | None, credentials: Credentials, now: datetime, issuer: str) -> str | None:
    if credentials.assertion is not None:
        return objection_to(credentials.assertion, client.jwks if client else None, issuer=issuer, now=now)
    # A secret beside keys would be a second, weaker way in, however it came to be there.
    secrets = client.secrets if client and client.jwks is None else _NO_SECRETS
    live = _has_live_secret(secrets, credentials.secret_digest or _NO_DIGEST, now)
    return None if live else "wrong or expired secret"


def _has_live_secret(secrets: tuple[ClientSecret, ...], offered_digest: bytes, now: datetime) -> bool:
    # Every secret is compared, so that time does not tell which of two it was.
    matches = [
        hmac.compare_digest(secret.digest, offered_digest)
        and (secret.expires_at is None or secret.expires_at > now)
        for secret in secrets
    ]
    return any(matches)

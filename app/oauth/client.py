"""An application as the rules see it, and the proof that a caller is it (RFC 6749 section 2)."""

import hmac
import re
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Literal
from uuid import UUID

from app.oauth.assertion import objection_to, signer_of
from app.oauth.errors import invalid_client
from app.oauth.request import Credentials
from app.oauth.scope import Scope
from app.oauth.token_string import id_of_digest, secret_digest

ClientKind = Literal["classic", "strict"]
ClientStatus = Literal["pending", "active", "suspended", "deleted"]

_CANONICAL_LENGTH = 36
_FORMER_CLIENT_ID = re.compile(r"[!-~]{1,255}")  # RFC 6749 appendix A.1, without the blank


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """digest: None while there is only the slow hash that a former system kept."""

    digest: bytes | None = field(repr=False)
    expires_at: datetime | None
    slow_hash: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Client:
    """A registered application. `audience` makes it a resource server; `customer_id` is the customer it acts for by itself.

    jwks: its public keys as a JWK Set; it proves itself by them and has no secret.
    test: whether it meets test customers of its owners alone, until a reviewer lets it meet real ones.
    former_client_id: what a former system called it, of which its id is made.
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
    former_client_id: str | None = None
    test: bool = False

    @property
    def client_id(self) -> str:
        return self.former_client_id or str(self.id)

    def is_called(self, unverified_client_id: str) -> bool:
        """Whether it is found by its client_id: an id that is made of a former one is none itself."""
        return self.former_client_id in (None, unverified_client_id)

    @property
    def active(self) -> bool:
        """Whether it may be given anything now. A suspended one can still prove who it is."""
        return self.status == "active"

    def allows(self, grant_type: str) -> bool:
        return grant_type in self.grants


# An unknown client is compared with this, and a secret without a digest: no secret has it, and the work is the same.
_NO_SECRET_HAS = bytes(32)
_NO_SECRETS = (ClientSecret(_NO_SECRET_HAS, expires_at=None),)
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


def proved_by(client: Client, credentials: Credentials) -> bytes | None:
    """The digest of the secret or key by which a client was authenticated; None for a public one."""
    if credentials.assertion is not None and client.jwks is not None:
        return signer_of(credentials.assertion, client.jwks)
    return None if client.public else credentials.secret_digest


def live_slow_hashes(client: Client | None, now: datetime) -> tuple[str, ...]:
    """What a former system kept of its secrets that were not used here yet."""
    if client is None or client.jwks is not None:
        return ()
    return tuple(
        secret.slow_hash
        for secret in client.secrets
        if secret.slow_hash is not None and (secret.expires_at is None or secret.expires_at > now)
    )


def application_id_of(unverified_client_id: str) -> UUID | None:
    """The application id that a client_id stands for; None for what can be no client_id.

    One of ours is the text of its id. Any other was issued by a former system, and the id is made of it.
    """
    own = parse_client_id(unverified_client_id)
    if own is not None or not _FORMER_CLIENT_ID.fullmatch(unverified_client_id):
        return own
    return id_of_digest(secret_digest(f"client_id {unverified_client_id}"))


def parse_client_id(unverified: str) -> UUID | None:
    """The application id a client_id of ours stands for: its canonical text, in no other spelling."""
    # The length comes first: else a stranger's long names would fill the memory.
    return _parse_canonical(unverified) if len(unverified) == _CANONICAL_LENGTH else None


@lru_cache(maxsize=4096)  # the same few in every request
def _parse_canonical(unverified: str) -> UUID | None:
    try:
        client_id = UUID(unverified)
    except ValueError:
        return None
    return client_id if str(client_id) == unverified else None


def has_live_secret(client: Client | None, credentials: Credentials, now: datetime) -> bool:
    """Whether the secret that was sent is one of the application's."""
    # A secret beside keys would be a second, weaker way in, however it came to be there.
    secrets = client.secrets if client and client.jwks is None else _NO_SECRETS
    offered_digest = credentials.secret_digest or _NO_DIGEST
    # Every secret is compared, so that time does not tell which of two it was.
    matches = [
        hmac.compare_digest(secret.digest or _NO_SECRET_HAS, offered_digest)
        and (secret.expires_at is None or secret.expires_at > now)
        for secret in secrets
    ]
    return any(matches)


def _objection(client: Client | None, credentials: Credentials, now: datetime, issuer: str) -> str | None:
    if credentials.assertion is not None:
        return objection_to(credentials.assertion, client.jwks if client else None, issuer=issuer, now=now)
    return None if has_live_secret(client, credentials, now) else "wrong or expired secret"

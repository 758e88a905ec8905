"""The keys the service signs with: made, published before they sign, kept while what they signed may be verified."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

import orjson
from joserfc.jwk import ECKey
from joserfc.jws import serialize_compact

from app.oauth.bounds import MOST_ACCEPT_PARTS
from app.oauth.errors import invalid_request
from app.oauth.keys import Keys

# One algorithm for all: every library verifies it, an answer grows by 86 characters, and signing takes 40 microseconds,
# where RS256 takes 260. Nobody is left a weaker one to choose.
ALGORITHM = "ES256"

JWT_TYPE = "application/token-introspection+jwt"

# A signed answer is about the moment. Whoever verifies a day late asks again.
KEPT_FOR = timedelta(days=1)

_JWT_TYPE = JWT_TYPE.encode()
_REFUSED = re.compile(rb"q=0(\.0*)?")

Stage = Literal["waits", "signs", "signed", "gone"]


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A pair of keys. private: None where the secret key that sealed it is not among ours.

    begins_at: when it begins to sign. leaves_at: when it is published no longer; None while no other follows it.
    """

    kid: str
    public_jwk: dict[str, object]
    sealed_with: str
    created_at: datetime
    begins_at: datetime
    leaves_at: datetime | None
    private: ECKey | None = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A new pair as it is stored. sealed_with: the name of the secret key that sealed the private half."""

    kid: str
    public_jwk: bytes
    sealed: str = field(repr=False)
    sealed_with: str


def make_signing_key(keys: Keys, *, now_s: int) -> NewKey:
    """A fresh pair; its name is its thumbprint (RFC 7638), so that no two pairs share one."""
    pair = ECKey.generate_key("P-256", {"use": "sig", "alg": ALGORITHM}, auto_kid=True)
    public = orjson.dumps(pair.as_dict(private=False))
    return NewKey(pair.thumbprint(), public, seal_private(keys, pair, now_s=now_s), keys.code_key_name)


def seal_private(keys: Keys, pair: ECKey, *, now_s: int) -> str:
    return keys.seal("signing key", orjson.dumps(pair.as_dict(private=True)), now_s=now_s)


def open_private(keys: Keys, kid: str, sealed: str) -> ECKey | None:
    """The pair, if we can open it and it has that name: rows of a database can be exchanged."""
    opened = keys.unseal_stored("signing key", sealed)
    if opened is None:
        return None
    pair = ECKey.import_key(orjson.loads(opened))
    return pair if pair.thumbprint() == kid else None


def signer(keys: Sequence[SigningKey], now: datetime) -> SigningKey | None:
    """The key that signs now: among published keys we can open, the newest that has begun, else the first.

    keys: in the order in which they begin.
    """
    able = [key for key in keys if key.private is not None and _is_published(key, now)]
    begun = [key for key in able if key.begins_at <= now]
    return begun[-1] if begun else next(iter(able), None)


def stage(key: SigningKey, keys: Sequence[SigningKey], now: datetime) -> Stage:
    """The stage of its life that a key is in."""
    if not _is_published(key, now):
        return "gone"
    if key is signer(keys, now):
        return "signs"
    return "waits" if key.begins_at > now else "signed"


def key_set(keys: Sequence[SigningKey], now: datetime) -> bytes:
    """The JWK Set (RFC 7517 section 5) as it is published: those that will sign, sign, or signed."""
    return orjson.dumps({"keys": [key.public_jwk for key in keys if _is_published(key, now)]})


def introspection_jwt(key: SigningKey, answer: bytes, *, issuer: str, audience: str, issued_at: int) -> bytes:
    """An answer of the introspection endpoint, signed for the one who asked (RFC 9701 section 5).

    It has neither `sub` nor `exp`, so that it can be taken for no token.
    """
    claims = {
        "iss": issuer,
        "aud": audience,
        "iat": issued_at,
        "token_introspection": orjson.Fragment(answer),
    }
    header = {"typ": "token-introspection+jwt", "alg": ALGORITHM, "kid": key.kid}
    return serialize_compact(header, orjson.dumps(claims), key.private, [ALGORITHM]).encode()


def asks_for_jwt(accept: bytes) -> bool:
    """Whether an Accept header names the JWT (RFC 9701 section 4). `*/*` does not: nobody is surprised by one.

    Raises invalid_request when it names the JWT in a list that is too long.
    """
    wanted = accept.lower()
    if _JWT_TYPE not in wanted:  # as nearly always, and this is asked at every introspection
        return False
    if wanted.count(b",") + wanted.count(b";") >= MOST_ACCEPT_PARTS:
        raise invalid_request(f"the Accept header has more than {MOST_ACCEPT_PARTS} parts", status=431)
    ranges = [[part.strip() for part in each.split(b";")] for each in wanted.split(b",")]
    return any(name == _JWT_TYPE and not any(map(_REFUSED.fullmatch, rest)) for name, *rest in ranges)


def _is_published(key: SigningKey, now: datetime) -> bool:
    return key.leaves_at is None or key.leaves_at > now

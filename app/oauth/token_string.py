"""Tokens, codes and client secrets: strings that prove their own spelling before any store is asked.

rovi_at_ c <22 characters> <27 characters> <6 characters>
kind     class   UUIDv7      random secret   CRC-32 of all before
"""

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from os import urandom
from typing import Literal
from uuid import UUID, SafeUUID

import uuid_utils

from app.oauth import base62

TokenKind = Literal["at", "rt", "ac"]
TokenClass = Literal["c", "s"]

# Every kind of token, with the classes it is issued in. A kind that is added here is published, masked and documented.
TOKEN_KINDS: Mapping[TokenKind, str] = {
    "at": "[cs]",  # access tokens
    "rt": "s",  # refresh tokens, of strict applications alone
    "ac": "[cs]",  # authorization codes
}
_CLIENT_SECRET = "cs"  # the kind
_SECRET_PREFIX = f"rovi_{_CLIENT_SECRET}_"

# Published, so that scanners of source code can find what leaked.
PATTERN = f"rovi_(?:{'|'.join(TOKEN_KINDS)})_[cs][0-9A-Za-z]{{55}}"
PATTERNS = {kind: f"rovi_{kind}_{classes}[0-9A-Za-z]{{55}}" for kind, classes in TOKEN_KINDS.items()}
CLIENT_SECRET_PATTERN = f"rovi_{_CLIENT_SECRET}_[0-9A-Za-z]{{49}}"
# Wherever one of them slips into a line, whole or cut short; the group is its kind.
LEAKED = f"rovi_({'|'.join([*TOKEN_KINDS, _CLIENT_SECRET])})_[0-9A-Za-z]+"

_SHAPE = re.compile(PATTERN)
_KINDS: Mapping[str, TokenKind] = {kind: kind for kind in TOKEN_KINDS}
_CLASSES: Mapping[str, TokenClass] = {"c": "c", "s": "s"}

_BUCKET_BITS = 0xFFF
_VERSION_AND_VARIANT = 0xF << 76 | 0b11 << 62
_VERSION_7 = 7 << 76 | 0b10 << 62
_VERSION_8 = 8 << 76 | 0b10 << 62
_new, _set, _UNKNOWN = object.__new__, object.__setattr__, SafeUUID.unknown
_OURS = "rovi_"  # every secret string of ours begins so

_SECRET_BYTES = 20
# Texts of one width sort as numbers do, so a comparison of texts tells whether 160 bits would hold the secret.
_LARGEST_SECRET = base62.encode(256**_SECRET_BYTES - 1, 27)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MS = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)


@dataclass(slots=True)  # not frozen: to build one took four times as long
class TokenString:
    """A well-formed token; whether it is live, a store knows. text: only where it was made, and never in a repr."""

    kind: TokenKind
    token_class: TokenClass
    id: UUID
    bucket: int
    digest: bytes = field(repr=False)
    text: str = field(default="", repr=False, compare=False)


@dataclass(slots=True)
class LegacyToken:
    """A string that a former system may have issued. Its id is made of its digest, by which alone it is found."""

    id: UUID
    digest: bytes = field(repr=False)
    kind: Literal["legacy"] = "legacy"


def mint(kind: TokenKind, token_class: TokenClass, bucket: int) -> TokenString:
    """A fresh token of the owner's bucket, unguessable to one in 2^160 (RFC 6749 section 10.10)."""
    return _spell(kind, token_class, _placed(uuid_utils.uuid7().int, bucket), urandom(_SECRET_BYTES))


def compose(kind: TokenKind, token_class: TokenClass, token_id: UUID, secret: bytes) -> TokenString:
    """The token of a given id and a 20-byte secret: the same parts always give the same string."""
    if len(secret) != _SECRET_BYTES or not _is_token_id(token_id.int):
        raise ValueError("a token needs a UUIDv7 and a secret of 20 bytes")
    return _spell(kind, token_class, token_id.int, secret)


def _spell(kind: TokenKind, token_class: TokenClass, number: int, secret: bytes) -> TokenString:
    body = f"rovi_{kind}_{token_class}{base62.encode(number, 22)}{base62.encode(int.from_bytes(secret), 27)}"
    text = body + _checksum(body)
    return TokenString(kind, token_class, _uuid_of(number), number & _BUCKET_BITS, secret_digest(text), text)


def parse(unverified: str) -> TokenString | None:
    """Read a string somebody sent; None when we cannot have written it, so that no store is asked for it."""
    if not _SHAPE.fullmatch(unverified) or _checksum(unverified[:58]) != unverified[58:]:
        return None
    number = base62.decode(unverified[9:31])
    # Anybody can compute a checksum. Out-of-range parts would be second spellings of a token that exists.
    if not _is_token_id(number) or unverified[31:58] > _LARGEST_SECRET:
        return None
    kind, token_class = _KINDS[unverified[5:7]], _CLASSES[unverified[8]]
    return TokenString(kind, token_class, _uuid_of(number), number & _BUCKET_BITS, secret_digest(unverified))


def recognise(unverified: str) -> TokenString | LegacyToken | None:
    """The same, and any other string that does not begin like ours: whether such are looked up, the policy says."""
    token = parse(unverified)
    if token is not None or unverified.startswith(_OURS):
        return token
    digest = secret_digest(unverified)
    return LegacyToken(id_of_digest(digest), digest)


def id_of_digest(digest: bytes) -> UUID:
    """A UUIDv8 (RFC 9562) of the digest's first bytes, which no id of ours is: they are of version 7."""
    return UUID(int=int.from_bytes(digest[:16]) & ~_VERSION_AND_VARIANT | _VERSION_8)


def is_legacy(token_id: UUID) -> bool:
    return token_id.int & _VERSION_AND_VARIANT == _VERSION_8


@lru_cache(maxsize=10_000)
def bucket_of(owner_id: UUID) -> int:
    """Twelve bits for the customer, or for the application where there is none: the first of its id's SHA-256."""
    return int.from_bytes(sha256(owner_id.bytes).digest()[:2]) >> 4


def any_bucket() -> int:
    """Twelve random bits, for a token that need not lie with others of its owner."""
    return int.from_bytes(urandom(2)) & _BUCKET_BITS


def with_bucket(unplaced_id: UUID, bucket: int) -> UUID:
    """The id with its last 12 bits replaced."""
    return UUID(int=_placed(unplaced_id.int, bucket))


def _placed(number: int, bucket: int) -> int:
    if not 0 <= bucket <= _BUCKET_BITS:
        raise ValueError("a bucket has 12 bits")
    return number & ~_BUCKET_BITS | bucket


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562): ids sort by time, so that inserts go to the right edge of an index."""
    return UUID(int=uuid_utils.uuid7().int)


def issued_at(token_id: UUID) -> datetime:
    """When a UUIDv7 was made, by the clock of the machine that made it."""
    return _EPOCH + timedelta(milliseconds=token_id.int >> 80)


def is_client_secret(unverified: str) -> bool:
    """Whether it is spelt like a client secret of ours."""
    return unverified.startswith(_SECRET_PREFIX)


def first_id_at(moment: datetime) -> UUID:
    """The smallest id of a moment: a bound for ids that sort by time."""
    return UUID(int=((moment - _EPOCH) // timedelta(milliseconds=1)) << 80)


def mint_client_secret() -> str:
    """A fresh client secret of 256 bits. Clients disagree whether Basic is form-encoded: no character of it cares."""
    body = f"{_SECRET_PREFIX}{base62.encode(int.from_bytes(urandom(32)), 43)}"
    return body + _checksum(body)


def secret_digest(text: str) -> bytes:
    """What is stored of a token or secret. Its own random bits make a key and a slow hash pointless."""
    return sha256(text.encode()).digest()


def _checksum(body: str) -> str:
    return base62.encode(zlib.crc32(body.encode()), 6)


def _uuid_of(number: int) -> UUID:
    """`UUID(int=number)` of a number that was judged: most of the time that takes goes to arguments it was not given."""
    made = _new(UUID)
    _set(made, "int", number)
    _set(made, "is_safe", _UNKNOWN)
    return made


def _is_token_id(number: int) -> bool:
    # The time of a UUIDv7 reaches beyond what a datetime can hold, and the partition of a token is found by it.
    return number >> 80 <= _LAST_MS and number & _VERSION_AND_VARIANT == _VERSION_7

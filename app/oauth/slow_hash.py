"""Slow hashes that a former system kept of secrets and passwords: the forms that are read, and what matches one.

Each form has a bound on its cost, because whoever guesses a secret makes us pay it.
"""

import binascii
import hashlib
import hmac
import re
from base64 import b64decode
from collections.abc import Callable

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from app.refused import RefusedError

LONGEST_SLOW_HASH = 500
_MOST_ARGON2_KIB, _MOST_ARGON2_PASSES, _MOST_ARGON2_LANES = 128 * 1024, 10, 16
_MOST_ITERATIONS = 2_000_000
_MOST_SCRYPT_BYTES = 64 * 1024 * 1024
_MOST_SCRYPT_LANES = 4
_SHORTEST_ARGON2_SALT = 8  # bytes (RFC 9106 section 3.1)
_FEWEST_BYTES, _MOST_BYTES = 16, 64  # of the digest in it

_HASHER = PasswordHasher()

# $argon2id$v=19$m=65536,t=3,p=4$salt$hash: the PHC string of argon2 1.3, without padding
_ARGON2 = re.compile(
    r"\$argon2(?:id|i|d)\$v=19\$m=([0-9]{1,9}),t=([0-9]{1,9}),p=([0-9]{1,3})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)"
)
# $pbkdf2-sha256$29000$salt$hash: passlib's form, with . for + and no padding
_PBKDF2 = re.compile(r"\$pbkdf2-(sha1|sha256|sha512)\$([0-9]{1,9})\$([A-Za-z0-9./]+)\$([A-Za-z0-9./]+)")
# pbkdf2_sha256$600000$salt$hash=: Django's form, whose salt is text
_DJANGO = re.compile(r"pbkdf2_(sha1|sha256)\$([0-9]{1,9})\$([^$]+)\$([A-Za-z0-9+/]+=*)")
# $scrypt$ln=16,r=8,p=1$salt$hash: passlib's form
_SCRYPT = re.compile(
    r"\$scrypt\$ln=([0-9]{1,2}),r=([0-9]{1,3}),p=([0-9]{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)"
)
_READABLE = "argon2 ($argon2id$v=19$...), PBKDF2 ($pbkdf2-sha256$... or pbkdf2_sha256$...) and scrypt ($scrypt$ln=...)"

Matches = Callable[[str], bool]


class SlowHashError(RefusedError):
    """The hash is of no form that is read here, or would cost too much."""

    code = "unreadable_hash"


def read_slow_hash(text: str) -> Matches:
    """The test whether a secret or password is the one that was hashed. Raises SlowHashError when there is none."""
    if len(text) > LONGEST_SLOW_HASH:
        raise SlowHashError(f"a hash has at most {LONGEST_SLOW_HASH} characters")
    for read in (_read_argon2, _read_pbkdf2, _read_scrypt):
        matches = read(text)
        if matches is not None:
            return matches
    raise SlowHashError(f"no hash of a form that is read here: {_READABLE}")


def is_former(password_hash: str) -> bool:
    """Whether no password here was hashed so, but a former system's were."""
    return password_hash.startswith(("$pbkdf2-", "pbkdf2_", "$scrypt$"))


def _read_argon2(text: str) -> Matches | None:
    parts = _ARGON2.fullmatch(text)
    if parts is None:
        return None
    kib, passes, lanes = (int(parts[number]) for number in (1, 2, 3))
    if not (
        8 * lanes <= kib <= _MOST_ARGON2_KIB
        and 0 < passes <= _MOST_ARGON2_PASSES
        and 0 < lanes <= _MOST_ARGON2_LANES
    ):
        raise SlowHashError(
            f"an argon2 hash of no cost, or of more than m={_MOST_ARGON2_KIB}, t={_MOST_ARGON2_PASSES} or p={_MOST_ARGON2_LANES}"
        )
    _check_length(_decode(parts[5]))
    if len(_decode(parts[4])) < _SHORTEST_ARGON2_SALT:
        raise SlowHashError(f"an argon2 hash whose salt has fewer than {_SHORTEST_ARGON2_SALT} bytes")

    def matches(secret: str) -> bool:
        try:
            return _HASHER.verify(text, secret)
        except VerifyMismatchError:
            return False

    return matches


def _read_pbkdf2(text: str) -> Matches | None:
    parts = _PBKDF2.fullmatch(text) or _DJANGO.fullmatch(text)
    if parts is None:
        return None
    name, iterations = parts[1], int(parts[2])
    salt = _decode(parts[3].replace(".", "+")) if parts.re is _PBKDF2 else parts[3].encode()
    expected = _decode(parts[4].replace(".", "+"))
    if not 0 < iterations <= _MOST_ITERATIONS:
        raise SlowHashError(f"a PBKDF2 hash of 0 or more than {_MOST_ITERATIONS:,} iterations")

    def derive(secret: bytes) -> bytes:
        return hashlib.pbkdf2_hmac(name, secret, salt, iterations, len(expected))

    return _comparing(derive, expected)


def _read_scrypt(text: str) -> Matches | None:
    parts = _SCRYPT.fullmatch(text)
    if parts is None:
        return None
    blocks, lanes = int(parts[2]), int(parts[3])
    salt, expected = _decode(parts[4]), _decode(parts[5])
    n = 2 ** int(parts[1])
    if not 0 < 128 * n * blocks <= _MOST_SCRYPT_BYTES or n < 2 or not 0 < lanes <= _MOST_SCRYPT_LANES:  # noqa: PLR2004  # RFC 7914 section 2
        raise SlowHashError(
            f"a scrypt hash that needs more than {_MOST_SCRYPT_BYTES // 1024 // 1024} MiB or {_MOST_SCRYPT_LANES} lanes"
        )

    def derive(secret: bytes) -> bytes:
        return hashlib.scrypt(
            secret, salt=salt, n=n, r=blocks, p=lanes, maxmem=2 * _MOST_SCRYPT_BYTES, dklen=len(expected)
        )

    return _comparing(derive, expected)


def _comparing(derive: Callable[[bytes], bytes], expected: bytes) -> Matches:
    _check_length(expected)
    return lambda secret: hmac.compare_digest(derive(secret.encode()), expected)


def _check_length(digest: bytes) -> None:
    if not _FEWEST_BYTES <= len(digest) <= _MOST_BYTES:
        raise SlowHashError(f"a hash of {len(digest)} bytes: {_FEWEST_BYTES} to {_MOST_BYTES} are read")


def _decode(text: str) -> bytes:
    try:
        return b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), validate=True)
    except binascii.Error:
        raise SlowHashError("a hash whose salt or digest is not base64") from None

"""The public keys an application may be registered with (RFC 7517), judged one by one and made canonical."""

import warnings
from collections.abc import Mapping
from typing import Any

import orjson
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import Key, import_key

from app.oauth.assertion import ALGORITHMS, RENAMED, fits
from app.oauth.registration import RegistrationError
from app.oauth.sound_keys import LONGEST_NUMBER, objection_to_key

# All of them are tried for an assertion that names none. A rotation needs two.
_MOST_KEYS = 5
LARGEST_KEY_SET = 16 * 1024  # bytes
_LONGEST_KID = 128

_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth"})
_NUMBERS = ("n", "e", "x", "y")
_KEPT = frozenset({"kty", "crv", "x", "y", "n", "e", "kid", "alg", "use"})


def check_key_set(unverified: bytes) -> str:
    """The JWK Set as it is stored: nothing private, nothing that is not needed.

    Raises RegistrationError when it is no JWK Set, or a key in it is not accepted.
    """
    entries = _entries(unverified)
    keys = [_check_key(number, entry) for number, entry in enumerate(entries, 1)]
    kids = [key.kid or key.thumbprint() for key in keys]
    if len(set(kids)) < len(kids) or len({key.thumbprint() for key in keys}) < len(keys):
        raise RegistrationError("keys: two are the same, or have the same kid")
    return orjson.dumps({"keys": [key.as_dict(private=False) for key in keys]}).decode()


def _entries(unverified: bytes) -> list[Any]:
    try:
        document = orjson.loads(unverified) if len(unverified) <= LARGEST_KEY_SET else None
    except orjson.JSONDecodeError:
        document = None
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise RegistrationError(
            f'keys: expected a JWK Set, {{"keys": [...]}}, of {LARGEST_KEY_SET // 1024} KiB at most'
        )
    if not 1 <= len(entries) <= _MOST_KEYS:
        raise RegistrationError(f"keys: 1 to {_MOST_KEYS}, not {len(entries)}")
    return entries


def _check_key(number: int, entry: Any) -> Key:
    objection = _objection(entry) if isinstance(entry, dict) else "is not an object"
    if objection is not None:
        raise RegistrationError(f"key {number}: {objection}")
    try:
        # The library warns of a short RSA key, which is no less refused here than rubbish.
        with warnings.catch_warnings(action="error", category=SecurityWarning):
            key = import_key(_canonical(entry))
    except (JoseError, SecurityWarning, ValueError, TypeError, LookupError) as error:
        raise RegistrationError(f"key {number}: it cannot be read as a JWK ({error})") from error
    if not any(fits(key, algorithm) for algorithm in ALGORITHMS):
        raise RegistrationError(
            f"key {number}: it fits none of {', '.join(ALGORITHMS)}: use an EC key on P-256, RSA, or Ed25519"
        )
    objection = objection_to_key(key, entry)
    if objection is not None:
        raise RegistrationError(f"key {number}: {objection}")
    return key


def _objection(entry: Mapping[str, Any]) -> str | None:
    """Judge an entry before it is read as a key: a private half must not even be parsed here."""
    if entry.get("kty") == "oct" or "k" in entry:
        return "it is symmetric; only public keys are registered"
    if not _PRIVATE.isdisjoint(entry):
        return "it has a private half: keep that to yourself, and register the public one"
    if entry.get("use", "sig") != "sig":
        return "it is not for signatures"
    if any(len(entry[name]) > LONGEST_NUMBER for name in _NUMBERS if isinstance(entry.get(name), str)):
        return "a number in it is longer than 4,096 bits"
    kid = entry.get("kid", "")
    if not isinstance(kid, str) or len(kid) > _LONGEST_KID or not kid.isprintable():
        return f"its kid is not a text of at most {_LONGEST_KID} characters"
    return None


def _canonical(entry: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in entry.items() if name in _KEPT}
    return {**kept, "alg": RENAMED.get(str(kept["alg"]), kept["alg"])} if "alg" in kept else kept

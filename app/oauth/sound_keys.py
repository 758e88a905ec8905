"""Public keys that anybody could sign for: a library takes them, and they prove nothing."""

from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from math import gcd, isqrt, prod
from typing import Any

from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

_RSA_BITS = (2048, 4096)  # below it is too weak, above it takes long to verify
_RSA_EXPONENT = 65_537  # as every library makes them; a larger one takes long to verify

# The longest number there may be; a longer one is not even read.
LONGEST_NUMBER = 683  # characters of base64, 4,096 bits

_COORDINATE = 32  # octets, of P-256 and of Ed25519
_P256 = 2**256 - 2**224 + 2**192 + 2**96 - 1
_ED25519 = 2**255 - 19
_ED25519_D = -121_665 * pow(121_666, -1, _ED25519) % _ED25519
_ORDER_8 = 0x05FC536D_880238B1_3933C6D3_05ACDFD5_F098EFF2_89F4C345_B027B2C2_8F95E826
# The second coordinates of the points of order 1, 2, 4 and 8: with each of them one signature fits every message, or one
# message in a few.
_SMALL_ORDER = frozenset({0, 1, _ED25519 - 1, _ORDER_8, _ED25519 - _ORDER_8})

_FERMAT_ROUNDS = 100  # as many as Let's Encrypt tries


def _odd_primes(below: int) -> Iterator[int]:
    return (
        number for number in range(3, below, 2) if all(number % odd for odd in range(3, isqrt(number) + 1, 2))
    )


_SMALL_PRIMES = prod(_odd_primes(2000))


def objection_to_key(key: Key, entry: Mapping[str, Any]) -> str | None:
    """The reason why it must not be registered, as the end of a sentence; None when it may be.

    key: as the library read it from the entry.
    """
    match key:
        case RSAKey():
            numbers = key.public_key.public_numbers()
            return _objection_to_rsa(numbers.n, numbers.e) or _objection_to_spelling(
                entry, n=_text_of(numbers.n), e=_text_of(numbers.e)
            )
        case ECKey():
            point = key.public_key.public_numbers()
            return _objection_to_spelling(
                entry, x=_text_of(point.x % _P256, _COORDINATE), y=_text_of(point.y % _P256, _COORDINATE)
            )
        case OKPKey():
            raw = key.public_key.public_bytes_raw()
            return _objection_to_ed25519(raw) or _objection_to_spelling(entry, x=_base64(raw))
    return "it is of no kind that is registered"


def _objection_to_rsa(modulus: int, exponent: int) -> str | None:
    fewest, most = _RSA_BITS
    if not fewest <= modulus.bit_length() <= most or exponent != _RSA_EXPONENT:
        return f"an RSA key has {fewest} to {most} bits and the exponent {_RSA_EXPONENT}"
    if modulus % 2 == 0 or gcd(modulus, _SMALL_PRIMES) > 1 or _has_close_factors(modulus):
        return "its modulus is no product of two large primes that lie apart: anybody could find its private half"
    if pow(2, modulus - 1, modulus) == 1:
        return "its modulus is a prime: anybody could find its private half"
    return None


def _has_close_factors(modulus: int) -> bool:
    """Fermat's method finds a square, and the product of a generator that took the next prime for the second."""
    middle = isqrt(modulus - 1) + 1
    return any(
        isqrt(difference) ** 2 == difference
        for difference in ((middle + step) ** 2 - modulus for step in range(_FERMAT_ROUNDS))
    )


def _objection_to_ed25519(raw: bytes) -> str | None:
    y = int.from_bytes(raw, "little") & (2**255 - 1)
    if y in _SMALL_ORDER or y - _ED25519 in _SMALL_ORDER:
        return "it is a point of small order: anybody could sign for it"
    squared = (y * y - 1) * pow(_ED25519_D * y * y + 1, -1, _ED25519) % _ED25519
    if y >= _ED25519 or pow(squared, (_ED25519 - 1) // 2, _ED25519) != 1:
        return "it is no point of the curve"
    return None


def _objection_to_spelling(entry: Mapping[str, Any], **numbers: str) -> str | None:
    """One key has one spelling (RFC 7518 section 6), or its thumbprint would be two."""
    for name, text in numbers.items():
        if entry.get(name) != text:
            return f"its {name} is not spelt as RFC 7518 section 6 asks: without zeros before a number, a coordinate in full"
    return None


def _text_of(number: int, octets: int | None = None) -> str:
    return _base64(number.to_bytes(octets or (number.bit_length() + 7) // 8, "big"))


def _base64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()

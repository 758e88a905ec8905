"""Keys that anybody could sign for are refused, though the library takes them, and each key has one spelling."""

import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from functools import cache
from typing import Any

import orjson
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OKPKey, RSAKey

from app.oauth import client_keys
from app.oauth.client_keys import check_key_set
from app.oauth.registration import RegistrationError
from tests.support.assertions import jwks_of, key_pair

P256 = 2**256 - 2**224 + 2**192 + 2**96 - 1
ED25519 = 2**255 - 19
ORDER_8 = int.from_bytes(
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
)
EC, RSA, OKP = (key_pair(kind).as_dict(private=False) for kind in ("EC", "RSA", "OKP"))
MODULUS = int.from_bytes(urlsafe_b64decode(str(RSA["n"]) + "=="), "big")


def base64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def octets(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def rsa(modulus: int, exponent: int = 65_537) -> dict[str, Any]:
    return {"kty": "RSA", "n": base64(octets(modulus)), "e": base64(octets(exponent))}


def ed25519(y: int, sign: int = 0) -> dict[str, Any]:
    return {"kty": "OKP", "crv": "Ed25519", "x": base64((y | sign << 255).to_bytes(32, "little"))}


def refusal(entry: dict[str, Any]) -> str:
    with pytest.raises(RegistrationError) as refused:
        check_key_set(orjson.dumps({"keys": [entry]}))
    return str(refused.value)


@cache
def prime(bits: int) -> int:
    """A prime as a generator makes it."""
    return generate_private_key(65_537, 2 * bits).private_numbers().p


def prime_after(number: int) -> int:
    number += 2
    while pow(2, number - 1, number) != 1:
        number += 2
    return number


@pytest.mark.parametrize("bits", [2048, 3072, 4096])
def test_honest_rsa_key_is_registered(bits: int) -> None:
    """O-150."""
    assert check_key_set(jwks_of(RSAKey.generate_key(bits)))


def test_honest_keys_on_curves_are_registered() -> None:
    """O-150: whatever the first octets of their coordinates are."""
    for _ in range(300):
        assert check_key_set(jwks_of(ECKey.generate_key(), OKPKey.generate_key()))


SPOILT: dict[str, Callable[[], int]] = {
    "even": lambda: MODULUS - 1,
    "a power of two": lambda: 2**2047,
    "all ones": lambda: 2**2048 - 1,
    "a multiple of 3": lambda: 3 * prime(1024) * prime(1026),
    "a multiple of 1999": lambda: 1999 * prime(1024) * prime(1016),
    "a square": lambda: prime(1024) ** 2,
    "of two neighbours": lambda: prime(1024) * prime_after(prime(1024)),
    "a prime": lambda: prime(2048),
}


@pytest.mark.parametrize("make", SPOILT.values(), ids=SPOILT)
def test_modulus_that_anybody_can_take_apart_is_refused(make: Callable[[], int]) -> None:
    """O-150: who can, finds the private half."""
    modulus = make()
    assert modulus.bit_length() >= 2048
    assert "anybody could find its private half" in refusal(rsa(modulus))


@pytest.mark.parametrize(
    "modulus", [1, 3, 15, 2**512 + 1, 2**1024 + 643, MODULUS >> 1, MODULUS >> 1024], ids=int.bit_length
)
def test_tiny_modulus_is_refused(modulus: int) -> None:
    """O-150."""
    assert refusal(rsa(modulus)).startswith("key 1: ")


@pytest.mark.parametrize(
    "exponent",
    [1, 2, 3, 65_536, 65_538, 65_539, MODULUS - 2, 2**2048 + 1],
    ids=["1", "2", "3", "65536", "65538", "65539", "the modulus less 2", "a bit longer than the modulus"],
)
def test_exponent_other_than_the_usual_is_refused(exponent: int) -> None:
    """O-150: 1 makes every message its own signature."""
    assert refusal(rsa(MODULUS, exponent)).startswith("key 1: ")


@given(st.integers(4097, 90_000))
def test_huge_number_is_refused_before_it_is_read(bits: int) -> None:
    """O-150: whatever number it is in."""
    huge = base64(octets(2**bits + 1))
    entries = [
        {**RSA, "n": huge},
        {**RSA, "e": huge},
        {**EC, "x": huge},
        {**EC, "y": huge},
        {**OKP, "x": huge},
    ]
    read: list[object] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(client_keys, "import_key", read.append)
        for entry in entries:
            assert "longer than 4,096 bits" in refusal(entry) or "16 KiB" in refusal(entry)
    assert not read


def test_judging_the_largest_key_is_bounded() -> None:
    """O-150: five of them may be in a set."""
    keys = jwks_of(RSAKey.generate_key(4096))
    began = time.process_time()
    check_key_set(keys)
    assert time.process_time() - began < 0.4


POINTS = {
    "order 1": 1,
    "order 2": ED25519 - 1,
    "order 4": 0,
    "order 8": ORDER_8,
    "order 8, too": ED25519 - ORDER_8,
}


@pytest.mark.parametrize("y", POINTS.values(), ids=POINTS)
@pytest.mark.parametrize("sign", [0, 1])
def test_point_that_one_signature_fits_is_refused(y: int, sign: int) -> None:
    """O-150: the library verifies what nobody signed, and takes the same point in a second spelling."""
    entry = ed25519(y, sign)
    identity, nothing = (1).to_bytes(32, "little"), bytes(32)
    if (y, sign) not in ((1, 1), (ED25519 - 1, 1)):  # no points, these two
        assert any(verifies(entry, identity + nothing, b"%d" % each) for each in range(200))
    assert "anybody could sign for it" in refusal(entry)
    if y + ED25519 < 2**255:
        assert "anybody could sign for it" in refusal(ed25519(y + ED25519, sign))


def verifies(entry: dict[str, Any], signature: bytes, message: bytes) -> bool:
    key = Ed25519PublicKey.from_public_bytes(urlsafe_b64decode(entry["x"] + "="))
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def test_what_is_no_point_of_its_curve_is_refused() -> None:
    """O-150: it verifies nothing, and is not what was meant."""
    assert "no point of the curve" in refusal(ed25519(2))
    assert "no point of the curve" in refusal(ed25519(2**255 - 1))
    assert refusal({**EC, "y": base64(bytes(32))}).startswith("key 1: ")
    assert refusal({**EC, "x": base64(bytes(32)), "y": base64(bytes(32))}).startswith("key 1: ")
    assert refusal({**EC, "x": EC["y"], "y": EC["x"]}).startswith("key 1: ")
    assert refusal({**EC, "crv": "P-384"}).startswith("key 1: ")


def test_key_has_one_spelling() -> None:
    """O-150: its name is made of its numbers as they are spelt, and two names would be two keys."""
    x, y = (int.from_bytes(urlsafe_b64decode(str(EC[name]) + "="), "big") for name in ("x", "y"))
    for entry in (
        {**RSA, "n": base64(b"\0" + octets(MODULUS))},
        {**RSA, "e": base64(b"\0\1\0\1")},
        {**RSA, "n": f"{RSA['n']}=="},
        {**RSA, "n": f"{RSA['n'][:-1]}{chr(ord(RSA['n'][-1]) + 1)}"},  # the last bits say nothing
        {**EC, "x": base64(octets(x + P256))},
        {**EC, "y": base64(octets(y + P256))},
        {**EC, "x": base64(b"\0" + x.to_bytes(32, "big"))},
    ):
        assert refusal(entry).startswith("key 1: ")

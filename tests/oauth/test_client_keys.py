"""Claims about the keys an application may be registered with: public, few, sound, and kept as they are needed."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, Key, OctKey, OKPKey

from app.oauth.assertion import ALGORITHMS, fits, import_keys
from app.oauth.client_keys import check_key_set
from app.oauth.registration import RegistrationError
from tests.support.assertions import KEY_OF, jwks_of, key_pair

EC = key_pair("EC")
PUBLIC = EC.as_dict(private=False)


def refusal(document: object) -> str:
    written = document if isinstance(document, bytes) else orjson.dumps(document)
    with pytest.raises(RegistrationError) as refused:
        check_key_set(written)
    assert len(str(refused.value).splitlines()) == 1
    return str(refused.value)


def of_one(**changes: Any) -> dict[str, Any]:
    return {"keys": [{**PUBLIC, **changes}]}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_public_key_of_every_algorithm_is_kept(algorithm: str) -> None:
    """O-150: for its algorithm alone when it says so, else for every one that it fits."""
    pair = key_pair(KEY_OF[algorithm])
    (bare,) = import_keys(check_key_set(jwks_of(pair)))
    (bound,) = import_keys(check_key_set(jwks_of(pair, alg=algorithm, use="sig", kid="k-1")))
    assert bare.thumbprint() == bound.thumbprint() == bare.kid == pair.thumbprint()
    assert bound.kid == "k-1"
    assert {name for name in ALGORITHMS if fits(bare, name)} == {
        name for name in ALGORITHMS if KEY_OF[name] == KEY_OF[algorithm]
    }
    same = {"Ed25519", "EdDSA"} if algorithm in ("Ed25519", "EdDSA") else {algorithm}  # RFC 9864
    assert {name for name in ALGORITHMS if fits(bound, name)} == same


def test_only_what_is_needed_is_kept() -> None:
    """No address, no certificate, nothing that nobody asked for."""
    more = {"x5u": "https://evil.example", "x5c": ["x"], "key_ops": ["sign"], "note": "mine", "kid": "k-1"}
    (kept,) = orjson.loads(check_key_set(orjson.dumps(of_one(**more))))["keys"]
    assert kept == {**PUBLIC, "kid": "k-1"}


PRIVATE: dict[str, Key] = {"EC": EC, "RSA": key_pair("RSA"), "OKP": key_pair("OKP")}


@pytest.mark.parametrize("kind", PRIVATE)
def test_private_half_is_refused_and_not_repeated(kind: str) -> None:
    """O-150: whole, or a single member of one."""
    whole = PRIVATE[kind].as_dict(private=True)
    public = PRIVATE[kind].as_dict(private=False)
    halves: list[dict[str, Any]] = [
        whole,
        *({**public, name: whole[name]} for name in whole if name not in public),
    ]
    for half in halves:
        told = refusal({"keys": [public, half]})
        assert "key 2: it has a private half" in told
        assert str(half.get("d", half.get("p"))) not in told


@pytest.mark.parametrize("entry", [{"kty": "oct", "k": "c2VjcmV0"}, {**PUBLIC, "k": "c2VjcmV0"}])
def test_symmetric_key_is_refused(entry: dict[str, Any]) -> None:
    """O-150."""
    assert "symmetric" in refusal({"keys": [entry]})
    assert "symmetric" in refusal({"keys": [OctKey.generate_key(256).as_dict(private=True)]})


UNFIT: dict[str, dict[str, Any]] = {
    "P-384": ECKey.generate_key("P-384", private=False).as_dict(),
    "secp256k1": ECKey.generate_key("secp256k1", private=False).as_dict(),
    "Ed448": OKPKey.generate_key("Ed448", private=False).as_dict(),
    "X25519": OKPKey.generate_key("X25519", private=False).as_dict(),
    "X25519 for EdDSA": {"alg": "EdDSA", **OKPKey.generate_key("X25519", private=False).as_dict()},
    "alg none": {**PUBLIC, "alg": "none"},
    "alg HS256": {**PUBLIC, "alg": "HS256"},
    "alg of another kind": {**PUBLIC, "alg": "RS256"},
    "for encryption": {**PUBLIC, "use": "enc"},
    "off the curve": {**PUBLIC, "x": PUBLIC["y"]},
    "no kind": {name: value for name, value in PUBLIC.items() if name != "kty"},
    "unknown kind": {**PUBLIC, "kty": "AKP"},
    "list kind": {**PUBLIC, "kty": ["EC"]},
    "unknown curve": {**PUBLIC, "crv": "P-1"},
    "number": {**PUBLIC, "x": 7},
    "number kid": {**PUBLIC, "kid": 7},
    "long kid": {**PUBLIC, "kid": "k" * 129},
    "invisible kid": {**PUBLIC, "kid": "k\n"},
    "short RSA": {"kty": "RSA", "n": "_" * 340, "e": "AQAB"},
    "long RSA": {"kty": "RSA", "n": "_" * 684, "e": "AQAB"},
    "small exponent": {"kty": "RSA", "n": "_" * 341 + "w", "e": "Aw"},
    "huge exponent": {"kty": "RSA", "n": "_" * 341 + "w", "e": "_" * 340},
}


@pytest.mark.parametrize("entry", UNFIT.values(), ids=UNFIT)
def test_unfit_key_is_refused_by_its_number(entry: dict[str, Any]) -> None:
    """O-150."""
    assert refusal({"keys": [PUBLIC, entry]}).startswith("key 2: ")


@pytest.mark.parametrize(
    "document",
    [b"", b"{", b"[]", b"7", b"null", b'{"keys": {}}', b'{"keys": null}', b"\xff", orjson.dumps(PUBLIC)],
)
def test_what_is_no_key_set_is_refused(document: bytes) -> None:
    assert "expected a JWK Set" in refusal(document)


def test_number_and_size_are_limited() -> None:
    keys = [key_pair("EC", number) for number in range(6)]
    assert len(import_keys(check_key_set(jwks_of(*keys[:5])))) == 5
    assert "1 to 5, not 6" in refusal(jwks_of(*keys))
    assert "1 to 5, not 0" in refusal({"keys": []})
    assert "16 KiB" in refusal({"keys": [PUBLIC], "more": "x" * 16_384})
    assert "is not an object" in refusal({"keys": ["x"]})


def test_keys_and_their_names_differ() -> None:
    other = key_pair("EC", 1).as_dict(private=False)
    assert "same" in refusal({"keys": [PUBLIC, {**PUBLIC, "kid": "k-2"}]})
    assert "same" in refusal({"keys": [{**PUBLIC, "kid": "k"}, {**other, "kid": "k"}]})
    assert "same" in refusal({"keys": [PUBLIC, {**other, "kid": EC.thumbprint()}]})


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused(document: bytes) -> None:
    refusal(document)


@given(
    st.dictionaries(
        st.sampled_from(["kty", "crv", "x", "y", "n", "e", "kid", "alg", "use"]),
        st.sampled_from(
            ["EC", "RSA", "OKP", "P-256", "Ed25519", "AQAB", "", PUBLIC["x"], 7, None, [], {}, -1.5]
        ),
    )
)
def test_arbitrary_members_are_refused(members: dict[str, Any]) -> None:
    refusal({"keys": [{"x": "", **members}]})

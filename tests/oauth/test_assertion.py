"""Claims about client assertions (RFC 7523): what proves an application, and that nothing else does."""

import hmac
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, Key
from joserfc.jws import CompactSignature, JWSRegistry, validate_compact

from app.oauth import assertion as rules
from app.oauth.assertion import (
    ALGORITHMS,
    ASSERTION_TYPE,
    LONGEST_AHEAD_S,
    ClientAssertion,
    fits,
    import_keys,
    objection_to,
    parse_assertion,
)
from app.oauth.client_keys import check_key_set
from app.oauth.errors import OAuthError
from tests.support.assertions import KEY_OF, claims_of, encoded, jwks_of, key_pair, signed
from tests.support.browser import ORIGIN

ME = "01932f2c-5a6b-7def-8123-456789abcdef"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOW_S = int(NOW.timestamp())
RIGHT = {"exp": NOW_S + 60, "iat": NOW_S}
EC = key_pair("EC")
NO_KEY = "no key of the application verifies the client assertion"


def objection(text: str, jwks: bytes | None = None, *, now: datetime = NOW) -> str | None:
    """The reason why it is refused, read or verified; None when it is accepted."""
    registered = check_key_set(jwks if jwks is not None else jwks_of(EC))
    try:
        assertion = parse_assertion(ASSERTION_TYPE, text)
    except OAuthError as error:
        return f"{error.status} {error}"
    return objection_to(assertion, registered, issuer=ORIGIN, now=now)


def by_me(algorithm: str = "ES256", header: dict[str, Any] | None = None, **claims: Any) -> str:
    key = key_pair(KEY_OF[algorithm])
    return signed(key, claims_of(ME, **{**RIGHT, **claims}), algorithm, **(header or {}))


def test_there_is_a_key_for_every_algorithm_and_none_is_symmetric_or_none() -> None:
    """O-116, O-150."""
    assert set(KEY_OF) == set(ALGORITHMS)
    assert not [name for name in ALGORITHMS if name == "none" or name.startswith("HS")]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_assertion_by_a_registered_key_proves_the_application(algorithm: str) -> None:
    """O-150: with and without the key's name, among other keys of the same kind and of other kinds."""
    own, other = key_pair(KEY_OF[algorithm]), key_pair(KEY_OF[algorithm], 1)
    jwks = jwks_of(
        other, own, *(key_pair(kind) for kind in ("EC", "RSA", "OKP") if kind != KEY_OF[algorithm])
    )
    assert objection(by_me(algorithm), jwks) is None
    assert objection(by_me(algorithm, {"kid": own.thumbprint()}), jwks) is None
    assert objection(by_me(algorithm, {"kid": other.thumbprint()}), jwks) == NO_KEY
    assert objection(by_me(algorithm, {"kid": "nobody's"}), jwks) == NO_KEY
    assert objection(by_me(algorithm), jwks_of(other)) == NO_KEY


@pytest.mark.parametrize("typ", ["JWT", "client-authentication+jwt"])
def test_assertion_may_say_what_it_is(typ: str) -> None:
    assert objection(by_me(header={"typ": typ})) is None


def test_unknown_headers_are_ignored() -> None:
    """RFC 7515 section 4: an address of a key among them, which nobody here looks at."""
    header: dict[str, Any] = {
        "jku": "https://evil.example/keys",
        "jwk": key_pair("EC", 1).as_dict(private=False),
        "more": 1,
    }
    assert objection(by_me(header=header)) is None
    stranger = signed(key_pair("EC", 1), claims_of(ME, **RIGHT), **header)
    assert objection(stranger) == NO_KEY


@pytest.mark.parametrize("audience", [ORIGIN, [ORIGIN]], ids=["text", "list of one"])
def test_audience_is_the_issuer(audience: object) -> None:
    """O-150."""
    assert objection(by_me(aud=audience)) is None


CLAIMS: dict[str, dict[str, Any]] = {
    "no iss": {"iss": None},
    "no sub": {"sub": None},
    "another iss": {"iss": "somebody"},
    "another sub": {"sub": "somebody"},
    "number sub": {"iss": 1, "sub": 1},
    "no aud": {"aud": None},
    "the token endpoint": {"aud": f"{ORIGIN}/app/oauth2/token"},
    "a slash": {"aud": f"{ORIGIN}/"},
    "two audiences": {"aud": [ORIGIN, "https://elsewhere.example"]},
    "twice the issuer": {"aud": [ORIGIN, ORIGIN]},
    "no audience": {"aud": []},
    "deep audience": {"aud": [[ORIGIN]]},
    "no exp": {"exp": None},
    "text exp": {"exp": str(NOW_S + 60)},
    "true exp": {"exp": True},
    "past": {"exp": NOW_S},
    "long past": {"exp": -1},
    "far ahead": {"exp": NOW_S + LONGEST_AHEAD_S + 1},
    "endless": {"exp": 1e300},
    "not yet": {"nbf": NOW_S + 11},
    "text nbf": {"nbf": "0"},
    "from the future": {"iat": NOW_S + 11},
    "list iat": {"iat": [0]},
    "no jti": {"jti": None},
    "empty jti": {"jti": ""},
    "number jti": {"jti": 7},
}


@pytest.mark.parametrize("changes", CLAIMS.values(), ids=CLAIMS)
def test_wrong_claim_proves_nothing(changes: dict[str, Any]) -> None:
    """O-150: signed rightly, each."""
    assert objection(by_me(**changes)) is not None


def test_times_hold_to_the_second() -> None:
    """O-150: five minutes and no more, and a clock that is a little ahead."""
    assert LONGEST_AHEAD_S == 300
    assert objection(by_me(exp=NOW_S + 300)) is None
    assert objection(by_me(exp=NOW_S + 300.5)) is not None
    assert objection(by_me(exp=NOW_S + 0.5)) is None
    assert objection(by_me(nbf=NOW_S + 10, iat=NOW_S + 10)) is None
    text = by_me()
    assert objection(text, now=NOW + timedelta(seconds=59.9)) is None
    assert objection(text, now=NOW + timedelta(seconds=60)) is not None


HEADERS: dict[str, dict[str, Any]] = {
    "crit": {"crit": ["exp"], "exp": 1},
    "crit of a known one": {"crit": ["alg"]},
    "no crit": {"crit": []},
    "unencoded payload": {"b64": False, "crit": ["b64"]},
    "number kid": {"kid": 7},
    "null kid": {"kid": None},
    "DPoP proof": {"typ": "dpop+jwt"},
    "access token": {"typ": "at+jwt"},
    "list typ": {"typ": ["JWT"]},
    "long": {"more": "x" * 1024},
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_wrong_header_proves_nothing(header: dict[str, Any]) -> None:
    assert objection(by_me(header=header)) is not None


def forged(header: object) -> str:
    """An assertion of these claims, with a header the signature does not cover."""
    _, payload, signature = by_me().split(".")
    return f"{encoded(orjson.dumps(header)).decode()}.{payload}.{signature}"


def with_hmac() -> str:
    """The public key taken for a secret, which everybody knows then: the classic confusion of kinds."""
    text = b".".join(map(encoded, (b'{"alg":"HS256"}', orjson.dumps(claims_of(ME, **RIGHT)))))
    return b".".join((text, encoded(hmac.digest(public_pem(), text, "sha256")))).decode()


def public_pem() -> bytes:
    assert isinstance(EC, ECKey)
    return EC.as_pem(private=False)


UNSIGNED: dict[str, Callable[[], str]] = {
    "none": lambda: signed(EC, claims_of(ME, **RIGHT), "none"),
    "none with a signature": lambda: forged({"alg": "none"}),
    "None": lambda: forged({"alg": "None"}),
    "HS256 with the public key": with_hmac,
    "ES384": lambda: forged({"alg": "ES384"}),
    "RS512": lambda: forged({"alg": "RS512"}),
    "another kind of key": lambda: forged({"alg": "RS256"}),
    "no alg": lambda: forged({"typ": "JWT"}),
    "list alg": lambda: forged({"alg": ["ES256"]}),
    "list header": lambda: forged(["alg"]),
    "text header": lambda: forged("alg"),
    "text header that names b64": lambda: forged("alg b64"),
    "number header": lambda: forged(7),
    "null header": lambda: forged(None),
    "nothing": lambda: "",
    "dots": lambda: "..",
    "two parts": lambda: by_me().rpartition(".")[0],
    "four parts": lambda: by_me() + ".x",
    "no signature": lambda: by_me().rpartition(".")[0] + ".",
    "zero signature": lambda: f"{by_me().rpartition('.')[0]}.{encoded(bytes(64)).decode()}",
    "short signature": lambda: f"{by_me().rpartition('.')[0]}.{encoded(bytes(63)).decode()}",
    "padded": lambda: by_me() + "=",
    "blanks": lambda: f" {by_me()}",
    "not ASCII": lambda: by_me() + "é",
    "list payload": lambda: signed(EC, [claims_of(ME, **RIGHT)]),
    "text payload": lambda: signed(EC, "x"),
    "deep payload": lambda: f"{by_me().split('.')[0]}.{encoded(b'[' * 3000).decode()}.x",
    "deep header": lambda: f"{encoded(b'[' * 760).decode()}.{encoded(b'{}').decode()}.x",
    "large payload": lambda: signed(EC, claims_of(ME, **RIGHT, more="x" * 4096)),
    "encrypted": lambda: by_me() + ".x.x",
}


@pytest.mark.parametrize("made", UNSIGNED.values(), ids=UNSIGNED)
def test_what_no_registered_key_signed_proves_nothing(made: Callable[[], str]) -> None:
    """O-150: whatever it says of itself."""
    told = objection(made())
    assert told is not None
    assert told == NO_KEY or told.startswith("401 invalid_client: ")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("size", [0, 1, 32, 63, 64, 65, 255, 256, 257, 512, 760])
def test_signature_of_any_size_is_refused_and_breaks_nothing(size: int, algorithm: str) -> None:
    text = by_me(algorithm).rpartition(".")[0]
    for filling in (b"\0", b"\1", b"\xff"):
        forged_text = f"{text}.{encoded(filling * size).decode()}"
        assert objection(forged_text, jwks_of(key_pair(KEY_OF[algorithm]))) == NO_KEY


def test_every_changed_character_is_refused() -> None:
    """A signature over the text, of which one spelling is accepted."""
    text = by_me()
    for place, letter in enumerate(text):
        changed = "A" if letter != "A" else "B"
        assert objection(text[:place] + changed + text[place + 1 :]) is not None


@given(st.text(max_size=300) | st.from_regex(re.compile(r"[A-Za-z0-9_-]{0,200}(\.[A-Za-z0-9_-]{0,200}){2}")))
def test_arbitrary_text_is_refused_and_breaks_nothing(text: str) -> None:
    assert objection(text) is not None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.sampled_from([*claims_of(ME), "nbf"]), each),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk", "x5c"]), JSON),
    st.dictionaries(st.sampled_from([*claims_of(ME), "nbf"]), JSON),
)
def test_arbitrary_json_is_refused_and_breaks_nothing(header: dict[str, Any], claims: dict[str, Any]) -> None:
    """Signed, so that every claim is looked at."""
    text = b".".join(encoded(json.dumps(part).encode()) for part in ({"alg": "ES256", **header}, claims))
    signature = JWSRegistry.algorithms["ES256"].sign(text, EC)
    assert objection(b".".join((text, encoded(signature))).decode()) is not None


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_one_key_is_tried_whether_or_not_there_is_one(
    algorithm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """O-45, O-150: time tells neither whether an application is registered, nor by which kind of key."""
    tried: list[Key] = []

    def count(signed: CompactSignature, key: Key, **options: Any) -> bool:
        tried.append(key)
        return validate_compact(signed, key, **options)

    monkeypatch.setattr(rules, "validate_compact", count)
    other_kind = next(kind for kind in ("EC", "RSA") if kind != KEY_OF[algorithm])
    read = parse_assertion(ASSERTION_TYPE, by_me(algorithm))
    for jwks in (None, jwks_of(key_pair(KEY_OF[algorithm], 1)), jwks_of(key_pair(other_kind))):
        tried.clear()
        registered = None if jwks is None else check_key_set(jwks)
        assert objection_to(read, registered, issuer=ORIGIN, now=NOW)
        assert len(tried) == 1
        assert fits(tried[0], algorithm)


def test_decoy_proves_nothing_even_if_it_verifies() -> None:
    """O-150: what stands in for a missing key opens no door, so nobody need guard its private half."""
    pair = key_pair("EC", 2)
    text = signed(pair, claims_of(ME, **RIGHT))
    read = parse_assertion(ASSERTION_TYPE, text)
    decoys, rules._DECOYS = rules._DECOYS, {"ES256": list(import_keys(check_key_set(jwks_of(pair))))}
    try:
        assert objection_to(read, None, issuer=ORIGIN, now=NOW)
        assert objection_to(read, check_key_set(jwks_of(key_pair("RSA"))), issuer=ORIGIN, now=NOW)
    finally:
        rules._DECOYS = decoys


@pytest.mark.parametrize("assertion_type", [None, "", "jwt-bearer", ASSERTION_TYPE.upper()])
def test_type_has_to_be_named(assertion_type: str | None) -> None:
    """O-150: the one of RFC 7523."""
    with pytest.raises(OAuthError) as refused:
        parse_assertion(assertion_type, by_me())
    assert refused.value.code == "invalid_client"
    with pytest.raises(OAuthError):
        parse_assertion(ASSERTION_TYPE, None)


def test_assertion_does_not_show_itself() -> None:
    """Its form in a log line opens nothing."""
    text = by_me(jti="never-shown")
    read = parse_assertion(ASSERTION_TYPE, text)
    assert isinstance(read, ClientAssertion)
    assert "never-shown" not in repr(read)
    assert text.rpartition(".")[2] not in repr(read)

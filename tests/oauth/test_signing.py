"""Claims about the keys the service signs with, and about what it signs."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from app.oauth.answer import INACTIVE
from app.oauth.keys import derive_keys
from app.oauth.signing import (
    SigningKey,
    asks_for_jwt,
    introspection_jwt,
    key_set,
    make_signing_key,
    open_private,
    seal_private,
    signer,
    stage,
)

KEYS, OTHER_KEYS = derive_keys(("a secret key " * 3,)), derive_keys(("another secret key " * 2,))
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def signing_key(*, begins_in: timedelta, leaves_in: timedelta | None = None) -> SigningKey:
    new = make_signing_key(KEYS, now_s=int(NOW.timestamp()))
    return SigningKey(
        kid=new.kid,
        public_jwk=orjson.loads(new.public_jwk),
        sealed_with=new.sealed_with,
        created_at=NOW,
        begins_at=NOW + begins_in,
        leaves_at=None if leaves_in is None else NOW + leaves_in,
        private=open_private(KEYS, new.kid, new.sealed),
    )


def test_made_key_is_for_es256_and_named_by_its_thumbprint() -> None:
    """RFC 7638; only its public members are in the clear."""
    new = make_signing_key(KEYS, now_s=0)
    public = orjson.loads(new.public_jwk)
    assert set(public) == {"kty", "crv", "x", "y", "use", "alg", "kid"}
    assert (public["kty"], public["crv"], public["use"], public["alg"]) == ("EC", "P-256", "sig", "ES256")
    assert public["kid"] == new.kid == ECKey.import_key(public).thumbprint()
    assert re.fullmatch("[A-Za-z0-9_-]{43}", new.kid)
    assert new.kid != make_signing_key(KEYS, now_s=0).kid
    assert new.sealed not in repr(new)


def test_private_half_opens_under_its_secret_key_and_name_alone() -> None:
    """R-107: a row with another's private half signs nothing."""
    new, other = make_signing_key(KEYS, now_s=0), make_signing_key(KEYS, now_s=0)
    pair = open_private(KEYS, new.kid, new.sealed)
    assert pair is not None
    assert pair.is_private
    assert open_private(OTHER_KEYS, new.kid, new.sealed) is None
    assert open_private(KEYS, new.kid, other.sealed) is None
    assert open_private(KEYS, new.kid, "rubbish") is None
    anew = seal_private(OTHER_KEYS, pair, now_s=0)
    assert open_private(KEYS, new.kid, anew) is None
    assert open_private(OTHER_KEYS, new.kid, anew) == pair


def test_newest_that_has_begun_signs() -> None:
    old, new = signing_key(begins_in=-60 * SECOND, leaves_in=60 * SECOND), signing_key(begins_in=SECOND)
    assert signer((old, new), NOW) is old
    assert signer((old, new), NOW + SECOND) is new
    assert (stage(old, (old, new), NOW), stage(new, (old, new), NOW)) == ("signs", "waits")
    assert [stage(key, (old, new), NOW + SECOND) for key in (old, new)] == ["signed", "signs"]
    assert stage(old, (old, new), NOW + 60 * SECOND) == "gone"


def test_key_that_cannot_be_opened_or_is_gone_does_not_sign() -> None:
    old, new = signing_key(begins_in=-60 * SECOND), signing_key(begins_in=-SECOND)
    sealed_away = replace(new, private=None)
    assert signer((old, sealed_away), NOW) is old
    assert stage(sealed_away, (old, sealed_away), NOW) == "signed"
    assert signer((sealed_away,), NOW) is None
    assert signer((replace(old, leaves_at=NOW),), NOW) is None
    assert signer((), NOW) is None


def test_first_key_signs_by_a_clock_that_is_behind() -> None:
    """There is no other that anybody could have instead."""
    ahead = signing_key(begins_in=SECOND)
    assert signer((ahead,), NOW) is ahead


def test_published_set_holds_public_members_until_each_leaves() -> None:
    old, new = signing_key(begins_in=-SECOND, leaves_in=SECOND), signing_key(begins_in=SECOND)
    published = orjson.loads(key_set((old, new), NOW))
    assert published == {"keys": [old.public_jwk, new.public_jwk]}
    assert b'"d"' not in key_set((old, new), NOW)
    assert orjson.loads(key_set((old, new), NOW + SECOND)) == {"keys": [new.public_jwk]}


@pytest.mark.parametrize("answer", [INACTIVE, b'{"active":true,"exp":7}'])
def test_signed_answer_is_for_one_reader_and_no_token(answer: bytes) -> None:
    """O-152: neither sub nor exp beside the answer, and a type of its own."""
    key = signing_key(begins_in=-SECOND)
    text = introspection_jwt(key, answer, issuer="https://auth.example", audience="me", issued_at=7)
    verified = jwt.decode(text, KeySet.import_key_set(orjson.loads(key_set((key,), NOW))), ["ES256"])
    assert verified.header == {"typ": "token-introspection+jwt", "alg": "ES256", "kid": key.kid}
    assert verified.claims == {
        "iss": "https://auth.example",
        "aud": "me",
        "iat": 7,
        "token_introspection": orjson.loads(answer),
    }


@pytest.mark.parametrize(
    ("accept", "asks"),
    [
        (b"application/token-introspection+jwt", True),
        (b"Application/Token-Introspection+JWT", True),
        (b"application/json, application/token-introspection+jwt", True),
        (b"application/token-introspection+jwt;q=0.1,*/*", True),
        (b" application/token-introspection+jwt ; q=1", True),
        (b"application/token-introspection+jwt;q=0", False),
        (b"application/token-introspection+jwt; q=0.000", False),
        (b"application/json", False),
        (b"*/*", False),
        (b"application/*", False),
        (b"application/jwt", False),
        (b"x-application/token-introspection+jwt", False),
        (b"application/token-introspection+jwt+x", False),
        (b"", False),
        (b",;,;", False),
    ],
)
def test_only_who_names_the_type_asks_for_it(accept: bytes, asks: bool) -> None:  # noqa: FBT001  # a column of the table above
    """O-152."""
    assert asks_for_jwt(accept) is asks

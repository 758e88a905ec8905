"""Sealed state opens unchanged, in time, for its purpose and under a known key; in no other case."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.oauth.keys import Keys, Purpose, derive_keys

PURPOSES: tuple[Purpose, ...] = ("flow", "form", "signing key")
OLD, NEW = "old secret key " * 3, "new secret key " * 3
NOW_S = 1_800_000_000
LIFE_S = 1800


def opened(keys: Keys, sealed: str, *, now_s: int = NOW_S) -> bytes | None:
    return keys.unseal("flow", sealed, now_s=now_s, life_s=LIFE_S)


@given(st.binary(max_size=300))
def test_what_was_sealed_opens_again(payload: bytes) -> None:
    keys = derive_keys((OLD,))
    sealed = keys.seal("flow", payload, now_s=NOW_S)
    assert opened(keys, sealed) == payload
    assert sealed.isascii()
    assert payload not in sealed.encode() or len(payload) < 5


def test_every_changed_character_is_refused() -> None:
    """R-44: each place, for each length of padding, to a neighbour, a stranger and nothing."""
    keys = derive_keys((OLD,))
    for payload in (b"", b"x" * 16, b"x" * 32):
        sealed = keys.seal("flow", payload, now_s=NOW_S)
        for place, letter in enumerate(sealed):
            for other in ("A", "B", "-", "_", "=", "+", "/", "\n", "!", "é", ""):
                if other != letter:
                    assert opened(keys, sealed[:place] + other + sealed[place + 1 :]) is None


def test_added_characters_are_refused() -> None:
    """Base64 decoders skip what they do not know; one sealed text has one spelling."""
    keys = derive_keys((OLD,))
    sealed = keys.seal("flow", b"x", now_s=NOW_S)
    for place in range(len(sealed) + 1):
        for extra in ("!", " ", "\n", "=", "A"):
            assert opened(keys, sealed[:place] + extra + sealed[place:]) is None


@given(st.text(max_size=200))
def test_text_nobody_sealed_opens_as_nothing(text: str) -> None:
    assert opened(derive_keys((OLD,)), text) is None


def test_state_ends_with_its_life() -> None:
    keys = derive_keys((OLD,))
    sealed = keys.seal("flow", b"x", now_s=NOW_S)
    assert opened(keys, sealed, now_s=NOW_S + LIFE_S) == b"x"
    assert opened(keys, sealed, now_s=NOW_S + LIFE_S + 1) is None


def test_clocks_may_differ_a_little_and_no_more() -> None:
    """R-106: another process's clock may be behind the one that sealed."""
    keys = derive_keys((OLD,))
    sealed = keys.seal("flow", b"x", now_s=NOW_S)
    assert opened(keys, sealed, now_s=NOW_S - 60) == b"x"
    assert opened(keys, sealed, now_s=NOW_S - 61) is None


def test_purposes_do_not_open_each_other() -> None:
    keys = derive_keys((OLD,))
    sealed = keys.seal("form", b"x", now_s=NOW_S)
    assert opened(keys, sealed) is None
    assert keys.unseal("form", sealed, now_s=NOW_S, life_s=LIFE_S) == b"x"


def test_what_is_stored_opens_however_old_and_for_its_purpose_alone() -> None:
    """R-107: private halves of signing keys, for as long as their secret key is among ours."""
    old, both, new = derive_keys((OLD,)), derive_keys((NEW, OLD)), derive_keys((NEW,))
    sealed = old.seal("signing key", b"x", now_s=0)
    assert old.unseal_stored("signing key", sealed) == both.unseal_stored("signing key", sealed) == b"x"
    assert new.unseal_stored("signing key", sealed) is None
    assert old.unseal_stored("flow", sealed) is None
    assert old.unseal_stored("signing key", sealed[:-4] + "AAA=") is None


def test_first_key_seals_and_every_key_opens() -> None:
    """R-107"""
    old, both, new = derive_keys((OLD,)), derive_keys((NEW, OLD)), derive_keys((NEW,))
    before, after = (keys.seal("flow", b"x", now_s=NOW_S) for keys in (old, both))
    assert opened(both, before) == b"x"
    assert opened(new, after) == b"x"
    assert opened(new, before) is None
    assert opened(old, after) is None


def test_codes_keep_their_key_through_a_rotation() -> None:
    """R-107: named, so that a process with other keys in front finds the one a code was made with."""
    old, both = derive_keys((OLD,)), derive_keys((NEW, OLD))
    assert both.code_keys[old.code_key_name] == old.code_keys[old.code_key_name]
    assert both.code_key_name == derive_keys((NEW,)).code_key_name != old.code_key_name


def test_each_use_has_a_key_of_its_own() -> None:
    """RFC 5869: what is derived for one use says nothing of another, or of the secret."""
    keys = derive_keys((OLD,))
    (code_key,) = keys.code_keys.values()
    assert len(code_key) == 32
    assert OLD.encode() not in code_key
    assert keys.code_key_name not in code_key.hex()
    assert len({keys.seal(purpose, b"", now_s=NOW_S) for purpose in PURPOSES}) == 3


def test_keys_do_not_show_themselves() -> None:
    """R-81"""
    keys = derive_keys((OLD,))
    (code_key,) = keys.code_keys.values()
    assert OLD not in repr(keys)
    assert repr(code_key) not in repr(keys)


@pytest.mark.parametrize("secret", ["x", "é" * 40, "0" * 1000])
def test_any_text_makes_a_key(secret: str) -> None:
    keys = derive_keys((secret,))
    assert opened(keys, keys.seal("flow", b"x", now_s=NOW_S)) == b"x"

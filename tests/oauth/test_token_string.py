"""Claims about token strings and client secrets."""

import re
import zlib
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import get_args
from urllib.parse import quote_plus
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.oauth import base62, token_string
from app.oauth.token_string import CLIENT_SECRET_PATTERN, PATTERN, TokenClass, TokenKind

KINDS: st.SearchStrategy[TokenKind] = st.sampled_from(get_args(TokenKind))
CLASSES: st.SearchStrategy[TokenClass] = st.sampled_from(get_args(TokenClass))
BUCKETS = st.integers(min_value=0, max_value=4095)
SECRETS = st.binary(min_size=20, max_size=20)
IDS = st.builds(
    lambda ms, a, b: UUID(int=ms << 80 | 7 << 76 | a << 64 | 2 << 62 | b),
    st.integers(min_value=0, max_value=253_402_300_799_999),
    st.integers(min_value=0, max_value=2**12 - 1),
    st.integers(min_value=0, max_value=2**62 - 1),
)
SPELLING = st.text(base62.ALPHABET + "_- é", min_size=1, max_size=1)


def with_checksum(body: str) -> str:
    """A string whose checksum is right: anybody can compute one."""
    return body + base62.encode(zlib.crc32(body.encode()), 6)


def forged(id_text: str, secret_text: str = "0" * 27) -> str:
    return with_checksum(f"rovi_at_s{id_text}{secret_text}")


@given(KINDS, CLASSES, BUCKETS)
def test_minted_token_reads_back_as_itself(kind: TokenKind, token_class: TokenClass, bucket: int) -> None:
    token = token_string.mint(kind, token_class, bucket)
    assert token_string.parse(token.text) == token
    assert (token.kind, token.token_class, token.bucket) == (kind, token_class, bucket)


@given(KINDS, CLASSES, IDS, SECRETS)
def test_composed_token_reads_back_as_itself(
    kind: TokenKind, token_class: TokenClass, token_id: UUID, secret: bytes
) -> None:
    token = token_string.compose(kind, token_class, token_id, secret)
    assert token_string.parse(token.text) == token
    assert token.id == token_id


def test_a_token_is_never_shown_whole() -> None:
    """R-22: neither the string nor its digest, whoever prints what holds it."""
    token = token_string.mint("at", "c", 7)
    shown = f"{token} {token!r} {[token]}"
    assert str(token.id) in shown
    assert token.text[31:] not in shown
    assert repr(token.digest) not in shown


def test_token_of_known_parts_has_this_string() -> None:
    """The format is public: a change of it breaks every token in the field."""
    token = token_string.compose("at", "c", UUID("01932f2c-5a6b-7def-8123-456789abcdef"), bytes(range(20)))
    assert token.text == "rovi_at_c02yFr0oNRPBwSSU5UyvQ0F0029sS3yqsuDyR1vGFhTuuRAq1b086QLQ"
    assert token.bucket == 0xDEF
    assert token.digest == sha256(token.text.encode()).digest()


def test_minted_token_matches_the_published_pattern() -> None:
    token = token_string.mint("rt", "s", 7)
    assert re.fullmatch(PATTERN, token.text)
    assert token.text.startswith("rovi_rt_s")
    assert len(token.text) == 64


def test_minted_tokens_differ_in_id_and_secret() -> None:
    """O-29, R-23: 160 random bits beside the id."""
    tokens = [token_string.mint("at", "s", 0) for _ in range(1000)]
    assert len({token.id for token in tokens}) == 1000
    assert len({token.text[31:58] for token in tokens}) == 1000


def test_repr_shows_neither_text_nor_digest() -> None:
    """O-106: a token value must be safe to log."""
    token = token_string.mint("at", "c", 1)
    assert token.text[31:58] not in repr(token)
    assert repr(token.digest) not in repr(token)
    assert str(token.id) in repr(token)


@given(st.text())
def test_arbitrary_text_is_no_token(text: str) -> None:
    assert token_string.parse(text) is None


@given(st.integers(min_value=0, max_value=63), SPELLING)
def test_one_mistyped_character_is_noticed(position: int, character: str) -> None:
    text = token_string.mint("at", "c", 99).text
    assume(text[position] != character)
    assert token_string.parse(text[:position] + character + text[position + 1 :]) is None


@pytest.mark.parametrize("surround", ["{}\n", " {}", "{}=", "Bearer {}", "{}{}"])
def test_token_with_anything_around_it_is_refused(surround: str) -> None:
    text = token_string.mint("at", "c", 99).text
    assert token_string.parse(surround.format(text, text)) is None


def test_parts_out_of_range_are_refused_despite_their_checksum() -> None:
    """Otherwise a number beyond its bits would be a second spelling of a token that exists."""
    good = token_string.mint("at", "s", 5)
    id_text = good.text[9:31]
    largest_secret = base62.encode(2**160 - 1, 27)
    assert token_string.parse(forged(id_text, largest_secret)) is not None
    assert token_string.parse(forged(id_text, base62.encode(2**160, 27))) is None
    assert token_string.parse(forged(base62.encode(good.id.int + 2**128, 22))) is None


@pytest.mark.parametrize(
    "foreign_id",
    [
        "01932f2c-5a6b-4def-8123-456789abcdef",  # version 4
        "01932f2c-5a6b-7def-c123-456789abcdef",  # another variant
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-7fff-bfff-ffffffffffff",  # the year 10889: no datetime holds it
    ],
)
def test_id_we_never_make_is_refused(foreign_id: str) -> None:
    assert token_string.parse(forged(base62.encode(UUID(foreign_id).int, 22))) is None
    with pytest.raises(ValueError, match="UUIDv7"):
        token_string.compose("at", "s", UUID(foreign_id), bytes(20))


@pytest.mark.parametrize("prefix", ["rovi_cs_c", "rovi_xx_c", "rovi_at_x", "ROVI_at_c", "rovi-at-c"])
def test_unknown_kind_or_class_is_refused(prefix: str) -> None:
    body = prefix + token_string.mint("at", "c", 5).text[9:58]
    assert token_string.parse(with_checksum(body)) is None


def test_secret_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="20 bytes"):
        token_string.compose("ac", "c", token_string.new_id(), bytes(32))


@given(IDS)
def test_time_of_any_readable_token_can_be_told(token_id: UUID) -> None:
    """A crafted id must not become an OverflowError in whoever asks for its time."""
    token = token_string.parse(token_string.compose("at", "s", token_id, bytes(20)).text)
    assert token is not None
    assert token_string.issued_at(token.id).tzinfo is UTC


def test_fresh_id_tells_the_present_time_in_its_first_bits() -> None:
    fresh = token_string.new_id()
    assert fresh.version == 7
    assert abs(token_string.issued_at(fresh) - datetime.now(UTC)) < timedelta(seconds=5)


def test_ids_made_one_after_another_sort_in_that_order() -> None:
    ids = [token_string.new_id() for _ in range(1000)]
    assert ids == sorted(ids)


@given(IDS, BUCKETS)
def test_bucket_replaces_the_last_12_bits_only(token_id: UUID, bucket: int) -> None:
    placed = token_string.with_bucket(token_id, bucket)
    assert placed.int & 0xFFF == bucket
    assert placed.int >> 12 == token_id.int >> 12


@pytest.mark.parametrize("bucket", [-1, 4096])
def test_bucket_of_more_than_12_bits_is_refused(bucket: int) -> None:
    with pytest.raises(ValueError, match="12 bits"):
        token_string.with_bucket(token_string.new_id(), bucket)


@pytest.mark.parametrize(
    ("owner", "bucket"),
    [
        ("01932f2c-5a6b-7def-8123-456789abcdef", 0xE3D),
        ("00000000-0000-0000-0000-000000000000", 0x374),
    ],
)
def test_bucket_of_an_owner_never_changes(owner: str, bucket: int) -> None:
    """Rows already written say the bucket of their time."""
    assert token_string.bucket_of(UUID(owner)) == bucket


def test_owners_spread_over_all_buckets() -> None:
    buckets = {token_string.bucket_of(UUID(int=number)) for number in range(60_000)}
    assert len(buckets) == 4096


def test_any_bucket_is_any_of_them() -> None:
    assert {token_string.any_bucket() for _ in range(100_000)} == set(range(4096))


def test_client_secret_survives_every_client_library() -> None:
    """O-49: form-encoding changes nothing in it, so Basic works encoded or not."""
    secret = token_string.mint_client_secret()
    assert re.fullmatch(CLIENT_SECRET_PATTERN, secret)
    assert quote_plus(secret) == secret
    assert secret == with_checksum(secret[:-6])


def test_client_secrets_differ() -> None:
    assert len({token_string.mint_client_secret() for _ in range(1000)}) == 1000


def test_digest_is_sha_256_of_the_whole_string() -> None:
    """O-142."""
    assert token_string.secret_digest("rovi_cs_x") == sha256(b"rovi_cs_x").digest()

"""Claims about the derived part of authorization codes."""

from uuid import UUID

from app.oauth import token_string
from app.oauth.code_secret import code_secret

CODE_ID = UUID("01932f2c-5a6b-7def-8123-456789abcdef")


def test_same_consent_gives_the_same_code() -> None:
    """O-34: the second submit repeats the first redirect."""
    codes = {token_string.compose("ac", "c", CODE_ID, code_secret(b"k" * 32, CODE_ID)).text for _ in range(3)}
    assert len(codes) == 1


def test_code_of_another_consent_or_key_differs() -> None:
    """O-29."""
    other_id = token_string.with_bucket(CODE_ID, 0)
    secrets = {
        code_secret(b"k" * 32, CODE_ID),
        code_secret(b"k" * 32, other_id),
        code_secret(b"l" * 32, CODE_ID),
    }
    assert len(secrets) == 3
    assert {len(secret) for secret in secrets} == {20}


def test_secret_is_the_first_160_bits_of_hmac_sha_256() -> None:
    """Another process must derive the same: two of them may serve one browser."""
    assert code_secret(b"k" * 32, CODE_ID).hex() == "281fd700fb65f23e6ae38f0ce2940a4f60749103"

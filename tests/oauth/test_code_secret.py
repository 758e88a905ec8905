"""Claims about the derived part of authorization codes."""

from uuid import UUID

from app.oauth import token_string
from app.oauth.code_secret import code_secret

CODE_ID = UUID("01932f2c-5a6b-7def-8123-456789abcdef")
APPLICATION_ID = UUID("01932f2c-0000-7000-8000-000000000001")


def test_same_consent_gives_the_same_code() -> None:
    """O-34: the second submit repeats the first redirect."""
    secrets = {code_secret(b"k" * 32, CODE_ID, APPLICATION_ID) for _ in range(3)}
    assert len({token_string.compose("ac", "c", CODE_ID, secret).text for secret in secrets}) == 1


def test_code_of_another_consent_application_or_key_differs() -> None:
    """O-27, O-29."""
    other_id = token_string.with_bucket(CODE_ID, 0)
    secrets = {
        code_secret(b"k" * 32, CODE_ID, APPLICATION_ID),
        code_secret(b"k" * 32, other_id, APPLICATION_ID),
        code_secret(b"k" * 32, CODE_ID, other_id),
        code_secret(b"l" * 32, CODE_ID, APPLICATION_ID),
    }
    assert len(secrets) == 4
    assert {len(secret) for secret in secrets} == {20}


def test_secret_is_the_first_160_bits_of_hmac_sha_256() -> None:
    """Another process must derive the same: two of them may serve one browser."""
    derived = code_secret(b"k" * 32, CODE_ID, APPLICATION_ID)
    assert derived.hex() == "c70a24858e7188fc1c8da7344b0ca33a84f8b8d2"

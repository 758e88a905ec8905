"""Claims about answers of the token and introspection endpoints."""

import json
from uuid import UUID

from app.oauth.answer import INACTIVE, introspection_answer, token_answer

CLIENT_ID = UUID("01932f2c-5a6b-7def-8123-456789abcdef")
CUSTOMER_ID = UUID("01932f2c-5a6b-7def-8123-000000000001")
TOKEN_ID = UUID("01932f2c-5a6b-7def-8123-000000000002")
ISSUED_AT = 1_795_435_200


def live(customer_id: UUID | None = CUSTOMER_ID, token_type: str | None = "Bearer") -> bytes:
    return introspection_answer(
        issuer="https://auth.example",
        audience="https://auth.example/api",
        client_id=CLIENT_ID,
        customer_id=customer_id,
        token_id=TOKEN_ID,
        token_type=token_type,
        scope="aemp:read",
        issued_at=ISSUED_AT,
        expires_at=ISSUED_AT + 365 * 86_400,
    )


def test_token_answer_says_its_type_in_the_documented_and_the_standard_member() -> None:
    """O-54, O-55, O-56."""
    assert token_answer("t", "Bearer", 31_536_000, "aemp:read") == (
        b'{"access_token":"t","token_type":"Bearer","type":"Bearer","expires_in":31536000,"scope":"aemp:read"}'
    )


def test_refresh_token_is_a_member_only_where_there_is_one() -> None:
    """O-59."""
    answer = json.loads(token_answer("t", "Bearer", 3600, "aemp:read", "r"))
    assert answer["refresh_token"] == "r"
    assert b"refresh_token" not in token_answer("t", "Bearer", 3600, "aemp:read")


def test_introspection_of_a_live_token_has_the_members_and_types_of_the_rfc() -> None:
    """O-101, O-104: times are whole seconds, ids are texts."""
    assert json.loads(live()) == {
        "active": True,
        "scope": "aemp:read",
        "client_id": str(CLIENT_ID),
        "token_type": "Bearer",
        "exp": ISSUED_AT + 365 * 86_400,
        "iat": ISSUED_AT,
        "sub": str(CUSTOMER_ID),
        "aud": "https://auth.example/api",
        "iss": "https://auth.example",
        "jti": str(TOKEN_ID),
    }


def test_token_without_customer_is_its_applications_own() -> None:
    """O-104: the subject of a client_credentials token."""
    assert json.loads(live(customer_id=None))["sub"] == str(CLIENT_ID)


def test_refresh_token_has_no_token_type() -> None:
    """O-104: the member names how a token is presented, which a refresh token is not."""
    assert "token_type" not in json.loads(live(token_type=None))


def test_inactive_answer_tells_nothing_else() -> None:
    """O-102."""
    assert json.loads(INACTIVE) == {"active": False}

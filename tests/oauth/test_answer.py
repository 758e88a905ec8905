"""Claims about answers of the token and introspection endpoints."""

import json
from uuid import UUID

from app.oauth.answer import INACTIVE, Party, introspection_answer, token_answer, userinfo_answer

CLIENT_ID = UUID("01932f2c-5a6b-7def-8123-456789abcdef")
CUSTOMER_ID = UUID("01932f2c-5a6b-7def-8123-000000000001")
TOKEN_ID = UUID("01932f2c-5a6b-7def-8123-000000000002")
ISSUED_AT = 1_795_435_200


MEMBER_ID = UUID("01932f2c-5a6b-7def-8123-000000000003")
APPROVED = Party(str(CLIENT_ID), CUSTOMER_ID, "Müller", MEMBER_ID)
BY_ITSELF = Party(str(CLIENT_ID), CUSTOMER_ID, "Müller", None)
FOR_ITSELF = Party(str(CLIENT_ID), None, None, None)
ACCOUNT = {"id": str(CUSTOMER_ID), "name": "Müller"}


def live(party: Party = APPROVED, token_type: str | None = "Bearer") -> bytes:
    return introspection_answer(
        issuer="https://auth.example",
        audience="https://auth.example/api",
        party=party,
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
        "sub": str(MEMBER_ID),
        "account": ACCOUNT,
        "aud": "https://auth.example/api",
        "iss": "https://auth.example",
        "jti": str(TOKEN_ID),
    }


def test_token_without_customer_is_its_applications_own() -> None:
    """O-104: the subject of a client_credentials token."""
    answer = json.loads(live(FOR_ITSELF))
    assert answer["sub"] == str(CLIENT_ID)
    assert "account" not in answer


def test_userinfo_and_introspection_name_the_same_person_and_account() -> None:
    """`sub` means one thing: who approved, and where nobody did, the application."""
    for party, sub in ((APPROVED, MEMBER_ID), (BY_ITSELF, CLIENT_ID)):
        told = json.loads(userinfo_answer(party, None))
        assert told == {"sub": str(sub), "account": ACCOUNT}
        assert told.items() <= json.loads(live(party)).items()


def test_userinfo_names_a_confirmed_address_as_openid_connect_does() -> None:
    told = json.loads(userinfo_answer(APPROVED, "ann@nordhoff.example"))
    assert (told["email"], told["email_verified"]) == ("ann@nordhoff.example", True)


def test_refresh_token_has_no_token_type() -> None:
    """O-104: the member names how a token is presented, which a refresh token is not."""
    assert "token_type" not in json.loads(live(token_type=None))


def test_inactive_answer_tells_nothing_else() -> None:
    """O-102."""
    assert json.loads(INACTIVE) == {"active": False}

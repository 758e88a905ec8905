"""Claims about applications and their authentication."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Literal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.oauth import client as rules
from app.oauth.assertion import ASSERTION_TYPE, parse_assertion
from app.oauth.client import Client, ClientSecret, parse_client_id
from app.oauth.client_keys import check_key_set
from app.oauth.errors import OAuthError
from app.oauth.request import Credentials
from app.oauth.token_string import mint_client_secret, secret_digest
from tests.support.assertions import claims_of, jwks_of, key_pair, signed

ISSUER = "https://auth.example"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
authenticate = partial(rules.authenticate, issuer=ISSUER)
SECRET, OLD_SECRET = mint_client_secret(), mint_client_secret()
CLIENT_ID = UUID("01932f2c-5a6b-7def-8123-456789abcdef")

CONFIDENTIAL = Client(
    id=CLIENT_ID,
    kind="classic",
    public=False,
    name="Fleet Watch",
    company="Digger & Sons",
    status="active",
    grants=frozenset({"authorization_code"}),
    scope=("aemp:read",),
    redirect_uris=("https://app.example.com/cb",),
    audience=None,
    customer_id=None,
    secrets=(
        ClientSecret(secret_digest(OLD_SECRET), NOW + timedelta(days=7)),
        ClientSecret(secret_digest(SECRET), None),
    ),
)
PUBLIC = replace(CONFIDENTIAL, kind="strict", public=True, secrets=())


def by_post(secret: str) -> Credentials:
    return Credentials(str(CLIENT_ID), secret_digest(secret), "client_secret_post")


NOTHING = Credentials(str(CLIENT_ID), None, "none")


def refusal(client: Client | None, credentials: Credentials) -> OAuthError:
    with pytest.raises(OAuthError) as caught:
        authenticate(client, credentials, NOW)
    return caught.value


@pytest.mark.parametrize("method", ["client_secret_post", "client_secret_basic"])
@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET], ids=["new", "old"])
def test_either_live_secret_proves_the_client_by_either_method(
    secret: str, method: Literal["client_secret_post", "client_secret_basic"]
) -> None:
    """O-44, O-48."""
    assert (
        authenticate(CONFIDENTIAL, Credentials(str(CLIENT_ID), secret_digest(secret), method), NOW)
        is CONFIDENTIAL
    )


def test_public_client_is_known_by_its_id_alone() -> None:
    """O-52."""
    assert authenticate(PUBLIC, NOTHING, NOW) is PUBLIC


def test_all_failures_look_alike() -> None:
    """O-45, O-46: status, body and challenge are the same, only the log differs."""
    errors = [
        refusal(None, by_post(SECRET)),
        refusal(None, NOTHING),
        refusal(CONFIDENTIAL, by_post("wrong")),
        refusal(CONFIDENTIAL, NOTHING),
        refusal(PUBLIC, by_post(SECRET)),
        refusal(replace(CONFIDENTIAL, status="deleted"), by_post(SECRET)),
    ]
    assert {(error.code, error.what, error.status, error.headers) for error in errors} == {
        (
            "invalid_client",
            "client authentication failed",
            401,
            (("WWW-Authenticate", 'Basic realm="RoviTracker"'),),
        )
    }
    assert len({error.detail for error in errors}) == 5


@given(st.text())
def test_no_other_secret_is_right(secret: str) -> None:
    """O-45: neither is a digest, an empty text, or text outside ASCII."""
    for offered in (secret, SECRET + secret[:1] if secret else SECRET[:-1], secret_digest(SECRET).hex()):
        assert refusal(CONFIDENTIAL, by_post(offered)).code == "invalid_client"


def test_confidential_client_without_any_secret_is_refused() -> None:
    """O-44: an empty secret is not the proof of having none."""
    bare = replace(CONFIDENTIAL, secrets=())
    assert refusal(bare, NOTHING).code == "invalid_client"
    assert refusal(bare, by_post("")).code == "invalid_client"


@pytest.mark.parametrize("secret", [SECRET, "", "anything"], ids=["real", "empty", "any"])
def test_public_client_that_sends_a_secret_is_refused(secret: str) -> None:
    assert refusal(PUBLIC, by_post(secret)).code == "invalid_client"


def test_secret_is_dead_at_its_expiry() -> None:
    leaving = replace(CONFIDENTIAL, secrets=(ClientSecret(secret_digest(SECRET), NOW),))
    assert refusal(leaving, by_post(SECRET)).code == "invalid_client"
    assert authenticate(leaving, by_post(SECRET), NOW - timedelta(microseconds=1)) is leaving


@pytest.mark.parametrize("status", ["pending", "deleted"])
def test_client_not_yet_or_no_longer_there_cannot_authenticate(status: Literal["pending", "deleted"]) -> None:
    for client, credentials in ((CONFIDENTIAL, by_post(SECRET)), (PUBLIC, NOTHING)):
        assert refusal(replace(client, status=status), credentials).code == "invalid_client"


def test_suspended_client_proves_who_it_is_and_is_not_active() -> None:
    """A suspended application gets invalid_grant or an inactive token, not a failed authentication."""
    suspended = replace(CONFIDENTIAL, status="suspended")
    assert authenticate(suspended, by_post(SECRET), NOW) is suspended
    assert not suspended.active
    assert CONFIDENTIAL.active


def test_client_allows_the_grants_it_is_registered_for() -> None:
    """O-41."""
    assert CONFIDENTIAL.allows("authorization_code")
    assert not CONFIDENTIAL.allows("client_credentials")
    assert not CONFIDENTIAL.allows("authorization")


KEYED = replace(
    CONFIDENTIAL,
    kind="strict",
    secrets=(),
    jwks=check_key_set(jwks_of(key_pair("EC"))),
)


def by_key(number: int = 0, **claims: object) -> Credentials:
    now_s = int(NOW.timestamp())
    whole = claims_of(str(CLIENT_ID), aud=ISSUER, exp=now_s + 60, iat=now_s, **claims)
    assertion = parse_assertion(ASSERTION_TYPE, signed(key_pair("EC", number), whole))
    return Credentials(str(CLIENT_ID), None, "private_key_jwt", assertion)


def test_assertion_proves_a_client_with_keys() -> None:
    """O-134, O-150: suspended or not, as with a secret."""
    assert authenticate(KEYED, by_key(), NOW) is KEYED
    suspended = replace(KEYED, status="suspended")
    assert authenticate(suspended, by_key(), NOW) is suspended
    for status in ("pending", "deleted"):
        assert refusal(replace(KEYED, status=status), by_key()).code == "invalid_client"


def test_assertion_fails_like_everything_else() -> None:
    """O-45, O-150: unknown, without keys, public, by another key."""
    cases = [(None, by_key()), (CONFIDENTIAL, by_key()), (PUBLIC, by_key()), (KEYED, by_key(1))]
    refusals = [refusal(client, credentials) for client, credentials in cases]
    assert {(error.code, error.status, error.what, error.headers) for error in refusals} == {
        ("invalid_client", 401, *failure_of_a_secret())
    }


def failure_of_a_secret() -> tuple[object, object]:
    error = refusal(CONFIDENTIAL, by_post("wrong"))
    return error.what, error.headers


def test_client_with_keys_is_proved_by_nothing_else() -> None:
    """O-134: nor by a secret that is there by mistake."""
    both = replace(KEYED, secrets=CONFIDENTIAL.secrets)
    for credentials in (by_post(SECRET), NOTHING):
        assert refusal(both, credentials).code == "invalid_client"


def test_repr_of_a_client_shows_no_digest() -> None:
    assert repr(secret_digest(SECRET)) not in repr(CONFIDENTIAL)
    assert "Fleet Watch" in repr(CONFIDENTIAL)


@given(st.uuids())
def test_client_id_is_the_canonical_text_of_a_uuid(client_id: UUID) -> None:
    assert parse_client_id(str(client_id)) == client_id


@pytest.mark.parametrize(
    "text",
    [
        "",
        "me",
        "01932F2C-5A6B-7DEF-8123-456789ABCDEF",
        "01932f2c5a6b7def8123456789abcdef",
        "{01932f2c-5a6b-7def-8123-456789abcdef}",
        "urn:uuid:01932f2c-5a6b-7def-8123-456789abcdef",
        "01932f2c-5a6b-7def-8123-456789abcdef\n",
        "01932f2c-5a6b-7def-8123-456789abcdeg",
        "01932f2c-5a6b-7def-8123_456789abcdef",
        "0193-2f2c5a6b-7def-8123-456789abcdef",
        "０1932f2c-5a6b-7def-8123-456789abcdef",  # noqa: RUF001  # a full-width digit, on purpose
    ],
)
def test_any_other_spelling_of_a_client_id_is_unknown(text: str) -> None:
    """O-6, R-33: one id has one spelling."""
    assert parse_client_id(text) is None


@given(st.text())
def test_arbitrary_client_id_raises_nothing(text: str) -> None:
    """O-6."""
    found = parse_client_id(text)
    assert found is None or str(found) == text

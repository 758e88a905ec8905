"""Claims about bearer tokens in requests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.oauth.bearer import challenge, read_bearer
from app.oauth.errors import OAuthError
from app.oauth.token_string import mint


def refusal(headers: list[str]) -> tuple[int, str, str]:
    with pytest.raises(OAuthError) as caught:
        read_bearer(headers)
    ((name, value),) = caught.value.headers
    assert name == "WWW-Authenticate"
    return caught.value.status, caught.value.code, value


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR", "Bearer ", "Bearer   "])
def test_token_is_read_whatever_the_case_of_the_scheme(scheme: str) -> None:
    """O-65."""
    token = mint("at", "c", 0).text
    assert read_bearer([f"{scheme} {token}"]) == token


@pytest.mark.parametrize("token", ["a", "abc.def-ghi_jkl~mno+pqr/stu", "YWJj==", "0"])
def test_every_token68_is_read(token: str) -> None:
    """O-65: what it is worth, others decide."""
    assert read_bearer([f"Bearer {token}"]) == token


@pytest.mark.parametrize(
    "headers",
    [[], [""], ["Basic bWU6bWluZQ=="], ["Digest a=b"], ["Bearertoken"], ["Bearer\tt"], ["DPoP abc"]],
)
def test_request_without_bearer_credentials_gets_a_challenge_without_error(headers: list[str]) -> None:
    """O-69, O-70."""
    assert refusal(headers) == (401, "", challenge("RoviTracker"))


def test_request_without_bearer_credentials_is_told_the_scope_that_the_resource_asks_for() -> None:
    with pytest.raises(OAuthError) as caught:
        read_bearer([], scope="aemp:read")
    assert caught.value.headers == (("WWW-Authenticate", 'Bearer realm="RoviTracker", scope="aemp:read"'),)


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer a b",
        "Bearer a,b",
        'Bearer "a"',
        "Bearer é",
        "Bearer a\n",
        "Bearer =",
    ],
)
def test_malformed_bearer_header_is_an_invalid_request(header: str) -> None:
    """O-71."""
    status, error, value = refusal([header])
    assert (status, error) == (400, "invalid_request")
    assert 'error="invalid_request"' in value


@pytest.mark.parametrize("second", ["Bearer b", "Bearer a", "Basic bWU6bWluZQ==", ""])
def test_more_than_one_authorization_header_is_an_invalid_request(second: str) -> None:
    """O-68, O-71."""
    assert refusal(["Bearer a", second])[:2] == (400, "invalid_request")
    assert refusal([second, "Bearer a"])[:2] == (400, "invalid_request")


@given(st.lists(st.text(), max_size=2), st.text())
def test_arbitrary_headers_give_a_token_or_a_challenge(headers: list[str], token: str) -> None:
    for sent in (headers, [f"Bearer {token}"]):
        try:
            read = read_bearer(sent)
        except OAuthError as error:
            read = error.headers[0][1]
        assert read.isascii()
        assert read.isprintable()

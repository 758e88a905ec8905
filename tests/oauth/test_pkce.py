"""Claims about PKCE."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.oauth.errors import OAuthError
from app.oauth.pkce import check_challenge, verifier_matches

# RFC 7636 appendix B
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_vector_of_the_rfc_matches() -> None:
    """O-85."""
    assert check_challenge(CHALLENGE, "S256") == CHALLENGE
    assert verifier_matches(CHALLENGE, VERIFIER)


def test_request_without_pkce_is_passed_on() -> None:
    """O-86: whether the application must use it is asked elsewhere."""
    assert check_challenge(None, None) is None
    assert verifier_matches(None, None)


@pytest.mark.parametrize("method", [None, "plain", "s256", "S512", "S256 "])
def test_method_other_than_s256_is_refused_and_named(method: str | None) -> None:
    """O-79, O-80, O-81: an absent method means plain."""
    with pytest.raises(OAuthError) as caught:
        check_challenge(CHALLENGE, method)
    assert (caught.value.code, caught.value.what) == ("invalid_request", "code_challenge_method must be S256")


@pytest.mark.parametrize("method", ["S256", "plain"])
def test_method_without_challenge_is_refused(method: str) -> None:
    """A half-sent challenge is a mistake, not a request without one."""
    with pytest.raises(OAuthError) as caught:
        check_challenge(None, method)
    assert caught.value.code == "invalid_request"


@pytest.mark.parametrize(
    "challenge",
    ["", "x", CHALLENGE[:-1], CHALLENGE + "A", CHALLENGE + "=", CHALLENGE[:-1] + "+", CHALLENGE[:-1] + "\n"],
)
def test_malformed_challenge_is_refused(challenge: str) -> None:
    """O-82."""
    with pytest.raises(OAuthError) as caught:
        check_challenge(challenge, "S256")
    assert caught.value.code == "invalid_request"


def test_verifier_for_a_code_without_challenge_fails() -> None:
    """O-126: somebody stripped the challenge from the authorization request."""
    assert not verifier_matches(None, VERIFIER)


def test_missing_verifier_fails() -> None:
    """O-84."""
    assert not verifier_matches(CHALLENGE, None)


@pytest.mark.parametrize(
    ("verifier", "challenge"),
    [
        ("a" * 42, "elOGB_2quSlplZKfRRVlu7gULhhEEXMiqv0rPXawGv8"),
        ("a" * 129, "wSywJKLlVRzKDgj86PHF4xRVXMP-9jKe6ZSj23UhZq4"),
        ("a" * 42 + "+", "iwXbWFm6ct1JDeJlZO8FYEXe0UbbNRVyu6etiydm5O8"),
        ("é" * 50, "LRj-S2HwETlSqqiZnuXP7bZApiBtnDiEjqNFG-KIJFU"),
    ],
)
def test_malformed_verifier_fails_even_when_its_hash_is_right(verifier: str, challenge: str) -> None:
    """O-78."""
    assert not verifier_matches(challenge, verifier)


@pytest.mark.parametrize(
    ("verifier", "challenge"),
    [
        ("a" * 43, "ZtNPunH49FD35FWYhT5Tv8I7vRKQJ8uxMaL0_9eHjNA"),
        ("a" * 128, "aDbPE7rEAOkQUHHNavRwhN-srU5eMCyUv-0k4BOvtz4"),
    ],
)
def test_shortest_and_longest_verifier_match(verifier: str, challenge: str) -> None:
    """O-78."""
    assert verifier_matches(challenge, verifier)


@given(st.text())
def test_no_other_verifier_matches(verifier: str) -> None:
    """O-84: not even text outside ASCII raises."""
    assert verifier_matches(CHALLENGE, verifier) == (verifier == VERIFIER)

"""Claims about scopes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.oauth import scope
from app.oauth.errors import OAuthError

TOKEN = st.text([chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"\\'], min_size=1, max_size=8)
ALLOWED = ("aemp:read", "aemp:write", "fleet")


@given(st.lists(TOKEN, min_size=1, max_size=8))
def test_scope_reads_back_as_itself_in_any_order(tokens: list[str]) -> None:
    """O-19: order-free, each token once."""
    parsed = scope.parse(" ".join(tokens))
    assert parsed == scope.parse(" ".join(reversed(tokens))) == tuple(sorted(set(tokens)))
    assert scope.parse(" ".join(parsed)) == parsed


@given(st.text())
def test_arbitrary_text_is_a_scope_or_invalid_scope(text: str) -> None:
    """O-18: nothing else is ever raised."""
    outcome: object
    try:
        outcome = scope.parse(text)
    except OAuthError as error:
        outcome = error.code
    assert outcome in (tuple(sorted(set(text.split(" ")))), "invalid_scope")


@pytest.mark.parametrize(
    "text",
    ["", " ", "a  b", " a", "a ", "a\tb", "a\nb", "a\n", 'say"so', "back\\slash", "größe", "a\x00", "a\x7f"],
)
def test_characters_outside_the_rfc_are_refused(text: str) -> None:
    """O-18, O-19."""
    with pytest.raises(OAuthError) as caught:
        scope.parse(text)
    assert caught.value.code == "invalid_scope"


def test_absent_scope_means_the_default() -> None:
    """O-19."""
    assert scope.narrow(None, ALLOWED) == ("aemp:read",)
    assert scope.narrow(None, ALLOWED, default="fleet aemp:write") == ("aemp:write", "fleet")


def test_default_beyond_the_registration_is_refused() -> None:
    """O-19: a default never gives what the application was not registered for."""
    with pytest.raises(OAuthError) as caught:
        scope.narrow(None, ["fleet"])
    assert caught.value.code == "invalid_scope"


def test_part_of_what_is_allowed_may_be_asked() -> None:
    assert scope.narrow("fleet aemp:read", ALLOWED) == ("aemp:read", "fleet")


@pytest.mark.parametrize("requested", ["admin", "aemp:read admin", "AEMP:READ", "aemp"])
def test_scope_beyond_what_is_allowed_is_refused_whole(requested: str) -> None:
    """O-18, O-19: case-sensitive, and never narrowed in silence."""
    with pytest.raises(OAuthError) as caught:
        scope.narrow(requested, ALLOWED)
    assert caught.value.code == "invalid_scope"


def test_every_known_scope_is_well_formed_and_explained() -> None:
    """O-31: the consent page says in plain words what is asked."""
    assert scope.DEFAULT_SCOPE in scope.KNOWN_SCOPES
    for name, words in scope.KNOWN_SCOPES.items():
        assert scope.parse(name) == (name,)
        assert len(words.split()) > 3

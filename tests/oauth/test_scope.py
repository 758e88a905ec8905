"""Claims about scopes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.oauth import scope
from app.oauth.errors import OAuthError
from app.oauth.metadata import authorization_server, protected_resource

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
    assert outcome in (tuple(sorted(set(text.split()))), "invalid_scope")


@pytest.mark.parametrize(
    "text",
    ["", " ", "a\tb", "a\nb", "a\n", "a\u00a0b", 'say"so', "back\\slash", "größe", "a\x00", "a\x7f"],
)
def test_characters_outside_the_rfc_are_refused(text: str) -> None:
    """O-18, O-19."""
    with pytest.raises(OAuthError) as caught:
        scope.parse(text)
    assert caught.value.code == "invalid_scope"


@pytest.mark.parametrize("text", ["a  b", " b a", "a b ", "   b    a  "])
def test_blanks_between_scopes_and_around_them_do_not_count(text: str) -> None:
    """O-19: requests are put together from lists, which leave more blanks than the RFC has."""
    assert scope.parse(text) == ("a", "b")


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


def told(requested: str | None, allowed: tuple[str, ...] = ALLOWED) -> str:
    with pytest.raises(OAuthError) as caught:
        scope.narrow(requested, allowed)
    return caught.value.what


@pytest.mark.parametrize(
    ("requested", "word"),
    [
        ("openid", "openid"),
        ("aemp:read offline_access", "offline_access"),
        ("fleet admin:read aemp:read", "admin:read"),
        ("AEMP:READ", "AEMP:READ"),
    ],
)
def test_refused_scope_is_named(requested: str, word: str) -> None:
    """O-18: of many words, the one that is to be left out."""
    assert told(requested) == f"scope has {word}, which may not be asked for here"


@pytest.mark.parametrize("word", ["https://evil.example/pay", "evil.example", "call(0900)", "x" * 41])
def test_word_that_could_be_an_address_or_a_text_is_not_repeated(word: str) -> None:
    """O-24, O-32: a link of a stranger must not make us write it on somebody's page."""
    assert told(word) == "scope has a word, which may not be asked for here"


def test_default_that_is_refused_is_named_as_the_default() -> None:
    """O-19: nobody asked for it, so the request misses something."""
    assert told(None, ("fleet",)) == "scope is missing, and its default aemp:read may not be asked for here"


def test_scopes_of_operators_are_offered_to_no_application(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some libraries ask for every scope that the metadata lists."""
    monkeypatch.setitem(scope.KNOWN_SCOPES, "admin:read", ("See all customers and what they connected",))
    assert list(scope.offered_scopes()) == ["account:read", "aemp:read", "telemetry:write"]
    server = authorization_server("https://auth.example", endpoints={}, grant_types=())
    resource = protected_resource("https://auth.example/api", issuer="https://auth.example")
    for document in (server, resource):
        assert document["scopes_supported"] == ["account:read", "aemp:read", "telemetry:write"]


def test_every_known_scope_is_well_formed_and_explained() -> None:
    """O-31: the consent page says in plain words what is asked."""
    assert scope.DEFAULT_SCOPE in scope.KNOWN_SCOPES
    for name, lines in scope.KNOWN_SCOPES.items():
        assert scope.parse(name) == (name,)
        assert scope.opened_by([name]) == list(lines)
        assert all(len(line.split()) > 3 for line in lines)

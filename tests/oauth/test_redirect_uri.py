"""Claims about redirect URIs."""

from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.oauth.errors import PageError
from app.oauth.redirect_uri import RedirectUriError, append, check_registrable, match

REGISTERED = "https://app.example.com/oauth/callback?tenant=a%2Fb"

# and the published holes of other servers: never registrable, by nobody, not even in development.
NEVER = [
    "",
    "/callback",
    "callback",
    "//app.example.com/cb",
    "app.example.com/cb",
    "https:",
    "https:/cb",
    "https:///cb",
    "https://",
    "https:app.example.com",
    "https://:443/cb",
    "HTTPS://app.example.com/cb",
    " https://app.example.com/cb",
    "https://app.example.com/cb ",
    "https://app.example.com/c b",
    "https://app.example.com/cb\n",
    "https://app.example.com/cb\r\nSet-Cookie:a=b",
    "https://app.example.com/\tcb",
    "https://app.example.com/cb\x00",
    "https://app.example.com/cb%00",
    "https://app.example.com/cb%0d%0aX",
    "https://app.example.com/cb#",
    "https://app.example.com/cb#part",
    "https://app.example.com\\@evil.example/cb",
    "https://app.example.com/cb%5C..",
    "https://*.example.com/cb",
    "https://app.example.com/*",
    "https://user@app.example.com/cb",
    "https://user:pass@app.example.com/cb",
    "https://app.example.com@evil.example/cb",
    "https://a@b@evil.example/cb",
    "com.example.app://user@host/cb",
    "https://app.example.com/../cb",
    "https://app.example.com/a/..;/cb",
    "https://app.example.com/a/%2e%2e/cb",
    "https://app.example.com/a/.%2E;x=1/cb",
    "https://app.example.com/a%2f..%2fcb",
    "https://app.example.com/./cb",
    "https://app.example.com/cb%",
    "https://app.example.com/cb%zz",
    "https://app.example.com/cb%2",
    "https://app.example.com/<cb>",
    'https://app.example.com/"cb"',
    "https://app.example.com/{cb}",
    "https://bücher.example/cb",
    "https://app.example.com/büro",
    "https://app。example/cb",
    "https://app..example.com/cb",
    "https://.example.com/cb",
    "https://ex%61mple.com/cb",
    "https://app.example.com:/cb",
    "https://app.example.com:0/cb",
    "https://app.example.com:65536/cb",
    "https://app.example.com:8a/cb",
    "https://app.example.com:0443/cb",
    "https://app.example.com:+443/cb",
    "https://[2001:db8::7]:00443/cb",
    "http://127.0.0.1:08000/cb",
    "http://[::1]:00005/cb",
    "http://localhost:08000/cb",
    "https://app.example.com:443:443/cb",
    "https://[::1/cb",
    "https://::1/cb",
    "https://app.example.com/cb?code=fixed",
    "https://app.example.com/cb?a=b&st%61te=x",
    "https://app.example.com/cb?iss",
    "https://app.example.com/" + "a" * 2000,
    "http://app.example.com/cb",
    "http://localhost.evil.example/cb",
    "http://127.0.0.1.evil.example/cb",
    "http://127.1/cb",
    "http://2130706433/cb",
    "http://0x7f000001/cb",
    "http://0.0.0.0/cb",
    "http://127.0.0.2/cb",
    "http://[::ffff:127.0.0.1]/cb",
    "http://[0:0:0:0:0:0:0:1]/cb",
    "http://[::1%25eth0]/cb",
    "http://LOCALHOST/cb",
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "data:text/html,hello",
    "vbscript:msgbox",
    "file:///etc/passwd",
    "blob:https://app.example.com/1",
    "view-source:https://app.example.com/cb",
    "about:blank",
    "ftp://app.example.com/cb",
    "ws://app.example.com/cb",
    "myapp:/cb",
    "com.example.app:",
    "com.example.app:?a=b",
]

EVERYWHERE = [
    REGISTERED,
    "https://app.example.com",
    "https://app.example.com/",
    "https://app.example.com:8443/cb",
    "https://app.example.com/cb?",
    "https://app.example.com/cb;version=2/@me?a=b&c",
    "https://app.example.com/b%C3%BCro/a..b/...",
    "https://xn--bcher-kva.example/cb",
    "https://fleet_app.example.com/cb",
    "https://_dev.internal_hosts.example/cb",
    "https://localhost/cb",
    "https://192.0.2.7/cb",
    "https://[2001:db8::7]:8443/cb",
]

LOOPBACK = ["http://127.0.0.1/cb", "http://127.0.0.1:8000/cb?a=b", "http://[::1]/cb", "http://[::1]:5/cb"]
LOCALHOST = ["http://localhost/cb", "http://localhost:8000/app/demo/callback"]
PRIVATE_USE = ["com.example.app:/cb", "com.example.app://cb", "com.example.app:cb?a=b"]


def is_registrable(uri: str, *, public: bool, development: bool) -> bool:
    try:
        check_registrable(uri, public=public, development=development)
    except RedirectUriError:
        return False
    return True


@pytest.mark.parametrize("uri", NEVER)
@pytest.mark.parametrize("public", [False, True])
def test_hostile_or_sloppy_uri_is_never_registrable(uri: str, *, public: bool) -> None:
    """O-10, R-31, R-35."""
    assert not is_registrable(uri, public=public, development=True)
    assert not is_registrable(uri, public=public, development=False)


def test_refusal_names_the_uri_and_the_reason() -> None:
    with pytest.raises(RedirectUriError) as caught:
        check_registrable("https://a.example/cb#", public=False, development=False)
    assert str(caught.value) == "'https://a.example/cb#' has a fragment (#)"


@pytest.mark.parametrize("uri", EVERYWHERE)
def test_complete_https_uri_is_registrable_by_every_application(uri: str) -> None:
    """O-13."""
    assert is_registrable(uri, public=False, development=False)
    assert is_registrable(uri, public=True, development=False)


@pytest.mark.parametrize("uri", LOOPBACK)
def test_http_on_a_loopback_literal_is_for_public_applications(uri: str) -> None:
    """O-124, O-156."""
    assert is_registrable(uri, public=True, development=False)
    assert not is_registrable(uri, public=False, development=False)
    assert is_registrable(uri, public=False, development=True)


@pytest.mark.parametrize("uri", LOCALHOST)
def test_http_on_localhost_is_for_development_only(uri: str) -> None:
    """O-156: localhost is a name, not a literal."""
    assert is_registrable(uri, public=False, development=True)
    assert is_registrable(uri, public=True, development=True)
    assert not is_registrable(uri, public=False, development=False)
    assert not is_registrable(uri, public=True, development=False)


@pytest.mark.parametrize("uri", PRIVATE_USE)
def test_private_use_scheme_is_for_public_applications(uri: str) -> None:
    assert is_registrable(uri, public=True, development=False)
    assert not is_registrable(uri, public=False, development=True)


@given(st.text())
def test_arbitrary_text_is_registrable_or_refused_with_a_reason(text: str) -> None:
    for uri in (text, f"https://{text}", f"https://app.example.com/{text}", f"http://[{text}]/"):
        if is_registrable(uri, public=True, development=False):
            assert uri.isascii()
            assert uri.isprintable()


@pytest.mark.parametrize("uri", EVERYWHERE)
def test_registered_uri_matches_itself(uri: str) -> None:
    assert match(uri, [REGISTERED, *EVERYWHERE], public=False) == uri


@pytest.mark.parametrize(
    "requested",
    [
        "https://APP.example.com/oauth/callback?tenant=a%2Fb",
        "HTTPS://app.example.com/oauth/callback?tenant=a%2Fb",
        "https://app.example.com:443/oauth/callback?tenant=a%2Fb",
        "https://app.example.com/oauth/callback/?tenant=a%2Fb",
        "https://app.example.com/oauth/callback?tenant=a%2fb",
        "https://app.example.com/oauth/callback?tenant=a/b",
        "https://app.example.com/oauth/callback",
        "https://app.example.com/oauth/callback?tenant=a%2Fb&x=y",
        "https://app.example.com/oauth/callback?tenant=a%2Fb#",
        "https://app.example.com/oauth/..;/callback?tenant=a%2Fb",
        "https://app.example.com/oauth/c%61llback?tenant=a%2Fb",
        "https://app.example.com/oauth/callback?tenant=a%2Fb\n",
        "https://app.example.com.evil.example/oauth/callback?tenant=a%2Fb",
        "https://app.example.com@evil.example/oauth/callback?tenant=a%2Fb",
        "https://evil.example\\@app.example.com/oauth/callback?tenant=a%2Fb",
        "https://sub.app.example.com/oauth/callback?tenant=a%2Fb",
        "http://app.example.com/oauth/callback?tenant=a%2Fb",
        "https://app.еxample.com/oauth/callback?tenant=a%2Fb",  # noqa: RUF001  # a Cyrillic letter, on purpose
        "//app.example.com/oauth/callback?tenant=a%2Fb",
        "javascript:alert(1)",
        "",
    ],
)
@pytest.mark.parametrize("public", [False, True])
def test_anything_but_the_same_string_is_shown_on_our_page(requested: str, *, public: bool) -> None:
    """O-7, O-10, O-12, O-123, R-31."""
    with pytest.raises(PageError) as caught:
        match(requested, [REGISTERED, "https://other.example/cb"], public=public)
    assert caught.value.status == 400


@given(
    st.integers(min_value=0, max_value=len(REGISTERED)),
    st.integers(min_value=0, max_value=3),
    st.text(max_size=6),
)
def test_no_mutation_of_a_registered_uri_matches(start: int, removed: int, inserted: str) -> None:
    """R-31: cut, insert and replace anywhere."""
    mutated = REGISTERED[:start] + inserted + REGISTERED[start + removed :]
    assume(mutated != REGISTERED)
    with pytest.raises(PageError):
        match(mutated, [REGISTERED], public=True)


def test_absent_uri_means_the_only_registered_one() -> None:
    """O-9."""
    assert match(None, [REGISTERED], public=False) == REGISTERED


@pytest.mark.parametrize("registered", [[], [REGISTERED, "https://other.example/cb"]])
def test_absent_uri_with_none_or_several_registered_is_shown_on_our_page(registered: list[str]) -> None:
    """O-8."""
    with pytest.raises(PageError):
        match(None, registered, public=False)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
@pytest.mark.parametrize("port", ["", ":1", ":8000", ":65535"])
def test_port_of_a_public_applications_loopback_uri_may_vary(host: str, port: str) -> None:
    """O-123, O-156."""
    requested = f"http://{host}{port}/cb?a=b"
    for registered in (f"http://{host}/cb?a=b", f"http://{host}:3000/cb?a=b"):
        assert match(requested, [registered], public=True) == requested


@pytest.mark.parametrize(
    "requested",
    [
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:65536/cb",
        "http://127.0.0.1:08000/cb",
        "http://127.0.0.1:00080/cb",
        "http://127.0.0.1:000000080/cb",
        "http://127.0.0.1:+80/cb",
        "http://127.0.0.1:-80/cb",
        "http://127.0.0.1:8_0/cb",
        "http://127.0.0.1:80 /cb",
        "http://127.0.0.1:0x50/cb",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:80@evil.example/cb",
        "http://127.0.0.1:8000/other",
        "http://127.0.0.1:8000/cb?x",
        "http://127.0.0.1:8000/cb/",
        "http://127.0.0.1:8000/cb\n",
        "http://127.0.0.1:8000",
        "http://127.0.0.1:８０/cb",  # noqa: RUF001  # full-width digits, on purpose
        "http://127.0.0.1.evil.example/cb",
        "http://[::1]:8000/cb",
        "http://localhost:8000/cb",
        "https://127.0.0.1:8000/cb",
    ],
)
def test_nothing_but_the_port_of_a_loopback_uri_may_vary(requested: str) -> None:
    """O-123, O-156: same literal, same path."""
    with pytest.raises(PageError):
        match(requested, ["http://127.0.0.1:3000/cb"], public=True)


@given(st.integers(-10, 200_000), st.sampled_from(["", "0", "00", "+"]))
def test_port_is_a_number_in_its_one_spelling(number: int, before: str) -> None:
    """O-123, R-31: what a browser and we could read as two ports is none."""
    requested = f"http://127.0.0.1:{before}{number}/cb"
    if not before and 1 <= number <= 65_535:
        assert match(requested, ["http://127.0.0.1/cb"], public=True) == requested
    else:
        with pytest.raises(PageError):
            match(requested, ["http://127.0.0.1/cb"], public=True)


def test_port_of_a_confidential_applications_loopback_uri_may_not_vary() -> None:
    with pytest.raises(PageError):
        match("http://127.0.0.1:8000/cb", ["http://127.0.0.1:3000/cb"], public=False)


def test_port_of_localhost_may_not_vary() -> None:
    """O-156: not even in development, where it may be registered."""
    with pytest.raises(PageError):
        match("http://localhost:8000/cb", ["http://localhost:3000/cb"], public=True)


@pytest.mark.parametrize(
    ("uri", "answered"),
    [
        ("https://a.example", "https://a.example?code=c&state=s"),
        ("https://a.example/cb", "https://a.example/cb?code=c&state=s"),
        ("https://a.example/cb?", "https://a.example/cb?code=c&state=s"),
        ("https://a.example/cb?x=%2F", "https://a.example/cb?x=%2F&code=c&state=s"),
        ("https://a.example/cb?x&", "https://a.example/cb?x&code=c&state=s"),
        ("com.example.app:/cb", "com.example.app:/cb?code=c&state=s"),
    ],
)
def test_answer_stands_behind_the_registered_query(uri: str, answered: str) -> None:
    """O-11, O-25: the registered part comes back unchanged."""
    assert append(uri, [("code", "c"), ("state", "s")]) == answered


@given(st.text())
def test_every_state_comes_back_byte_for_byte(state: str) -> None:
    """O-23, R-37: read by a form decoder or a URI decoder, and unable to break out of the header line."""
    location = append(REGISTERED, [("code", "c"), ("state", state)])
    assert parse_qsl(urlsplit(location).query, keep_blank_values=True) == [
        ("tenant", "a/b"),
        ("code", "c"),
        ("state", state),
    ]
    assert unquote(location.rpartition("state=")[2]) == state
    assert location.isascii()
    assert location.isprintable()

"""Claims about requests as they arrive."""

from base64 import b64encode
from dataclasses import asdict
from urllib.parse import quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.oauth import request
from app.oauth.assertion import ASSERTION_TYPE
from app.oauth.errors import OAuthError, PageError
from app.oauth.grant_type import name_of_grant
from app.oauth.request import (
    AuthorizationRequest,
    Credentials,
    TokenQuery,
    TokenRequest,
)
from app.oauth.token_string import mint, mint_client_secret, secret_digest
from app.process.read_before import ReadBefore
from tests.support.assertions import by_assertion, claims_of, key_pair, signed

FORM = "application/x-www-form-urlencoded"
CLASSIC_BODY = b"client_id=me&client_secret=mine&code=c"


def basic(client_id: str, client_secret: str) -> str:
    pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
    return "Basic " + b64encode(pair.encode()).decode()


def token_request(body: bytes, authorization: str | None = None) -> TokenRequest:
    return TokenRequest.parse(FORM, body, authorization)


def refusal(body: bytes, authorization: str | None = None, content_type: str | None = FORM) -> OAuthError:
    with pytest.raises(OAuthError) as caught:
        TokenRequest.parse(content_type, body, authorization)
    return caught.value


def outcome(content_type: str | None, body: bytes, authorization: str | None) -> str:
    try:
        return TokenRequest.parse(content_type, body, authorization).credentials.method
    except OAuthError as error:
        return error.code


def authorization_request(**parameters: str) -> AuthorizationRequest:
    return AuthorizationRequest.parse(urlencode({"client_id": "me", **parameters}).encode())


def check_fails_with(asked: AuthorizationRequest, *, strict: bool = False) -> str:
    with pytest.raises(OAuthError) as caught:
        request.check(asked, strict=strict)
    return caught.value.code


def test_documented_token_request_is_read() -> None:
    """O-36, O-39, O-48: body credentials and a code, no grant type, no redirect URI."""
    read = token_request(CLASSIC_BODY)
    assert read.credentials == Credentials("me", secret_digest("mine"), "client_secret_post")
    assert (read.grant_type, read.scope, read.resource) == (None, None, None)
    assert read.parameters == {"client_id": "me", "code": "c"}  # and no secret


def test_every_parameter_of_a_token_request_is_kept_but_the_secret() -> None:
    names = ("grant_type", "code", "redirect_uri", "code_verifier", "refresh_token", "scope", "resource")
    sent = {name: f"the {name}" for name in names}
    read = token_request(urlencode({**sent, "client_id": "me", "client_secret": "mine"}).encode())
    assert read.parameters == {**sent, "client_id": "me"}
    assert (read.grant_type, read.scope, read.resource) == ("the grant_type", "the scope", "the resource")


def test_repr_of_a_request_shows_no_secret() -> None:
    """O-106: a request must be safe to log."""
    secrets = ("client_secret", "code", "code_verifier", "refresh_token", "token")
    body = urlencode({name: f"hidden-{name}" for name in secrets}).encode()
    assert "hidden" not in repr(token_request(body))
    assert "hidden" not in repr(TokenQuery.parse(FORM, body, None))


@pytest.mark.parametrize(
    "content_type",
    [
        FORM,
        f"{FORM}; charset=utf-8",
        f'{FORM};charset="UTF-8"',
        "Application/X-WWW-Form-Urlencoded",
        f"{FORM} ",
        f"{FORM}; charset=ISO-8859-1",
        f"{FORM};charset=iso-8859-15",
        f"{FORM}; charset=US-ASCII",
        f"{FORM}; charset=windows-1252",
        f"{FORM};",
        f"{FORM} ; ",
        f"{FORM};; charset=utf-8;",
        f'{FORM}; boundary=x; charset="utf8"',
    ],
)
def test_form_type_is_read_with_or_without_its_charset(content_type: str) -> None:
    """O-36."""
    assert TokenRequest.parse(content_type, CLASSIC_BODY, None).parameters["code"] == "c"


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "application/json",
        "multipart/form-data; boundary=x",
        "text/plain",
        f"{FORM}; charset=utf-16",
        f'{FORM}; charset="UTF-16LE"',
        f"{FORM}; charset=utf-8; charset=utf-32",
        f"{FORM}; charset=utf-80",
        f"{FORM}; charset=",
        f"{FORM}; charset",
        f"{FORM}, {FORM}",
        f"{FORM}x",
        f"{FORM}\n",
    ],
)
def test_body_of_another_type_is_refused_with_415(content_type: str | None) -> None:
    """O-36."""
    error = refusal(b'{"code":"c"}', content_type=content_type)
    assert (error.code, error.status) == ("invalid_request", 415)


@pytest.mark.parametrize("charset", ["", "; charset=ISO-8859-1", ";"])
def test_form_is_utf_8_whatever_its_type_says(charset: str) -> None:
    """O-36: bytes of Latin-1 that are no UTF-8 are refused by name, and never read as other letters."""
    body = b"client_id=me&code=c&redirect_uri=%FC"
    error = refusal(body, content_type=f"{FORM}{charset}")
    assert (error.code, error.what) == ("invalid_request", "redirect_uri is too long or badly encoded")
    read = TokenRequest.parse(f"{FORM}{charset}", b"client_id=me&code=%C3%BC", None)
    assert read.parameters["code"] == "ü"


@pytest.mark.parametrize("content_type", [None, FORM, "application/json"])
def test_empty_body_is_refused_with_400(content_type: str | None) -> None:
    """O-36."""
    error = refusal(b"", content_type=content_type)
    assert (error.code, error.status) == ("invalid_request", 400)


def test_repeated_parameter_of_a_token_request_is_refused() -> None:
    """O-38, R-34."""
    assert refusal(CLASSIC_BODY + b"&code=d").code == "invalid_request"


def test_empty_parameter_of_a_token_request_counts_as_absent() -> None:
    """O-38."""
    read = token_request(b"client_id=me&client_secret=&code=&grant_type=")
    assert read.credentials == Credentials("me", None, "none")
    assert (read.parameters, read.grant_type) == ({"client_id": "me"}, None)


@given(st.text(min_size=1), st.text())
def test_basic_credentials_are_form_decoded(client_id: str, client_secret: str) -> None:
    """O-48."""
    try:
        read = token_request(b"code=c", basic(client_id, client_secret)).credentials
    except OAuthError as error:
        read = Credentials(error.code, None, "none")
    readable = "\0" not in client_id + client_secret
    expected = Credentials(client_id, secret_digest(client_secret), "client_secret_basic")
    if not client_secret:
        expected = Credentials(client_id, None, "none")
    assert read == (expected if readable else Credentials("invalid_client", None, "none"))


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC", "Basic "])
def test_basic_credentials_of_unreserved_characters_need_no_encoding(scheme: str) -> None:
    """O-49: clients that join id and secret as they are mean the same; the scheme's case does not count."""
    client_id = "01932f2c-5a6b-7def-8123-456789abcdef"
    pair = b64encode(f"{client_id}:rovi_cs_0aZ".encode()).decode()
    read = token_request(b"code=c", f"{scheme} {pair}").credentials
    assert read == Credentials(client_id, secret_digest("rovi_cs_0aZ"), "client_secret_basic")


@pytest.mark.parametrize(
    ("body", "authorization"),
    [
        (b"code=c", basic("me", "")),
        (b"code=c&client_id=me", basic("me", "")),
        (b"code=c&client_id=me&client_secret=", None),
        (b"code=c&client_id=me", None),
    ],
)
def test_empty_secret_is_no_secret_wherever_it_is_sent(body: bytes, authorization: str | None) -> None:
    """O-52: in the header it was a wrong secret, and in the form it was none."""
    assert token_request(body, authorization).credentials == Credentials("me", None, "none")


def test_client_id_in_the_body_may_repeat_the_one_in_the_header() -> None:
    read = token_request(b"code=c&client_id=me", basic("me", "mine"))
    assert read.credentials == Credentials("me", secret_digest("mine"), "client_secret_basic")


@pytest.mark.parametrize(
    "body", [b"client_id=me&client_secret=mine", b"client_secret=mine", b"client_id=you&code=c"]
)
def test_credentials_in_header_and_body_together_are_refused(body: bytes) -> None:
    """O-47."""
    for authorization in (basic("me", "mine"), basic("me", "")):
        error = refusal(body, authorization)
        assert (error.code, error.status) == ("invalid_request", 400)


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic bWU",
        "Basic bWU6bWluZQ== trailing",
        "Basic ünicode",
        "Basic " + b64encode(b"no-colon").decode(),
        "Basic " + b64encode(b":secret-only").decode(),
        "Basic " + b64encode(b"me:%zz").decode(),
        "Basic " + b64encode(b"me:\xff").decode(),
        "Bearer abc",
        "Digest username=me",
        "bWU6bWluZQ==",
    ],
)
def test_unreadable_authorization_header_is_a_failed_authentication(authorization: str) -> None:
    """O-45, O-46."""
    error = refusal(CLASSIC_BODY, authorization)
    assert (error.code, error.status) == ("invalid_client", 401)
    assert dict(error.headers)["WWW-Authenticate"].startswith("Basic ")


def assertion_body(**fields: str) -> bytes:
    """Signed by a key that nobody registered: reading asks for none."""
    text = signed(key_pair("EC"), claims_of("me"))
    return urlencode({**by_assertion(text), "code": "c", **fields}).encode()


@pytest.mark.parametrize("more", [{}, {"client_id": "me"}], ids=["alone", "with client_id"])
def test_assertion_names_the_client(more: dict[str, str]) -> None:
    """O-150: client_id is not needed beside it (RFC 7521 section 4.2)."""
    read = token_request(assertion_body(**more)).credentials
    assert (read.client_id, read.method, read.secret_digest) == ("me", "private_key_jwt", None)
    assert read.assertion is not None
    assert read.assertion.unverified_client_id == "me"


def test_assertion_for_another_client_id_is_a_failed_authentication() -> None:
    """O-45, O-150."""
    assert refusal(assertion_body(client_id="you")).code == "invalid_client"
    assert refusal(b"client_id=me&client_assertion=x").code == "invalid_client"
    assert refusal(b"client_id=me&client_assertion_type=" + ASSERTION_TYPE.encode()).code == "invalid_client"


@pytest.mark.parametrize("authorization", [basic("me", "mine"), "Basic x", "Bearer x", ""])
def test_assertion_and_authorization_header_do_not_go_together(authorization: str) -> None:
    """O-47: whatever the header says."""
    error = refusal(assertion_body(), authorization)
    assert (error.code, error.status) == ("invalid_request", 400)


def test_assertion_and_secret_do_not_go_together() -> None:
    """O-47."""
    assert refusal(assertion_body(client_secret="mine")).code == "invalid_request"
    assert refusal(b"client_secret=mine&client_assertion=x").code == "invalid_request"


@pytest.mark.parametrize("kind", [TokenQuery, TokenRequest])
def test_request_with_an_assertion_is_not_kept(kind: type[TokenQuery | TokenRequest]) -> None:
    """O-150: read each time, so that each time it is asked whether it was used; and memory holds no assertion."""
    requests = ReadBefore(kind.parse)
    body = b"grant_type=client_credentials&token=x&" + assertion_body()
    first, second, third = (requests.read(FORM, body, None) for _ in range(3))
    assert first == second == third
    assert first is not second is not third
    assert not requests._requests


@given(st.binary(max_size=80), st.none() | st.text(max_size=20), st.none() | st.text(max_size=20))
def test_arbitrary_token_request_is_read_or_refused(
    body: bytes, content_type: str | None, header: str | None
) -> None:
    outcomes = {
        outcome(kind, body, authorization)
        for kind in (content_type, FORM)
        for authorization in (header, f"Basic {header}")
    }
    assert outcomes <= {
        "invalid_request",
        "invalid_client",
        "none",
        "client_secret_post",
        "client_secret_basic",
    }


def test_absent_grant_type_with_a_code_means_authorization_code_for_classic_applications() -> None:
    """O-39."""
    assert name_of_grant(token_request(CLASSIC_BODY), strict=False) == "authorization_code"


@pytest.mark.parametrize(
    ("body", "strict"), [(CLASSIC_BODY, True), (b"client_id=me", False), (b"client_id=me", True)]
)
def test_absent_grant_type_is_refused_otherwise(body: bytes, *, strict: bool) -> None:
    """O-39."""
    with pytest.raises(OAuthError) as caught:
        name_of_grant(token_request(body), strict=strict)
    assert caught.value.code == "invalid_request"


@pytest.mark.parametrize(
    ("body", "strict", "missing"),
    [
        (b"client_id=me", False, "code"),
        (b"client_id=me&code=", False, "code"),
        (b"client_id=me&redirect_uri=x", False, "code"),
        (b"client_id=me&refresh_token=x", False, "grant_type"),
        (b"client_id=me&code=c", True, "grant_type"),
    ],
)
def test_what_was_forgotten_is_named(body: bytes, missing: str, *, strict: bool) -> None:
    """O-39: a documented request whose code was forgotten was told to send a grant_type, which it does not need."""
    with pytest.raises(OAuthError, match=f"invalid_request: {missing} is missing"):
        name_of_grant(token_request(body), strict=strict)


@pytest.mark.parametrize("strict", [False, True])
def test_grant_type_sent_is_the_one_meant(*, strict: bool) -> None:
    """O-40: what it is worth, the grants decide."""
    assert name_of_grant(token_request(b"grant_type=password&code=c"), strict=strict) == "password"


def test_token_query_is_read_with_its_hint() -> None:
    """O-87, O-98."""
    token = mint("at", "c", 7)
    body = f"token={token.text}&token_type_hint=anything".encode()
    read = TokenQuery.parse(FORM, body, basic("me", "mine"))
    assert (read.token, read.token_type_hint) == (token, "anything")
    assert read.credentials == Credentials("me", secret_digest("mine"), "client_secret_basic")


@pytest.mark.parametrize("body", [b"client_id=me", b"token=&client_id=me"])
def test_token_query_without_token_is_refused(body: bytes) -> None:
    """O-88, O-98."""
    with pytest.raises(OAuthError) as caught:
        TokenQuery.parse(FORM, body, None)
    assert (caught.value.code, caught.value.status) == ("invalid_request", 400)


def test_documented_authorization_request_is_read_and_passes() -> None:
    """O-14: no response type, no scope."""
    asked = AuthorizationRequest.parse(
        b"client_id=me&state=s%20%2B&redirect_uri=https%3A%2F%2Fa.example%2Fcb"
    )
    request.check(asked, strict=False)
    assert (asked.client_id, asked.state, asked.redirect_uri) == ("me", "s +", "https://a.example/cb")
    assert (asked.response_type, asked.scope, asked.code_challenge) == (None, None, None)


def test_every_parameter_of_the_authorization_endpoint_has_its_field() -> None:
    names = (
        *(
            "redirect_uri",
            "response_type",
            "response_mode",
            "state",
            "scope",
            "resource",
            "request",
            "request_uri",
        ),
        *("code_challenge", "code_challenge_method"),
    )
    asked = authorization_request(**{name: f"the {name}" for name in names})
    assert [getattr(asked, name) for name in names] == [f"the {name}" for name in names]


@pytest.mark.parametrize(
    "query",
    [
        b"",
        b"state=s",
        b"client_id=",
        b"client_id=me&client_id=me",
        b"client_id=me&client_id=you",
        b"client_id=%ff",
        b"client_id=me%00",
        b"client_id=me&redirect_uri=https://a.example&redirect_uri=https://b.example",
        b"client_id=me&redirect_uri=%zz",
        b"client_id=me&a=" + b"x" * 16_384,
        b"client_id=me" + b"&a=b" * 100,
    ],
)
def test_request_that_does_not_say_who_asks_or_where_to_is_shown_on_our_page(query: bytes) -> None:
    """O-5, O-6, O-7."""
    with pytest.raises(PageError) as caught:
        AuthorizationRequest.parse(query)
    assert caught.value.status == 400


@pytest.mark.parametrize("query", [b"scope=a&scope=b", b"scope=%ff", b"unknown=1&unknown=2", b"%zz=1"])
def test_other_faults_wait_until_the_redirect_uri_is_proved(query: bytes) -> None:
    """O-5, O-20, R-34."""
    asked = AuthorizationRequest.parse(b"client_id=me&state=s&" + query)
    assert asked.state == "s"
    assert check_fails_with(asked) == "invalid_request"


@pytest.mark.parametrize(
    "query",
    [
        b"state=1&state=2",
        b"state=%ff",
        b"state=%zz",
        b"state=" + b"x" * 2049,
        b"state=" + "é".encode() * 1025,
    ],
)
def test_state_that_cannot_be_echoed_whole_is_left_out(query: bytes) -> None:
    """O-23, R-37: invalid_request by redirect, without a state."""
    asked = AuthorizationRequest.parse(b"client_id=me&" + query)
    assert asked.state is None
    assert check_fails_with(asked) == "invalid_request"


@pytest.mark.parametrize("state", ["x" * 2048, "é" * 1024, "\r\nSet-Cookie: a=b", "<script>", " ", "\u202e"])
def test_state_of_any_utf_8_up_to_2_kib_is_kept(state: str) -> None:
    """O-23, R-37."""
    asked = authorization_request(state=state)
    request.check(asked, strict=False)
    assert asked.state == state


def test_unknown_parameters_are_ignored() -> None:
    """O-4."""
    request.check(authorization_request(prompt="none", nonce="n", utm_source="x"), strict=False)


def test_absent_response_type_is_refused_for_strict_applications() -> None:
    """O-14."""
    assert check_fails_with(authorization_request(), strict=True) == "invalid_request"


@pytest.mark.parametrize("strict", [False, True])
def test_code_is_the_response_type(*, strict: bool) -> None:
    assert request.response_type_of(authorization_request(response_type="code"), strict=strict) == "code"


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(
    "response_type", ["token", "id_token", "code token", "none", "CODE", "code ", "rubbish"]
)
def test_other_response_type_is_unsupported(response_type: str, *, strict: bool) -> None:
    """O-15, O-129, R-36."""
    asked = authorization_request(response_type=response_type)
    assert check_fails_with(asked, strict=strict) == "unsupported_response_type"


@pytest.mark.parametrize("mode", ["fragment", "form_post", "web_message", "query.jwt"])
def test_other_response_mode_is_unsupported(mode: str) -> None:
    """R-36: the answer travels in the query (O-25)."""
    request.check(authorization_request(response_mode="query"), strict=False)
    assert check_fails_with(authorization_request(response_mode=mode)) == "unsupported_response_type"


@pytest.mark.parametrize("name", ["request", "request_uri"])
def test_request_object_is_refused_not_ignored(name: str) -> None:
    """RFC 9101 section 7: ignoring it would approve something else than was asked."""
    assert check_fails_with(authorization_request(**{name: "x"})) == f"{name}_not_supported"


@given(st.binary(max_size=80))
def test_arbitrary_query_is_read_or_shown_on_our_page(query: bytes) -> None:
    for raw in (query, b"client_id=me&" + query):
        try:
            asked = AuthorizationRequest.parse(raw)
            request.check(asked, strict=True)
        except (PageError, OAuthError):
            continue
        assert asked.response_type == "code"


def test_query_read_before_is_read_the_same_and_holds_no_secret() -> None:
    token = mint("at", "c", 7)
    queries = ReadBefore(TokenQuery.parse, most=2)
    secret = mint_client_secret()
    body = f"token={token.text}&client_id=me&client_secret={secret}".encode()
    once, first = (queries.read(FORM, body, None) for _ in range(2))
    assert queries.read(FORM, body, None) is first == once == TokenQuery.parse(FORM, body, None)
    assert (
        queries.read(FORM, f"token={token.text}".encode(), basic("you", "yours")).credentials
        != first.credentials
    )
    held = repr([(key, asdict(query)) for key, query in queries._requests.items()])
    assert token.text not in held
    assert secret not in held


def test_a_flood_of_queries_that_come_once_displaces_none_that_came_again() -> None:
    """R-84, R-109."""
    queries = ReadBefore(TokenQuery.parse, most=10)
    honest = [b"token=honest%d" % number for number in range(10)]
    for body in honest * 2:
        queries.read(FORM, body, None)
    kept = [queries.read(FORM, body, None) for body in honest]
    for number in range(1000):
        queries.read(FORM, b"token=forged%d" % number, None)
    assert all(queries.read(FORM, body, None) is query for body, query in zip(honest, kept, strict=True))
    assert len(queries._seen) == 10


def test_queries_read_before_are_bounded_and_a_bad_one_is_not_kept() -> None:
    """R-109."""
    queries = ReadBefore(TokenQuery.parse, most=10)
    for number in range(100):
        for _ in range(2):
            queries.read(FORM, b"token=%d" % number, None)
    assert len(queries._requests) == 10
    for _ in range(2):
        with pytest.raises(OAuthError, match="token is missing"):
            queries.read(FORM, b"client_id=me", None)
    assert len(queries._requests) == 10
    with pytest.raises(OAuthError) as refused:
        queries.read("application/json", b"token=1", None)
    assert refused.value.status == 415


def test_request_with_a_secret_of_a_former_system_is_not_kept() -> None:
    """R-24: until its slow hash is replaced its text is needed, and no memory holds it."""
    queries = ReadBefore(TokenQuery.parse)
    for _ in range(3):
        read = queries.read(FORM, b"token=x&client_id=me&client_secret=mine", None)
        assert read.credentials.former_secret == "mine"
        assert "mine" not in repr(read)
    assert not queries._requests


def test_token_request_with_what_works_once_is_not_kept() -> None:
    requests = ReadBefore(TokenRequest.parse)
    body = f"grant_type=client_credentials&client_id=me&client_secret={mint_client_secret()}".encode()
    requests.read(FORM, body, None)
    assert requests.read(FORM, body, None) is requests.read(FORM, body, None)
    for once in (b"code", b"refresh_token", b"code_verifier"):
        with_it = body + b"&" + once + b"=x"
        assert requests.read(FORM, with_it, None) is not requests.read(FORM, with_it, None)
    assert len(requests._requests) == 1

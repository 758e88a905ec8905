"""Input as long as its bound is read; one more is refused by an error that says the bound."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

from app.flows.token.grants import GRANTS
from app.oauth.bearer import read_bearer
from app.oauth.client import Client, _parse_canonical, parse_client_id
from app.oauth.errors import OAuthError, PageError
from app.oauth.parameters import has_parameter, parse_form
from app.oauth.registration import RegistrationError, check_name, check_registration
from app.oauth.request import AuthorizationRequest, TokenQuery, TokenRequest
from app.oauth.scope import parse as parse_scope
from app.oauth.signing import asks_for_jwt
from app.oauth.token_string import mint, mint_client_secret
from app.process.read_before import ReadBefore

FORM = "application/x-www-form-urlencoded"
ABOVE = "\N{COMBINING ACUTE ACCENT}"
JWT = b"application/token-introspection+jwt"
NO_URI = "https://[::1"


def refused(work: Callable[[], object]) -> tuple[int, str, str]:
    with pytest.raises(OAuthError) as caught:
        work()
    return caught.value.status, caught.value.code, caught.value.what


def application(**fields: object) -> Client:
    made = Client(
        id=UUID(int=0),
        kind="strict",
        public=False,
        name="Sitewise",
        company="Sitewise Ltd",
        status="active",
        grants=frozenset({"client_credentials"}),
        scope=("aemp:read",),
        redirect_uris=(),
        audience=None,
        customer_id=None,
        secrets=(),
    )
    return replace(made, **fields)  # type: ignore[arg-type]  # each is of the type that its field has


def test_scope_of_a_thousand_characters_is_read() -> None:
    """R-76."""
    assert parse_scope("a" * 1000) == ("a" * 1000,)
    assert refused(lambda: parse_scope("a" * 1001)) == (
        400,
        "invalid_scope",
        "scope is longer than 1000 characters",
    )


def test_basic_credentials_of_8_kib_are_read() -> None:
    """R-76, RFC 9110 section 5.4."""
    secret = b64encode(b"me:" + b"x" * 6135).decode()
    assert len(f"Basic {secret}") == 8192 - 2
    assert TokenRequest.parse(FORM, b"code=a", f"Basic {secret}").credentials.client_id == "me"
    told = (431, "invalid_request", "the Authorization header is longer than 8192 characters")
    assert refused(lambda: TokenRequest.parse(FORM, b"code=a", f"Basic {secret}   ")) == told


def test_bearer_token_of_8_kib_is_read() -> None:
    """R-76."""
    assert read_bearer(["Bearer " + "a" * 8192]) == "a" * 8192
    told = (400, "invalid_request", "the token is longer than 8192 characters")
    assert refused(lambda: read_bearer(["Bearer " + "a" * 8193])) == told


def test_another_scheme_is_another_scheme_however_long() -> None:
    """Kerberos tickets of browsers are longer than any of our tokens."""
    assert refused(lambda: read_bearer(["Negotiate " + "a" * 20_000])) == (401, "", "")


def test_content_type_of_255_characters_is_read() -> None:
    """R-76."""
    spaced = f"{FORM};" + " " * (255 - len(FORM) - len("; charset=utf-8") + 1) + "charset=utf-8"
    assert len(spaced) == 255
    assert TokenRequest.parse(spaced, b"code=a", None).parameters["code"] == "a"
    assert refused(lambda: TokenRequest.parse(spaced + " ", b"code=a", None))[:2] == (415, "invalid_request")


def test_accept_of_200_parts_is_read() -> None:
    """R-76, RFC 9110 section 5.4."""
    assert asks_for_jwt(b"a;q=1," * 99 + b"a," + JWT)
    told = (431, "invalid_request", "the Accept header has more than 200 parts")
    assert refused(lambda: asks_for_jwt(b"a;q=1," * 100 + JWT)) == told


def test_query_is_searched_for_a_parameter_in_any_spelling() -> None:
    """O-67, R-76."""
    for query in (b"access_token=x", b"a=b&access_token", b"%61ccess_token=x", b"access%5Ftoken=%ff"):
        assert has_parameter(query, "access_token")
    for query in (b"", b"a=access_token", b"access_token2=x", b"%access_token=x"):
        assert not has_parameter(query, "access_token")
    told = "more than 100 parameters, or more than 16384 bytes"
    assert refused(lambda: has_parameter(b"a&" * 100, "a")) == (400, "invalid_request", told)
    assert refused(lambda: parse_form(b"a" * 16_385)) == (400, "invalid_request", told)


def test_page_says_how_long_a_link_may_be() -> None:
    """R-76."""
    with pytest.raises(PageError) as caught:
        AuthorizationRequest.parse(b"client_id=" + b"a" * 16_384)
    assert "16384 characters" in caught.value.what


def test_name_is_composed_only_when_it_may_fit() -> None:
    """R-76: a letter with three accents is four characters, and one when it is composed."""
    letter = "\N{GREEK SMALL LETTER ALPHA}\u0313\u0301\u0345"
    assert len(check_name("name", letter * 120)) == 120
    with pytest.raises(RegistrationError, match="name: 1 to 120 characters"):
        check_name("name", letter * 121)
    with pytest.raises(RegistrationError, match="name: 1 to 120 characters"):
        check_name("name", "a" + ABOVE * 60_000)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"audience": "https://api.example/" + "a" * 1981}, "audience: at most 2000 characters"),
        ({"audience": NO_URI}, f"audience '{NO_URI}': an absolute URI without fragment, such as"),
        ({"scope": ("a" * 65,)}, "scope: at most 64 characters each"),
        ({"grants": frozenset({"a" * 65})}, "grant: at most 64 characters each"),
        ({"redirect_uris": ("https://a.example/",) * 21}, "redirect URIs: at most 20"),
    ],
    ids=["audience", "half a bracket", "scope", "grant", "redirect URIs"],
)
def test_registration_says_how_long_its_parts_may_be(fields: dict[str, object], told: str) -> None:
    """R-76."""
    with pytest.raises(RegistrationError) as caught:
        check_registration(application(**fields), GRANTS.values(), development=False)
    assert str(caught.value).startswith(told)


def test_audience_of_2000_characters_is_registered() -> None:
    audience = "https://api.example/" + "a" * 1980
    assert (
        check_registration(application(audience=audience), GRANTS.values(), development=False).audience
        == audience
    )


def test_client_ids_that_are_none_are_not_remembered() -> None:
    """R-76: four thousand of 16 KiB each would be 64 MiB of a stranger's."""
    _parse_canonical.cache_clear()
    assert all(parse_client_id(f"{number:017d}" * 1000) is None for number in range(100))
    assert _parse_canonical.cache_info().currsize == 0


def test_request_longer_than_any_of_an_application_is_not_remembered() -> None:
    """R-76: twenty thousand of 16 KiB each would be 320 MiB of a stranger's."""
    read = ReadBefore(TokenQuery.parse)
    token = mint("at", "c", 0).text
    short = f"client_id={UUID(int=0)}&client_secret={mint_client_secret()}&token={token}".encode()
    long = short + b"&token_type_hint=" + b"a" * 1024
    for body in (short, long):
        for _ in range(3):
            assert read.read(FORM, body, None).token is not None
    assert len(read._requests) == 1

"""Claims about form-encoded parameters."""

from urllib.parse import quote_from_bytes, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.oauth.errors import OAuthError
from app.oauth.parameters import parse_form, parse_query

TEXT = st.text().filter(lambda text: "\0" not in text)


def complaint(body: bytes) -> str:
    with pytest.raises(OAuthError) as caught:
        parse_form(body)
    assert (caught.value.code, caught.value.status) == ("invalid_request", 400)
    return caught.value.what


@given(st.dictionaries(TEXT.filter(bool), TEXT, max_size=20))
def test_encoded_parameters_read_back_without_the_empty_ones(parameters: dict[str, str]) -> None:
    """O-3, O-23, O-38: an empty value is an absent parameter, any other comes back unchanged."""
    sent = urlencode(parameters).encode()
    assert parse_form(sent) == {name: value for name, value in parameters.items() if value}


@given(st.binary(max_size=60))
def test_arbitrary_bytes_are_read_or_refused_as_invalid_request(raw: bytes) -> None:
    values, code = {"a": "b"}, "invalid_request"
    try:
        values = dict(parse_form(raw))
    except OAuthError as error:
        code = error.code
    assert code == "invalid_request"
    assert all(values.values())


@given(st.binary(min_size=1, max_size=60))
def test_value_is_any_utf_8_and_nothing_else(value: bytes) -> None:
    """R-37: a state of any UTF-8 is kept to the byte; NUL and other bytes are not guessed at."""
    parameters = parse_query(b"state=" + quote_from_bytes(value).encode())
    try:
        readable = b"\0" not in value and bool(value.decode())
    except UnicodeDecodeError:
        readable = False
    assert ("state" in parameters.malformed) == (not readable)
    assert parameters.values.get("state", "").encode() == (value if readable else b"")


@pytest.mark.parametrize("body", [b"", b"&", b"&&", b"a", b"a=", b"a&b=&", b"="])
def test_nothing_but_empty_parameters_is_no_parameter(body: bytes) -> None:
    """O-3, O-38."""
    assert parse_form(body) == {}


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"a=b=c", "b=c"),
        (b"a=+b", " b"),
        (b"a=%2B", "+"),
        (b"a=;b", ";b"),
        (b"a=%C3%A9", "é"),
        ("a=é".encode(), "é"),
    ],
)
def test_value_is_decoded_as_the_form_encoding_says(body: bytes, value: str) -> None:
    """O-36."""
    assert parse_form(body) == {"a": value}


@pytest.mark.parametrize(
    "body",
    [
        b"code=1&code=2",
        b"code=1&code=1",
        b"code=1&code=",
        b"code=&code",
        b"code=1&%63ode=2",
        b"code=1&x=y&code=%ff",
    ],
)
def test_repeated_parameter_is_refused_and_named(body: bytes) -> None:
    """O-5, O-38, R-34: also when one of the two is empty, unreadable or spelt otherwise."""
    assert complaint(body) == "code is sent more than once"


def test_neither_value_of_a_repeated_parameter_is_kept() -> None:
    """O-5: the other parameters are still there, to redirect the error with."""
    parameters = parse_query(b"state=1&client_id=x&state=2")
    assert parameters.values == {"client_id": "x"}
    assert parameters.repeated == {"state"}


@pytest.mark.parametrize(
    "value", [b"%", b"%2", b"%zz", b"a%2", b"%ff", b"\xff", b"%C3", b"%ED%A0%80", b"%C0%AF", b"%00", b"a\0"]
)
def test_badly_encoded_value_is_refused_and_named(value: bytes) -> None:
    """O-36."""
    assert complaint(b"client_id=x&code=" + value) == "code is too long or badly encoded"


@pytest.mark.parametrize("name", [b"%ff", b"%zz", b"a%00"])
def test_badly_encoded_name_is_refused(name: bytes) -> None:
    assert complaint(name + b"=1") == "a parameter is too long or badly encoded"


@pytest.mark.parametrize("name", ["Please call 0900 123", "x" * 33, "<b>", "größe"])
def test_name_a_stranger_could_write_as_a_message_is_not_repeated(name: str) -> None:
    """O-32."""
    body = urlencode([(name, "1"), (name, "2")]).encode()
    assert complaint(body) == "a parameter is sent more than once"


def test_unknown_parameter_is_no_fault() -> None:
    """O-4, O-38."""
    assert parse_form(b"code=1&utm_source=mail") == {"code": "1", "utm_source": "mail"}


TOO_MUCH = "more than 100 parameters, or more than 16384 bytes"


def test_number_and_size_of_parameters_are_bounded() -> None:
    hundred = b"&".join(b"p%d=1" % number for number in range(100))
    assert len(parse_form(hundred)) == 100
    assert complaint(hundred + b"&q=1") == TOO_MUCH
    assert len(parse_form(b"a=" + b"x" * (16 * 1024 - 2))["a"]) == 16 * 1024 - 2
    assert complaint(b"a=" + b"x" * (16 * 1024 - 1)) == TOO_MUCH

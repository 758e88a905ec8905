"""R-76, R-110: what arrives in parts or in many lines is put together once, and lists in header fields end somewhere."""

from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from starlette.requests import Request
from starlette.types import Message

from app.aemp.address.negotiation import choose_coding, negotiate
from app.aemp.model.bounds import MOST_PARTS
from app.flows.account.add_customer import check_password, check_person
from app.flows.account.sign_in import normal_email
from app.oauth.bounds import MOST_ACCEPT_PARTS
from app.oauth.signing import asks_for_jwt
from app.setting_kinds import parse_duration
from app.storage.schema.address import shown_address
from app.web.api.telemetry import MOST_BATCH_BYTES
from app.web.cookies import keep_own_cookies
from app.web.front.access_log import request_id_of
from app.web.pages.logo import _digest
from app.web.request import field_value, read_body
from app.web.wire import _read
from tests.cost.clock import assert_costs_at_most, assert_grows_no_faster, assert_passes_over_it
from tests.cost.oauth_readers import ABOVE, BELOW

_LINES = (b"a", b"a,b;q=1", b",")
Headers = list[tuple[bytes, bytes]]


def finish(coroutine: Coroutine[Any, Any, object]) -> object:
    """Its result, of one that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waits")


def body_in_parts(count: int) -> Callable[[], Coroutine[Any, Any, Message]]:
    parts: Iterator[Message] = (
        {"type": "http.request", "body": b"x", "more_body": number < count} for number in range(1, count + 1)
    )

    async def receive() -> Message:
        return next(parts)

    return receive


def scope_of(headers: Headers) -> dict[str, Any]:
    return {"type": "http", "path": "/app/oauth2/introspect", "client": ("192.0.2.1", 7), "headers": headers}


def put_together(count: int) -> object:
    """The body that comes in so many parts of one byte."""
    return finish(read_body(body_in_parts(count), most=MOST_BATCH_BYTES))


def test_a_body_of_many_parts_is_put_together_once() -> None:
    """R-75: each part added to all before would be copied as often as parts follow."""
    assert_grows_no_faster(put_together, 4_000, 40_000)
    assert put_together(1000) == b"x" * 1000


@pytest.mark.parametrize("value", _LINES)
def test_accept_lines_of_a_machine_endpoint_are_joined_once(value: bytes) -> None:
    """400,000 of them once took nine seconds."""

    def read(count: int) -> object:
        headers = [(b"accept", value)] * count
        return finish(_read(scope_of(headers), body_in_parts(1)))

    for few in (100, 1_000):
        assert_grows_no_faster(read, few, 10 * few)
    call = read(3)
    assert getattr(call, "accept", None) == b", ".join([value] * 3)


@pytest.mark.parametrize("name", [b"accept", b"accept-encoding", b"if-none-match"])
def test_lines_of_a_list_are_joined_once(name: bytes) -> None:
    def read(count: int) -> object:
        return field_value(Request(scope_of([(name, b"a,b")] * count)), name)

    for few in (100, 1_000):
        assert_grows_no_faster(read, few, 10 * few)


@pytest.mark.parametrize(
    "member", ["a/b,", "a/b;q=1,", 'a/b;x="c,d",', ",", ";", "application/token-introspection+jwt,"]
)
def test_lists_in_header_fields_cost_little_and_end_somewhere(member: str) -> None:
    """250,000 members once took three seconds, before any token was asked for."""
    for run, most in ((negotiate, MOST_PARTS), (choose_coding, MOST_PARTS)):
        assert_costs_at_most(run, member * (most // 2), seconds=0.01)
        assert_passes_over_it(run, member * 250_000, most=4)
    assert_costs_at_most(asks_for_jwt, member.encode() * (MOST_ACCEPT_PARTS // 2), seconds=0.01)
    assert_costs_at_most(asks_for_jwt, member.encode() * 10_000, seconds=0.01)


@pytest.mark.parametrize("unit", ["a=b;", ";", "a", '"\\', "rovi_session=x;", 'rovi_session="\\"'])
def test_cookies_are_read_in_the_time_of_their_length(unit: str) -> None:
    """16 KiB of quoted backslashes once took half a second, on a page that anybody may open."""

    def read(length: int) -> object:
        value = (unit * (length // len(unit))).encode()
        scope = scope_of([(b"cookie", b'rovi_session="' + value + b'"')])
        keep_own_cookies(scope)
        return Request(scope).cookies

    for few in (160, 1_600):
        assert_grows_no_faster(read, few, 10 * few)


@pytest.mark.parametrize(
    ("run", "unit"),
    [
        (check_password, "a"),
        (check_password, ABOVE + BELOW),
        (check_person, "a"),
        (check_person, " "),
        (check_person, ABOVE + BELOW),
        (normal_email, "A"),
        (normal_email, ABOVE + BELOW),
        (parse_duration, "1"),
        (shown_address, "postgresql://a:b@c/"),
        (_digest, "a"),
    ],
)
def test_what_else_is_read_takes_no_longer_than_it_grows(run: Callable[[str], object], unit: str) -> None:
    for length in (200, 2_000):
        few = unit * (length // len(unit))
        assert_grows_no_faster(run, few, few * 10)


def test_many_request_ids_are_looked_at_once_each() -> None:
    def read(count: int) -> object:
        return request_id_of(scope_of([(b"x-request-id", b"!" * 64)] * count))

    assert_grows_no_faster(read, 1_000, 10_000)

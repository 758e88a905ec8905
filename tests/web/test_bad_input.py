"""Input that no library sends, on raw sockets: refused by its name, in its form, and nothing moves."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.context import Context
from tests.support.browser import Browser
from tests.support.changing import until
from tests.support.depth import examples
from tests.support.people import World
from tests.support.raw import RawAnswer, chunked, get, head, post, send
from tests.support.server import free_port, running_service
from tests.support.standing import assert_unchanged, state_of

TOKEN = b"/app/oauth2/token"
MEGABYTE = b"x" * 1_000_000
BASIC = b"Authorization: Basic " + b64encode(b"me:mine")
FORM = b"application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
async def port(
    context: Context, database_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[int]:
    """The port of a service in its own process, on the suite's stores, once its first round of upkeep is over.

    There is none where the suite's own process leads.
    """
    port, folder = free_port(), tmp_path_factory.mktemp("bad")
    settings, log = settings_for(database_url, redis_url, folder, log_level="info"), folder / "log"
    async with running_service(port=port, settings=settings, log=log):
        # maintained, or maintenance postponed
        await until(lambda: context.changes.leads.is_set() or "maint" in log.read_text())
        yield port


def settings_for(database_url: str, redis_url: str, data_dir: Path, **more: str) -> dict[str, str]:
    given = {
        "database_url": database_url,
        "redis_url": redis_url,
        "environment": "development",
        "data_dir": str(data_dir),
        "log_level": "error",
        **more,
    }
    return {f"ROVITRACKER_{name.upper()}": value for name, value in given.items()}


# Readable HTTP that no OAuth library sends: what was sent, and how it is told.
REFUSED = {
    "repeated parameter": (post(b"code=a&code=b"), 400, "invalid_request"),
    "repeated in another spelling": (post(b"code=a&%63ode=b"), 400, "invalid_request"),
    "both ways to authenticate": (post(b"client_id=a&client_secret=b", BASIC), 400, "invalid_request"),
    "two Authorization headers": (post(b"code=a", BASIC, BASIC), 400, "invalid_request"),
    "two content types": (post(b"code=a", b"Content-Type: application/json"), 400, "invalid_request"),
    "JSON": (post(b'{"code":"a"}', content_type=b"application/json"), 415, "invalid_request"),
    "multipart": (post(b"--x--", content_type=b"multipart/form-data; boundary=x"), 415, "invalid_request"),
    "no content type": (post(b"code=a", content_type=None), 415, "invalid_request"),
    "another charset": (post(b"code=a", content_type=FORM + b"; charset=utf-16"), 415, "invalid_request"),
    "no UTF-8": (post(b"code=\xe9"), 400, "invalid_request"),
    "overlong UTF-8": (post(b"code=%C0%AF"), 400, "invalid_request"),
    "half a percent": (post(b"code=%4"), 400, "invalid_request"),
    "no percent": (post(b"code=%zz"), 400, "invalid_request"),
    "NUL": (post(b"code=\0"), 400, "invalid_request"),
    "encoded NUL": (post(b"code=%00"), 400, "invalid_request"),
    "no body": (post(b""), 400, "invalid_request"),
    "200 parameters": (post(b"&".join(b"a%d=1" % n for n in range(200))), 400, "invalid_request"),
    "compressed": (post(b"\x1f\x8b\x08code=a", b"Content-Encoding: gzip"), 400, "invalid_request"),
    "a megabyte": (post(MEGABYTE), 413, "invalid_request"),
    "a megabyte in chunks": (chunked(b"f4240\r\n", MEGABYTE, b"\r\n0\r\n\r\n"), 413, "invalid_request"),
    "GET": (get(TOKEN + b"?code=a"), 405, "invalid_request"),
    "TRACE": (head(b"TRACE " + TOKEN), 405, "invalid_request"),
    "another address": (post(b"code=a", path=b"/app/oauth2/token/"), 404, "invalid_request"),
    "NUL behind the address": (post(b"code=a", path=TOKEN + b"%00"), 404, "invalid_request"),
    "credentials nobody has": (post(b"code=a", BASIC), 401, "invalid_client"),
    "15 KB of credentials": (
        post(b"code=a", b"Authorization: Basic " + MEGABYTE[:15_000]),
        431,
        "invalid_request",
    ),
    "in the query": (post(b"code=a", path=TOKEN + b"?client_id=a&client_secret=b"), 401, "invalid_client"),
    "as a proxy is asked": (post(b"code=a", path=b"http://evil.example" + TOKEN), 401, "invalid_client"),
    "encoded address": (post(b"code=a", path=b"/app/oauth2/%74oken"), 401, "invalid_client"),
    "HTTP/1.0": (head(b"GET " + TOKEN, version=b"1.0"), 405, "invalid_request"),
    "99 headers": (get(TOKEN, *(b"X%d: y" % n for n in range(99))), 405, "invalid_request"),
    "address of two slashes": (post(b"code=a", path=b"/" + TOKEN), 404, "page"),
    "address with dots": (post(b"code=a", path=b"/app/x/../oauth2/token"), 404, "page"),
    "the whole server": (head(b"OPTIONS *"), 404, "page"),
    "link with a line break": (get(b"/app/oauth2/authorize?client_id=%0d%0aX-Evil:%201"), 400, "page"),
    "link of 8 KB": (get(b"/app/oauth2/authorize?client_id=" + MEGABYTE[:8_000]), 400, "page"),
    "posted link of a megabyte": (post(MEGABYTE, path=b"/app/oauth2/authorize"), 413, "page"),
    "posted page of a megabyte": (post(MEGABYTE, path=b"/app/oauth2/consent"), 413, "page"),
}

# Requests that are HTTP, and too much of it.
EXCESSIVE = {
    "an address of a megabyte": (get(b"/app/oauth2/authorize?client_id=" + MEGABYTE), 414),
    "an address of 8 KiB and a byte": (get(b"/" + MEGABYTE[: 8 * 1024]), 414),
    "a megabyte of credentials": (post(b"code=a", b"Authorization: Basic " + MEGABYTE), 431),
    "a field of 16 KiB and a byte": (get(TOKEN, b"X: " + MEGABYTE[: 16 * 1024]), 431),
    "33 KB of fields": (get(TOKEN, *(b"X: " + MEGABYTE[:11_000] for _ in range(3))), 431),
    "101 fields": (get(TOKEN, *(b"X: y" for _ in range(100))), 431),
    "20,000 fields": (get(TOKEN, *(b"X%d: y" % n for n in range(20_000))), 431),
}

# Bytes that are no HTTP: the server refuses them before there is a request.
BROKEN = {
    "two lengths": post(b"code=a", b"Content-Length: 7"),
    "the same length twice": post(b"code=a", b"Content-Length: 6"),
    "length and chunks": post(b"code=a", b"Transfer-Encoding: chunked"),
    "a negative length": head(b"POST " + TOKEN, b"Content-Length: -1") + b"code=a",
    "a length with a sign": head(b"POST " + TOKEN, b"Content-Length: +6") + b"code=a",
    "a length of no number": head(b"POST " + TOKEN, b"Content-Length: " + b"9" * 30) + b"code=a",
    "another coding": head(b"POST " + TOKEN, b"Transfer-Encoding: xchunked") + b"6\r\ncode=a\r\n0\r\n\r\n",
    "garbage for a chunk": chunked(b"zz\r\ncode=a\r\n0\r\n\r\n"),
    "a chunk longer than it says": chunked(b"3\r\ncode=a\r\n0\r\n\r\n"),
    "a header folded": post(b"code=a", b"X-A: a\r\n b"),
    "a bare carriage return": post(b"code=a", b"X-A: a\rX-Evil: b"),
    "NUL in a header": post(b"code=a", b"X-A: a\0b"),
    "a blank before the colon": post(b"code=a", b"Content-Type : text/plain"),
    "bare line feeds": b"POST " + TOKEN + b" HTTP/1.1\nHost: x\nContent-Length: 0\n\n",
    "NUL in the address": get(b"/app/oauth2/\0token"),
    "bytes in the address": get(b"/app/oauth2/authorize?client_id=\xff"),
    "a blank in the address": get(b"/app/oauth2/authorize?client_id=a b"),
    "a link with a fragment": get(b"/app/oauth2/authorize?client_id=a#b"),
    "another method": head(b"STEAL " + TOKEN),
    "a tunnel": head(b"CONNECT evil.example:443"),
    "no host": b"GET " + TOKEN + b" HTTP/1.1\r\n\r\n",
    "two hosts": get(TOKEN, b"Host: localhost"),
    "another version": head(b"GET " + TOKEN, version=b"9.9"),
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(60),
    "nothing": bytes(100),
}


async def test_what_no_library_sends_is_refused_by_its_name_and_changes_nothing(
    port: int, context: Context, database_url: str, redis_url: str
) -> None:
    """O-5, O-35, O-36, O-37, O-38, O-45, O-46, O-47, O-57, O-58, R-34, R-75, R-76, R-77."""
    before = await state_of(context, database_url, redis_url)
    for name, (sent, status, told) in REFUSED.items():
        [answer] = await send(port, sent)
        assert (answer.status, answer.told) == (status, told), name
        assert answer.headers["cache-control"] == "no-store"
        assert not [each for each in answer.headers if "evil" in each or each == "server"], name
        assert b"evil" not in answer.body, name
        assert ("www-authenticate" in answer.headers) == (status == 401)
        assert (answer.headers.get("allow") == "POST") == (status == 405)
    assert_unchanged(before, await state_of(context, database_url, redis_url))


async def test_what_is_no_http_is_refused_with_nothing_told(
    port: int, context: Context, database_url: str, redis_url: str
) -> None:
    """R-77: of two readings of a request nobody gets to choose."""
    before = await state_of(context, database_url, redis_url)
    for name, sent in BROKEN.items():
        answers = await send(port, sent, answers=2)
        assert [(each.status, each.told) for each in answers] == [(400, "server")], name
        assert_ends(answers[0])
    assert_unchanged(before, await state_of(context, database_url, redis_url))


async def test_what_is_too_much_is_refused_before_it_is_a_request(port: int) -> None:
    """R-76: the bounds are counted as the bytes arrive."""
    for name, (sent, status) in EXCESSIVE.items():
        answers = await send(port, sent, answers=2)
        assert [(each.status, each.told) for each in answers] == [(status, "server")], name
        assert_ends(answers[0])


def assert_ends(answer: RawAnswer) -> None:
    """It tells nothing but what is wrong, and closes the connection."""
    told = {"content-type", "content-length", "connection", "date", "cache-control", "x-content-type-options"}
    assert set(answer.headers) <= told
    assert answer.headers["connection"] == "close"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_every_endpoint_of_forms_refuses_the_same_malformed_bodies(port: int) -> None:
    """O-36, O-38, O-58, O-87, O-98."""
    for path in (b"/app/oauth2/token", b"/app/oauth2/introspect", b"/app/oauth2/revoke"):
        for body, content_type, status in (
            (b"token=a&token=b&code=a&code=b", FORM, 400),
            (b"token=%ff&code=%ff", FORM, 400),
            (b"", FORM, 400),
            (b"{}", b"application/json", 415),
            (MEGABYTE, FORM, 413),
        ):
            [answer] = await send(port, post(body, path=path, content_type=content_type))
            assert (answer.status, answer.told) == (status, "invalid_request")


async def test_requests_sent_at_once_are_answered_in_their_order(port: int) -> None:
    """The last one ends the connection, and whatever is sent behind it is not read."""
    at_once = [
        (post(b"code=a"), 401),
        (post(b"code=a&code=b"), 400),
        (get(TOKEN), 405),
        (chunked(b"6\r\ncode=a\r\n", b"0\r\n\r\n"), 401),
        (post(b"{}", content_type=b"application/json"), 415),
        (post(b"x" * 20_000), 413),
        (get(b"/health/alive"), None),
    ]
    answers = await send(port, b"".join(sent for sent, _ in at_once), answers=len(at_once))
    assert [answer.status for answer in answers] == [status for _, status in at_once if status]


@pytest.mark.parametrize("coding", ["identity", "gzip"])
async def test_head_of_a_document_is_that_of_reading_it(coding: str, port: int, world: World) -> None:
    """RFC 9110 section 9.3.2: no body follows, so the next answer on the connection is read as what it is."""
    async with Browser(base_url=f"http://127.0.0.1:{port}") as browser:
        sent = {"Authorization": f"Bearer {await world.token(browser)}", "Accept-Encoding": coding}
        fields = [f"{name}: {value}".encode() for name, value in sent.items()]
        for path in ("/api/v2/Fleet/1", "/api/v1/Fleet/2", "/openapi.json", "/docs", "/app/oauth2/jwks"):
            read = await browser.http.get(path, headers=sent)
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
            writer.write(head(b"HEAD " + path.encode(), *fields) + get(b"/health/alive"))
            start, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[:-2]
            assert start.split(" ")[1] == str(read.status_code)
            told = httpx2.Headers(dict(line.split(": ", 1) for line in lines))
            for name in ("content-type", "content-length", "content-encoding", "etag"):
                assert told.get(name) == read.headers.get(name)
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
            writer.close()
            await writer.wait_closed()


async def test_state_and_client_id_split_no_header(port: int, world: World) -> None:
    """O-32, R-79: line breaks stay within the one header they are encoded in."""
    state = "a\r\nX-Evil: b\n\nSet-Cookie: c"
    [answer] = await send(port, get(world.authorize_url(state=state, response_type="token").encode()))
    assert answer.status == 303
    assert not {"x-evil", "set-cookie"} & set(answer.headers)
    assert parse_qs(urlsplit(answer.headers["location"]).query)["state"] == [state]


WHOLE = post(b"client_id=a&client_secret=b&code=c&grant_type=authorization_code", BASIC)


@given(start=st.integers(0, len(WHOLE)), removed=st.integers(0, 4), inserted=st.binary(max_size=8))
@examples(40)
async def test_a_request_altered_anywhere_is_a_request_or_is_refused(
    port: int, start: int, removed: int, inserted: bytes
) -> None:
    """R-76, R-77: never a fault of ours, and a connection that waits for more is nobody's."""
    altered = WHOLE[:start] + inserted + WHOLE[start + removed :]
    answers = await send(port, altered, patience_s=0.05)
    assert {answer.status for answer in answers} <= {400, 401, 404, 405, 408, 413, 415}


async def test_body_that_stops_half_way_holds_nobody_up(port: int) -> None:
    """R-86: and whoever waits behind it on another connection is served."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head(b"POST " + TOKEN, b"Content-Length: 100", content_type=FORM) + b"code=")
    await writer.drain()
    [answer] = await send(port, post(f"code={uuid4()}".encode()))
    assert answer.status == 401
    writer.close()

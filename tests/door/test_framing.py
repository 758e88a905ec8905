"""A message says once where it ends: if two parsers could differ, it is refused, and nothing after it is read."""

import asyncio

import orjson
import pytest
from starlette.types import Receive, Scope, Send

from tests.door.serving import Client, echo, on_own_loop, serving

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
NEXT = b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n"
OFFERS = [b"h2c", b"foo", b"TLS/1.0", b"websocket", b"WebSocket", b"h2c, websocket"]


def post(*fields: bytes, body: bytes = SMUGGLED, length: bool = True) -> bytes:
    lines = [b"POST /asked HTTP/1.1", b"Host: a", *fields]
    if length:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join([*lines, b"", body])


@pytest.mark.parametrize("offer", OFFERS)
@pytest.mark.parametrize("late", [False, True], ids=["at once", "body later"])
async def test_an_offered_upgrade_is_ignored_and_the_body_is_read(offer: bytes, *, late: bool) -> None:
    """R-77, RFC 9110 section 7.8: the body is never taken for another request."""
    async with serving(echo) as port, Client.to(port) as client:
        sent = post(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: " + offer, b"HTTP2-Settings: x")
        cut = len(sent) - len(SMUGGLED) if late else len(sent)
        client.say(sent[:cut])
        await asyncio.sleep(0.05 * late)
        client.say(sent[cut:], NEXT)
        status, _, body = await client.answer()
        assert (status, orjson.loads(body)["body"].encode()) == (200, SMUGGLED)
        assert orjson.loads((await client.answer())[2])["path"] == "/next"


async def test_upgrades_are_ignored_with_chunks_without_a_body_and_in_a_row() -> None:
    async with serving(echo) as port, Client.to(port) as client:
        chunked = post(
            b"Connection: upgrade", b"Upgrade: h2c", b"Transfer-Encoding: chunked",
            body=b"4\r\nbody\r\n0\r\n\r\n", length=False,
        )  # fmt: skip
        empty = b"GET /empty HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"
        client.say(chunked + empty + chunked + NEXT)
        told = [orjson.loads((await client.answer())[2]) for _ in range(4)]
    assert [(each["path"], each["body"]) for each in told] == [
        ("/asked", "body"), ("/empty", ""), ("/asked", "body"), ("/next", ""),
    ]  # fmt: skip
    assert not any("upgrade" in each["names"] for each in told)


async def test_an_offered_upgrade_is_read_whatever_the_segments() -> None:
    sent = post(b"Connection: Upgrade", b"Upgrade: h2c", body=b"body") + NEXT
    async with serving(echo) as port:
        for cut in range(1, len(sent)):
            async with Client.to(port) as client:
                client.say(sent[:cut])
                await asyncio.sleep(0.001)
                client.say(sent[cut:])
                paths = [orjson.loads((await client.answer())[2])["path"] for _ in range(2)]
            assert paths == ["/asked", "/next"], cut


REFUSED = {
    "a tunnel": b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
    "a tunnel with a body": b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\nContent-Length: 34\r\n\r\n",
    "HTTP/2.0": b"GET / HTTP/2.0\r\nHost: a\r\n\r\n",
    "HTTP/0.9": b"GET / HTTP/0.9\r\nHost: a\r\n\r\n",
    "no version": b"GET /\r\nHost: a\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    "two hosts in HTTP/1.0": b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
    "a host with a path": b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "a host with a name before it": b"GET / HTTP/1.1\r\nHost: me@a\r\n\r\n",
    "two hosts in one field": b"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n",
    "chunks in HTTP/1.0": b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two codings": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "length and chunks": post(b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
    "a fragment": b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n",
    "a length in the trailers": post(
        b"Transfer-Encoding: chunked", body=b"0\r\nContent-Length: 9\r\n\r\n", length=False
    ),
    "an end of the connection in the trailers": post(
        b"Transfer-Encoding: chunked", body=b"0\r\nConnection: close\r\n\r\n", length=False
    ),
}


@pytest.mark.parametrize("sent", REFUSED.values(), ids=REFUSED)
async def test_what_could_be_framed_differently_is_refused_and_nothing_after_it_is_read(sent: bytes) -> None:
    """R-77, R-78: one answer, and the connection ends."""
    async with serving(echo) as port, Client.to(port) as client:
        client.say(sent, SMUGGLED)
        await client.refused(400)


async def test_a_refusal_waits_for_the_answers_before_it() -> None:
    async with serving(echo) as port, Client.to(port) as client:
        client.say(NEXT, NEXT, REFUSED["no host"], SMUGGLED)
        assert [(await client.answer())[0] for _ in range(3)] == [200, 200, 400]
        assert await client.end() == b""


async def test_trailers_are_no_headers() -> None:
    """RFC 9110 section 6.5.1: a proxy judged the headers, and none of these."""
    async with serving(echo) as port, Client.to(port) as client:
        trailers = b"0\r\nAuthorization: Bearer x\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n"
        client.say(post(b"Transfer-Encoding: chunked", body=trailers, length=False), NEXT)
        assert orjson.loads((await client.answer())[2])["names"] == ["host", "transfer-encoding"]
        assert orjson.loads((await client.answer())[2])["path"] == "/next"


@pytest.mark.parametrize(
    ("data", "chunks", "status"),
    [(b"a", 1000, 200), (b"a", 4000, 400), (b"a" * 5, 4000, 200)],
    ids=["few of one byte", "many of one byte", "many of five"],
)
async def test_chunks_may_carry_little_more_than_their_data_besides(
    data: bytes, chunks: int, status: int
) -> None:
    """R-76: each costs its time, and thousands of the smallest would hold the loop up."""
    async with serving(echo) as port, Client.to(port) as client:
        chunk = b"%x\r\n%b\r\n" % (len(data), data)
        client.say(post(b"Transfer-Encoding: chunked", body=chunk * chunks + b"0\r\n\r\n", length=False))
        found, _, body = await client.answer()
        assert found == status
        if found == 200:
            assert orjson.loads(body)["body"].encode() == data * chunks
        else:
            assert b"too much besides data" in body


async def test_nothing_is_read_behind_the_last_request_of_a_connection() -> None:
    """RFC 9112 section 9.6."""
    async with serving(echo) as port:
        for last in (b"HTTP/1.1\r\nHost: a\r\nConnection: close", b"HTTP/1.0\r\nConnection: keep-alive"):
            async with Client.to(port) as client:
                client.say(b"GET /last ", last, b"\r\n\r\n", SMUGGLED)
                assert orjson.loads((await client.answer())[2])["path"] == "/last"
                assert await client.end() == b""


async def test_http_1_0_needs_no_host() -> None:
    """HAProxy checks that way."""
    async with serving(echo) as port, Client.to(port) as client:
        client.say(b"GET /checked HTTP/1.0\r\n\r\n")
        assert orjson.loads((await client.answer())[2])["path"] == "/checked"


@pytest.mark.parametrize(
    ("target", "path"),
    [(b"http://other:81/a?b", "/a"), (b"http://other", "/"), (b"*", "*"), (b"//a", "//a"), (b"/%41", "/A")],
)
async def test_every_form_of_target_leads_to_its_path(target: bytes, path: str) -> None:
    """RFC 9112 section 3.2."""
    async with serving(echo) as port, Client.to(port) as client:
        client.say(b"OPTIONS " + target + b" HTTP/1.1\r\nHost: a\r\n\r\n")
        assert orjson.loads((await client.answer())[2])["path"] == path


async def test_the_ninth_waiting_request_is_not_read() -> None:
    """R-76: those begun are answered, then the connection ends."""
    async with serving(echo) as port, Client.to(port) as client:
        client.say(NEXT * 1000)
        answers = [await client.answer() for _ in range(9)]
        assert [each[0] for each in answers] == [200] * 9
        assert answers[-1][1]["connection"] == "close"
        assert await client.end() == b""


async def test_a_waiting_request_keeps_what_has_come_of_its_body() -> None:
    """The answer before it is given while half of it is there."""

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.1)
        await echo(scope, receive, send)

    async with serving(slow) as port, Client.to(port) as client:
        sent = post(body=b"whole")
        client.say(NEXT, sent[:-2])
        assert (await client.answer())[0] == 200
        client.say(sent[-2:])
        assert orjson.loads((await client.answer())[2])["body"] == "whole"


@on_own_loop
async def test_nothing_is_done_for_a_client_that_does_not_read_until_it_does() -> None:
    """R-74, R-76: requests wait for room to answer them, keep their order, and a refusal still comes last."""
    begun: list[str] = []

    async def long(scope: Scope, _receive: Receive, send: Send) -> None:
        begun.append(scope["path"])
        headers = [(b"content-length", b"20000000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": scope["path"].encode() * 10_000_000})

    async with serving(long) as port, Client.to(port) as client:
        client.say(*(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in (1, 2)))
        await asyncio.sleep(0.2)
        client.say(b"GET /3 HTTP/1.1\r\nHost: a\r\n\r\n", b"no HTTP at all\r\n\r\n")
        await asyncio.sleep(0.1)
        assert begun == ["/1"]
        for number in (1, 2, 3):
            status, _, body = await client.answer()
            assert (status, body[:2]) == (200, b"/%d" % number)
        assert (await client.answer())[0] == 400
        assert begun == ["/1", "/2", "/3"]


async def test_a_client_that_has_said_all_still_gets_its_answers() -> None:
    """It closed its half of the connection, and reads."""
    async with serving(echo) as port, Client.to(port) as client:
        client.say(NEXT, post(body=b"whole"))
        client.writer.write_eof()
        assert [orjson.loads((await client.answer())[2])["body"] for _ in range(2)] == ["", "whole"]
        assert await client.end() == b""


@pytest.mark.parametrize("size", [10, 40, 70])
async def test_a_request_that_ends_before_it_is_whole_is_told_so(size: int) -> None:
    async with serving(echo) as port, Client.to(port) as client:
        client.say(post()[:size])
        client.writer.write_eof()
        await client.refused(400)


async def test_a_refused_client_that_goes_on_sending_reads_why() -> None:
    """Bytes left unread when a connection is cut would reset it, and the answer with it."""
    async with serving(echo) as port:
        for _ in range(20):
            async with Client.to(port) as client:
                client.say(b"GET /" + b"a" * 200_000, b" HTTP/1.1\r\nHost: a\r\n\r\n")
                assert (await client.answer())[0] == 414
                assert await client.end() == b""

"""Attacks on where a body ends: lengths, codings, chunks, trailers, and bodies that somebody waits for."""

from collections.abc import Iterator

from tests.door.corpus.attack import (
    ALIVE,
    FORM,
    HIDDEN,
    HOST,
    READ,
    SMUGGLED,
    Attack,
    chunked,
    framed,
    get,
    head,
    post,
    refused,
)

_LAST = b"0\r\n\r\n"
_CODED = b"%x\r\n%b\r\n" % (len(FORM), FORM)
_LENGTH = len(FORM)

_LENGTHS = (
    b"+34",
    b"-1",
    b"-0",
    b"0x22",
    b"3 4",
    b"34,34",
    b"34, 34",
    b"34, 0",
    b"34;",
    b"34.0",
    b"3e1",
    b"\xb34",
    b"34\0",
    b"34\x0b",
    b"34\x0c",
    b"",
    b" ",
    b"x",
    b"9" * 30,
    b"18446744073709551650",  # 34 in 64 bits
    b"4294967330x",
)
_CODINGS = (
    b"xchunked",
    b"chunkedx",
    b"chunked, chunked",
    b"chunked,chunked",
    b"chunked, gzip",
    b"gzip, chunked",
    b"gzip",
    b"identity",
    b"chunked\t",
    b"chunked \t ",
    b"identity, chunked",
    b"chunked, identity",
    b"chunked;q=1",
    b'"chunked"',
    b"chunked,",
    b", chunked",
    b"chunked\x0b",
    b"\x0bchunked",
    b"chunked\0",
    b"chun\tked",
    b"",
)
_CHUNKED = b"Transfer-Encoding: chunked"
# Each is the whole body behind `Transfer-Encoding: chunked`.
_BROKEN_CHUNKS = {
    "no number": b"zz\r\n" + FORM + b"\r\n" + _LAST,
    "no size": b"\r\n" + FORM + b"\r\n" + _LAST,
    "a negative size": b"-22\r\n" + FORM + b"\r\n" + _LAST,
    "a size with a plus": b"+22\r\n" + FORM + b"\r\n" + _LAST,
    "a size with 0x": b"0x22\r\n" + FORM + b"\r\n" + _LAST,
    "a size with an h": b"22h\r\n" + FORM + b"\r\n" + _LAST,
    "a size with an underscore": b"2_2\r\n" + FORM + b"\r\n" + _LAST,
    "a blank before the size": b" 22\r\n" + FORM + b"\r\n" + _LAST,
    "a tab before the size": b"\t22\r\n" + FORM + b"\r\n" + _LAST,
    "a blank in the size": b"2 2\r\n" + FORM + b"\r\n" + _LAST,
    "17 digits": b"1" + b"0" * 16 + b"\r\n" + FORM + b"\r\n" + _LAST,
    "a size that wraps round": b"10000000000000022\r\n" + FORM + b"\r\n" + _LAST,
    "a size that is too small": b"3\r\n" + FORM + b"\r\n" + _LAST,
    "no line end behind the data": b"22\r\n" + FORM + _LAST,
    "a bare line feed behind the data": b"22\r\n" + FORM + b"\n" + _LAST,
    "a bare carriage return behind the data": b"22\r\n" + FORM + b"\r" + _LAST,
    "a bare line feed behind the size": b"22\n" + FORM + b"\r\n" + _LAST,
    "a bare carriage return behind the size": b"22\rx\n" + FORM + b"\r\n" + _LAST,
    "a bare line feed behind the last size": _CODED + b"0\n\r\n",
    "a bare line feed at the end": _CODED + b"0\r\n\n",
    "NUL in an extension": b"22;a=\0\r\n" + FORM + b"\r\n" + _LAST,
    "a line feed in an extension": b"22;a=b\nx\r\n" + FORM + b"\r\n" + _LAST,
    "a carriage return in an extension": b"22;a=b\rx\r\n" + FORM + b"\r\n" + _LAST,
    "NUL in a trailer": _CODED + b"0\r\nX-A: a\0b\r\n\r\n",
    "a trailer folded": _CODED + b"0\r\nX-A: a\r\n b\r\n\r\n",
    "a trailer without a name": _CODED + b"0\r\n: a\r\n\r\n",
    "a trailer without a colon": _CODED + b"0\r\nX-A\r\n\r\n",
    "a trailer with a blank before the colon": _CODED + b"0\r\nX-A : a\r\n\r\n",
    "a trailer ended by a bare line feed": _CODED + b"0\r\nX-A: a\n\r\n",
}
_GOOD_CHUNKS = {
    "capitals": b"2A\r\n" + FORM + b"&d=12345" + b"\r\n" + _LAST,
    "leading zeros": b"000022\r\n" + FORM + b"\r\n" + _LAST,
    "a long last size": _CODED + b"0000\r\n\r\n",
    "an extension": b"22;a=b\r\n" + FORM + b"\r\n0;c\r\n\r\n",
    "a quoted extension": b'22;a="b;c"\r\n' + FORM + b"\r\n" + _LAST,
    "an extension of 1 KB": b"22;a=" + b"b" * 1000 + b"\r\n" + FORM + b"\r\n" + _LAST,
    "a chunk for each byte": b"".join(b"1\r\n%c\r\n" % byte for byte in FORM) + _LAST,
}
_FORBIDDEN_TRAILERS = (
    b"Content-Length: 5",
    b"Transfer-Encoding: chunked",
    b"Host: elsewhere.example",
    b"Connection: close",
    b"Upgrade: h2c",
)
# Each would change the answer, were it a field of the head.
_UNHEARD_TRAILERS = (
    b"Authorization: Basic bWU6bWluZQ==",
    b"Content-Type: application/json",
    b"Content-Encoding: gzip",
    b"X-Forwarded-For: 203.0.113.9",
    b"X-Request-Id: " + SMUGGLED,
    b"X-Checksum: 1",
    b"Expect: 100-continue",
)


def _lengths() -> Iterator[Attack]:
    for length in _LENGTHS:
        yield refused(f"length {length!r}", framed(b"Content-Length: " + length))
        yield refused(
            f"length {length!r} for HTTP/1.0", framed(b"Content-Length: " + length, version=b"HTTP/1.0")
        )
    for second in (b"34", b"0", b"99", b""):
        two = (b"Content-Length: 34", b"Content-Length: " + second)
        yield refused(f"lengths 34 and {second.decode()!r}", framed(*two))
        yield refused(f"lengths {second.decode()!r} and 34", framed(*two[::-1]))
    yield refused("length in two spellings", framed(b"Content-Length: 34", b"content-length: 34"))
    yield refused("a length with a blank before the colon", framed(b"Content-Length : 34"))
    yield refused("a length folded", framed(b"Content-Length:\r\n 34"))
    yield refused("a length of a get that is none", get(b"Content-Length: x"))
    yield Attack("length with blanks", framed(b"Content-Length: \t 34 \t"), (READ,))
    yield Attack("length with zeros", framed(b"Content-Length: 0034"), (READ,))
    yield Attack("body of a get", get(b"Content-Length: %d" % len(HIDDEN)) + HIDDEN, (200,))
    yield Attack(
        "body of a get in chunks", get(_CHUNKED) + b"%x\r\n%b\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN), (200,)
    )
    yield Attack("no length", framed(body=b""), (400,))
    yield Attack("no length and a request", framed(body=get()), (400, 200))
    yield Attack("no length and a form", framed(), (400, 400), closes=True)
    huge = b"Content-Length: " + b"9" * 19
    yield Attack("a length of ten exabytes", framed(huge, body=b"x" * 20_000), (413,), closes=True)


def _codings() -> Iterator[Attack]:
    coded = _CODED + _LAST
    for coding in _CODINGS:
        yield refused(f"coding {coding!r}", framed(b"Transfer-Encoding: " + coding, body=coded))
    yield refused("two codings", framed(_CHUNKED, _CHUNKED, body=coded))
    yield refused(
        "two codings, one of them none", framed(_CHUNKED, b"Transfer-Encoding: identity", body=coded)
    )
    yield refused("two codings, the other way", framed(b"Transfer-Encoding: identity", _CHUNKED, body=coded))
    yield refused(
        "a coding with a blank before the colon", framed(b"Transfer-Encoding : chunked", body=coded)
    )
    yield refused("a coding with a tab before the colon", framed(b"Transfer-Encoding\t: chunked", body=coded))
    yield refused("a coding behind a blank", framed(b"X: y", b" Transfer-Encoding: chunked", body=coded))
    yield refused("a coding folded", framed(b"Transfer-Encoding:\r\n chunked", body=coded))
    yield refused(
        "a coding folded after a name", framed(b"Transfer-Encoding: xchunked\r\n chunked", body=coded)
    )
    yield refused("a coding in HTTP/1.0", chunked(version=b"HTTP/1.0"))
    yield refused("chunks and a length", chunked(b"Content-Length: 34"))
    yield refused("a length and chunks", framed(b"Content-Length: 34", _CHUNKED, body=coded))
    yield refused("a length of nothing and chunks", framed(b"Content-Length: 0", _CHUNKED, body=coded))
    yield refused(
        "a length and a coding of none", framed(b"Content-Length: 34", b"Transfer-Encoding: identity")
    )
    yield Attack("chunked in capitals", framed(b"Transfer-Encoding: CHUNKED", body=coded), (READ,))
    yield Attack("chunked with blanks", framed(b"Transfer-Encoding: \t  chunked  ", body=coded), (READ,))
    yield Attack("an encoding of the content", post(b"Content-Encoding: chunked"), (READ,))
    yield Attack("a coding that is wanted back", post(b"TE: trailers, chunked"), (READ,))


def _chunks() -> Iterator[Attack]:
    for name, body in _BROKEN_CHUNKS.items():
        yield refused(f"chunks: {name}", framed(_CHUNKED, body=body))
    for name, body in _GOOD_CHUNKS.items():
        yield Attack(f"good chunks: {name}", framed(_CHUNKED, body=body), (READ,))
    for trailer in _FORBIDDEN_TRAILERS:
        yield refused(f"trailer {trailer.decode()}", chunked(trailers=trailer + b"\r\n"))
        among = b"X-A: b\r\n" + trailer.swapcase() + b"\r\nX-C: d\r\n"
        yield refused(f"trailer {trailer.decode()} among others", chunked(trailers=among))
    for trailer in _UNHEARD_TRAILERS:
        yield Attack(f"trailer {trailer.decode()}", chunked(trailers=trailer + b"\r\n"), (READ,))
    yield refused("an endless extension", framed(_CHUNKED, body=b"22;" + b"x" * 300_000))
    yield refused("endless extensions", framed(_CHUNKED, body=(b"1;" + b"x" * 38 + b"\r\na\r\n") * 8_000))


_WAITING = (
    Attack("wait to be told to go on", post(b"Expect: 100-continue"), (READ,)),
    Attack("wait in capitals", post(b"Expect: 100-Continue"), (READ,)),
    Attack("wait in chunks", chunked(b"Expect: 100-continue"), (READ,)),
    Attack("wait with a request for a body", post(b"Expect: 100-continue", body=HIDDEN), (READ,)),
    Attack("wait without a body", get(b"Expect: 100-continue"), (200,)),
    Attack("wait in HTTP/1.0", post(b"Expect: 100-continue", version=b"HTTP/1.0"), (READ,), closes=True),
    Attack("close, and a request behind it", post(b"Connection: close") + HIDDEN, (READ,), closes=True),
    Attack("close among others", get(b"Connection: x, close, y") + HIDDEN, (200,), closes=True),
    Attack("HTTP/1.0, and a request behind it", post(version=b"HTTP/1.0") + HIDDEN, (READ,), closes=True),
    Attack("three in order", post() + get() + chunked(), (READ, 200, READ)),
    Attack("a fault behind two", post() + get() + b"\0", (READ, 200, 400), closes=True),
    Attack(
        "a fault in the body behind two",
        post() + get() + framed(_CHUNKED, body=b"x\r\n"),
        (READ, 200, 400),
        closes=True,
    ),
    Attack("a body of 20 KB", post(body=b"x" * 20_000), (413,), closes=True),
    Attack("a body of a megabyte", post(body=b"x" * 1_000_000), (413,), closes=True),
    Attack("a body of a megabyte in chunks", chunked(chunks=(b"x" * 1_000_000,)), (413,), closes=True),
    Attack("a body of 20 KB behind one", get() + post(body=b"x" * 20_000), (200, 413), closes=True),
    Attack(
        "a body for nobody", head(b"POST /nowhere HTTP/1.1", HOST, b"Content-Length: 99") + b"x" * 99, (404,)
    ),
    Attack(
        "a request in a body for nobody",
        head(b"PUT " + ALIVE + b" HTTP/1.1", HOST, b"Content-Length: %d" % len(HIDDEN)) + HIDDEN,
        (405,),
    ),
)

ATTACKS = (*_lengths(), *_codings(), *_chunks(), *_WAITING)

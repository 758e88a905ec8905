"""Offers to speak another protocol, which are never taken: the message goes on as HTTP (RFC 9110 section 7.8)."""

from collections.abc import Iterator

from tests.door.corpus.attack import (
    ALIVE,
    FORM,
    FORM_TYPE,
    HIDDEN,
    HOST,
    READ,
    TOKEN,
    Attack,
    chunked,
    framed,
    get,
    head,
    post,
    refused,
)

OFFER = b"Connection: Upgrade"
H2C = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQAAP__")
WEBSOCKET = (
    OFFER,
    b"Upgrade: websocket",
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    b"Sec-WebSocket-Version: 13",
)
HTTP_2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

_OFFERED = (b"h2c", b"foo", b"TLS/1.0", b"websocket", b"WebSocket", b"h2c, websocket", b"HTTP/2.0", b"")
# The first part of a request whose body would be the next honest one.
_SWALLOW = head(b"POST " + TOKEN + b" HTTP/1.1", HOST, FORM_TYPE, b"Content-Length: 5000")
_BODIES = {
    "nothing": b"",
    "a form": FORM,
    "a request": HIDDEN,
    "40 requests": HIDDEN * 40,  # a proxy that has much to pass on does so in pieces
    "20 requests and one that swallows": HIDDEN * 20 + _SWALLOW,
}
# How the same offer may be written.
_SPELLINGS = {
    "in lower case": (b"connection: upgrade", b"upgrade: h2c"),
    "before the connection": (b"Upgrade: h2c", OFFER),
    "among other options": (b"Connection: keep-alive, Upgrade", b"Upgrade: h2c"),
    "in two connection fields": (b"Connection: keep-alive", OFFER, b"Upgrade: h2c"),
    "in two upgrade fields": (OFFER, b"Upgrade: h2c", b"Upgrade: websocket"),
    "with blanks": (b"Connection: \t Upgrade \t", b"Upgrade: \t h2c \t"),
    "without a connection option": (b"Upgrade: h2c",),
    "without a protocol": (OFFER,),
    "with settings": H2C,
    "to be a socket": WEBSOCKET,
    "with settings in two fields": (*H2C, b"HTTP2-Settings: AAMAAABkAAQAAP__"),
}


def _offers() -> Iterator[Attack]:
    for offered in _OFFERED:
        fields, name = (OFFER, b"Upgrade: " + offered), offered.decode() or "nothing"
        for kind, body in _BODIES.items():
            answer = READ if body else 400
            yield Attack(f"offer {name}, post {kind}", post(*fields, body=body), (answer,))
            if body:
                yield Attack(
                    f"offer {name}, post {kind} in a chunk", chunked(*fields, chunks=(body,)), (READ,)
                )
        yield Attack(f"offer {name}, get", get(*fields), (200,))
        yield Attack(
            f"offer {name}, get with a body",
            get(*fields, b"Content-Length: %d" % len(HIDDEN)) + HIDDEN,
            (200,),
        )


def _spellings() -> Iterator[Attack]:
    for name, fields in _SPELLINGS.items():
        yield Attack(f"offer {name}, post", post(*fields), (READ,))
        yield Attack(f"offer {name}, post a request", post(*fields, body=HIDDEN), (READ,))
        yield Attack(f"offer {name}, get", get(*fields), (200,))


_MIXED = (
    Attack("offer behind a request", post() + post(*H2C), (READ, READ)),
    Attack("offer before a request", post(*H2C) + post(), (READ, READ)),
    Attack(
        "offer, and offer again", post(*H2C, body=HIDDEN) + get(*H2C) + post(*WEBSOCKET), (READ, 200, READ)
    ),
    Attack("offer in the middle", get() + chunked(*H2C, chunks=(HIDDEN, FORM)) + get(), (200, READ, 200)),
    Attack("offer and end", post(b"Connection: Upgrade, close", b"Upgrade: h2c"), (READ,), closes=True),
    Attack("offer in HTTP/1.0", post(*H2C, version=b"HTTP/1.0"), (READ,), closes=True),
    Attack("offer, and wait to be told to go on", post(*H2C, b"Expect: 100-continue"), (READ,)),
    Attack("offer, and speak HTTP/2 at once", get(*H2C) + HTTP_2, (200, 400), closes=True),
    Attack("offer, post, and speak HTTP/2", post(*H2C) + HTTP_2, (READ, 400), closes=True),
    Attack(
        "offer, and send a frame of a socket", get(*WEBSOCKET) + b"\x81\x05hello", (200, 400), closes=True
    ),
    Attack("offer with trailers", chunked(*H2C, trailers=b"X-Checksum: 1\r\n"), (READ,)),
    refused("offer with two lengths", post(*H2C, b"Content-Length: 1")),
    refused("offer with a length and chunks", chunked(*H2C, b"Content-Length: 5")),
    refused(
        "offer with another coding", framed(*H2C, b"Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n")
    ),
    refused("offer without a host", head(b"GET " + ALIVE + b" HTTP/1.1", *H2C)),
    refused("offer with two hosts", get(*H2C, HOST)),
    refused(
        "offer with a bad chunk", framed(*H2C, b"Transfer-Encoding: chunked", body=b"zz\r\nx\r\n0\r\n\r\n")
    ),
    refused("offer in HTTP/2.0", post(*H2C, version=b"HTTP/2.0")),
    refused("offer with too many fields", get(*H2C, *(b"X: y" for _ in range(97))), 431),
    refused("offer and a tunnel", head(b"CONNECT localhost:443 HTTP/1.1", HOST, *H2C)),
)

ATTACKS = (*_offers(), *_spellings(), *_MIXED)

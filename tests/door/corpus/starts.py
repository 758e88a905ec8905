"""The first line and the host: methods, targets, versions, tunnels, and names of a server that are none."""

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
    get,
    head,
    post,
    refused,
)

_VERSIONS = (
    b"HTTP/2.0",
    b"HTTP/3.0",
    b"HTTP/0.9",
    b"HTTP/1.2",
    b"HTTP/1.9",
    b"HTTP/9.9",
    b"HTTP/1.10",
    b"HTTP/1.01",
    b"HTTP/01.1",
    b"HTTP/11",
    b"HTTP/1",
    b"HTTP/1.",
    b"HTTP/.1",
    b"HTTP/",
    b"HTTP",
    b"http/1.1",
    b"Http/1.1",
    b"HTTPS/1.1",
    b"HTTP/1.1 ",
    b"HTTP/1.1\t",
    b"HTTP/1.1 HTTP/1.1",
    b"HTTP /1.1",
    b"HTTP/1 .1",
    b"HTTP/1.-1",
    b"HTTP/1.1x",
    b"ICE/1.0",
)
_METHODS = (
    b"get",
    b"Get",
    b"GETT",
    b"GE",
    b"G",
    b"",
    b"G\0ET",
    b"G,T",
    b"G(T",
    b"\xc3\x89",
    b"GET\t",
    b" GET",
)
# Not a name, an IPv4 address or a bracketed IPv6 one with or without a port (RFC 3986 section 3.2).
_NO_HOSTS = (
    b"user@localhost",
    b"user:password@localhost",
    b"localhost/path",
    b"localhost?query",
    b"localhost#fragment",
    b"local host",
    b"local\thost",
    b"localhost, localhost",
    b"localhost:80:80",
    b"localhost:port",
    b"localhost:-1",
    b"localhost:+80",
    b"localhost:123456",
    b"http://localhost",
    b"local\\host",
    b"<localhost>",
    b'"localhost"',
    b"local\x7fhost",
    b"local\x01host",
    b"local\0host",
    b"local\xffhost",
    b"l\xc3\xb6calhost",
    b"[::1",
    b"::1]",
    b"::1",
    b"[::1]x",
    b"[]",
    b"[localhost]@",
    b"x" * 256,
)
_HOSTS = (
    b"localhost",
    b"LOCALHOST",
    b"localhost:8000",
    b"localhost:",
    b"127.0.0.1",
    b"[::1]",
    b"[::1]:8000",
    b"my_host",
    b"a-b.example.",
    b" \t  localhost  ",
    b"localhost\t",
    b"",  # RFC 9110 section 7.2: a target without a name has an empty one
)


def _starts() -> Iterator[Attack]:
    for version in _VERSIONS:
        name = version.decode()
        yield refused(f"get in version {name!r}", get(version=version))
        yield refused(f"post in version {name!r}", post(version=version, body=HIDDEN))
    for method in _METHODS:
        yield refused(f"method {method!r}", head(method + b" " + ALIVE + b" HTTP/1.1", HOST))


def _hosts() -> Iterator[Attack]:
    start = b"GET " + ALIVE + b" HTTP/1."
    for host in _NO_HOSTS:
        yield refused(f"host {host[:40]!r}", head(start + b"1", b"Host: " + host))
        yield refused(f"host {host[:40]!r} in HTTP/1.0", head(start + b"0", b"Host: " + host))
    for host in _HOSTS:
        yield Attack(f"good host {host!r}", head(start + b"1", b"Host: " + host), (200,))
    yield refused("no host", head(start + b"1"))
    yield refused("no host, post", head(b"POST " + TOKEN + b" HTTP/1.1", b"Content-Length: 9") + b"client_id")
    yield refused("no host, absolute target", head(b"GET http://localhost/health/alive HTTP/1.1"))
    yield refused("the same host twice", get(HOST))
    yield refused("two hosts", get(b"Host: elsewhere"))
    yield refused("two hosts, one empty", get(b"Host:"))
    yield refused("two hosts in another case", get(b"hOST: localhost"))
    yield refused("three hosts, far apart", get(*(b"X: y",) * 50, HOST, HOST))
    yield refused("two hosts in HTTP/1.0", get(HOST, version=b"HTTP/1.0"))
    yield Attack("no host in HTTP/1.0", head(start + b"0"), (200,), closes=True)
    yield Attack("host in HTTP/1.0", get(version=b"HTTP/1.0"), (200,), closes=True)
    yield Attack(
        "keep alive in HTTP/1.0",
        head(start + b"0", b"Connection: keep-alive"),
        (200,),
        closes=True,
    )
    form = (FORM_TYPE, b"Content-Length: %d" % len(FORM))
    posted = head(b"POST " + TOKEN + b" HTTP/1.0", *form) + FORM
    yield Attack("post without a host in HTTP/1.0", posted, (READ,), closes=True)


_TARGETS = (
    Attack("absolute target", get(target=b"http://localhost" + ALIVE), (200,)),
    Attack("absolute target elsewhere", get(target=b"http://elsewhere.example:81" + ALIVE), (200,)),
    Attack("absolute target without a path", get(target=b"http://localhost"), (200,)),
    Attack("absolute target in capitals", get(target=b"HTTP://LOCALHOST" + ALIVE), (200,)),
    Attack("the whole server", head(b"OPTIONS * HTTP/1.1", HOST), (404,)),
    Attack("get the whole server", get(target=b"*"), (404,)),
    Attack("two slashes", get(target=b"//localhost" + ALIVE), (404,)),
    Attack("a query with everything", get(target=ALIVE + b"?a=b&c;d=/?:@!$'()*+,=%00%0d%0a"), (200,)),
    Attack("encoded line breaks", get(target=b"/%0d%0aX-Evil:%201"), (404,)),
    refused("target of a name and a port", get(target=b"localhost:443")),
    refused("target of a name", get(target=b"localhost")),
    refused("target without a slash", get(target=b"health/alive")),
    refused("target of a query", get(target=b"?health")),
    refused("absolute target without a name", get(target=b"http:///health/alive")),
    refused("no target", b"GET HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    refused("empty target", b"GET  HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    refused("target with a fragment", get(target=ALIVE + b"#x")),
    refused("absolute target with a fragment", get(target=b"http://localhost" + ALIVE + b"#x")),
    refused("query with a fragment", get(target=ALIVE + b"?x#y")),
    refused("target with a blank", get(target=ALIVE + b"?a b")),
    refused("target with a tab", get(target=ALIVE + b"?a\tb")),
    refused("target with NUL", get(target=ALIVE + b"?a\0b")),
    refused("target with DEL", get(target=ALIVE + b"?a\x7fb")),
    refused("target with a control", get(target=ALIVE + b"?a\x1bb")),
    refused("target with UTF-8", get(target=ALIVE + b"?\xc3\xa9")),
    refused("target with Latin-1", get(target=ALIVE + b"?\xe9")),
    refused("target with a carriage return", get(target=ALIVE + b"?a\rb")),
    refused("target with a line feed", get(target=ALIVE + b"?a\nb")),
    # RFC 9112 section 3 lets a server take several blanks for one; nobody could read another target.
    Attack("two blanks before the target", get(target=b" " + ALIVE), (200,)),
    Attack("two blanks before the version", get(version=b" HTTP/1.1"), (200,)),
    refused("a tab before the version", b"GET " + ALIVE + b"\tHTTP/1.1\r\nHost: localhost\r\n\r\n"),
    refused("no version", b"GET " + ALIVE + b"\r\n\r\n"),
    refused("no version, with a host", b"GET " + ALIVE + b"\r\nHost: localhost\r\n\r\n"),
)

_TUNNELS = (
    refused("tunnel", head(b"CONNECT elsewhere.example:443 HTTP/1.1", b"Host: elsewhere.example:443")),
    refused("tunnel to us", head(b"CONNECT localhost:8000 HTTP/1.1", HOST)),
    refused("tunnel of a path", head(b"CONNECT " + ALIVE + b" HTTP/1.1", HOST)),
    refused("tunnel of an absolute target", head(b"CONNECT http://localhost" + ALIVE + b" HTTP/1.1", HOST)),
    refused("tunnel of everything", head(b"CONNECT * HTTP/1.1", HOST)),
    refused(
        "tunnel with a body", head(b"CONNECT localhost:80 HTTP/1.1", HOST, b"Content-Length: 5") + b"hello"
    ),
    refused("tunnel with a request in it", head(b"CONNECT localhost:80 HTTP/1.1", HOST) + HIDDEN),
    refused("tunnel in HTTP/1.0", head(b"CONNECT localhost:80 HTTP/1.0")),
    refused(
        "tunnel with chunks",
        head(b"CONNECT localhost:80 HTTP/1.1", HOST, b"Transfer-Encoding: chunked") + b"0\r\n\r\n",
    ),
    Attack(
        "tunnel behind a request",
        get() + head(b"CONNECT localhost:80 HTTP/1.1", HOST),
        (200, 400),
        closes=True,
    ),
)

_OTHER_PROTOCOLS = (
    refused("HTTP/2's preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    refused("HTTP/2's preface and settings", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"),
    refused("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(60)),
    refused("NULs", bytes(100)),
    # The parser takes these for HTTP of the same version, and so reads them to the same end.
    Attack("streams", head(b"DESCRIBE rtsp://localhost/ RTSP/1.0", b"CSeq: 1"), (405,), closes=True),
    Attack("streams, get", get(version=b"RTSP/1.0"), (200,), closes=True),
    Attack("streams, post", post(version=b"RTSP/1.1", body=HIDDEN), (READ,)),
    refused("streams of another version", get(version=b"RTSP/2.0")),
    refused("streams without a host", head(b"GET " + ALIVE + b" RTSP/1.1")),
    Attack("a source of sound", head(b"SOURCE " + ALIVE + b" ICE/1.0", HOST), (405,), closes=True),
    Attack("a source of sound in HTTP", head(b"SOURCE " + ALIVE + b" HTTP/1.1", HOST), (405,)),
    refused("the PROXY protocol", b"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n" + get()),
    refused("the PROXY protocol, binary", b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0" + get()),
    refused("an answer", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    refused("mail", b"EHLO localhost\r\n"),
    refused("Valkey", b"*1\r\n$4\r\nPING\r\n"),
)

ATTACKS = (*_starts(), *_hosts(), *_TARGETS, *_TUNNELS, *_OTHER_PROTOCOLS)

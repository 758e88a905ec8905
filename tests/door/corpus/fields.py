"""Lines and fields of a head: line ends, controls, names that are none, and more of all of it than is read."""

from collections.abc import Iterator

from tests.door.corpus.attack import ALIVE, HOST, READ, Attack, get, head, post, refused

_START = b"GET " + ALIVE + b" HTTP/1.1"
_KIB = 1024
# Each stands where a field of the head would.
_NO_FIELDS = (
    b"X",
    b"X y",
    b": y",
    b":",
    b" X: y",
    b"\tX: y",
    b"X : y",
    b"X\t: y",
    b"X y: z",
    b"X\0: y",
    b"X\x01: y",
    b"X\x7f: y",
    b"X\xff: y",
    b"\xc3\x89: y",
    b"X(: y",
    b"X/: y",
    b"X@: y",
    b'X": y',
    b"X: y\0z",
    b"X: \0",
    b"X: y\x01z",
    b"X: y\x0bz",
    b"X: y\x7fz",
    b"X: y\x1b[2J",
    b"X: y\rz",
    b"X: y\r",
    b"X: y\nz",
    b"X: y\nTransfer-Encoding: chunked",
    b"X: y\rTransfer-Encoding: chunked",
    b"X: y\r\n z",
    b"X: y\r\n\tz",
    b"X:\r\n y",
)
_FIELDS = (
    b"X:",
    b"X: ",
    b"X:y",
    b"X: \t y \t ",
    b"X: a:b",
    b"X: \xe9\xff",
    b"!#$%&'*+-.^_`|~09aZ: y",
    b"X: y\tz",
)


def _fields() -> Iterator[Attack]:
    for field in _NO_FIELDS:
        yield refused(f"field {field!r}", get(field))
        yield refused(f"field {field!r} of a post", post(field))
        yield refused(f"first field {field!r}", head(_START, field, HOST))
    for field in _FIELDS:
        yield Attack(f"good field {field!r}", post(field), (READ,))


_LINES = (
    refused("line feeds alone", _START + b"\nHost: localhost\n\n"),
    refused("a line feed behind the first line", _START + b"\nHost: localhost\r\n\r\n"),
    refused("a line feed behind a field", _START + b"\r\nHost: localhost\nX: y\r\n\r\n"),
    refused("a line feed behind the last field", _START + b"\r\nHost: localhost\n\r\n"),
    refused("a line feed at the end", _START + b"\r\nHost: localhost\r\n\n"),
    refused("carriage returns alone", _START + b"\rHost: localhost\r\r"),
    refused("a carriage return behind the first line", _START + b"\rHost: localhost\r\n\r\n"),
    refused("a carriage return behind a field", _START + b"\r\nHost: localhost\rX: y\r\n\r\n"),
    refused("a carriage return at the end", _START + b"\r\nHost: localhost\r\n\rX"),
    refused("two carriage returns", _START + b"\r\r\nHost: localhost\r\n\r\n"),
    refused("a blank before the request", b" " + get()),
    refused("a tab before the request", b"\t" + get()),
    refused("a blank line with a blank", b" \r\n" + get()),
    refused("a byte order mark", b"\xef\xbb\xbf" + get()),
    refused("a blank line behind the first line, and a field", _START + b"\r\n\r\nHost: localhost\r\n\r\n"),
    # RFC 9112 section 2.2 lets a server pass over empty lines here; half of one says nothing either.
    Attack("an empty line before the request", b"\r\n" + get(), (200,)),
    Attack("a carriage return before the request", b"\r" + get(), (200,)),
    Attack("a line feed before the request", b"\n" + get(), (200,)),
    Attack("four empty lines before the request", b"\r\n" * 4 + get(), (200,)),
    Attack("an empty line between requests", post() + b"\r\n" + get(), (READ, 200)),
    refused("40 KB of empty lines", b"\r\n" * 20_000 + get()),
    Attack(
        "40 KB of empty lines behind a request", get() + b"\r\n" * 20_000 + get(), (200, 400), closes=True
    ),
)


def _path(size: int) -> bytes:
    """A target of so many bytes that is nobody's."""
    return b"/" + b"x" * (size - 1)


_SIZES = (
    Attack("target of 8 KiB", get(target=_path(8 * _KIB)), (404,)),
    refused("target of 8 KiB and a byte", get(target=_path(8 * _KIB + 1)), 414),
    refused("query of 8 KiB and a byte", get(target=ALIVE + b"?" + _path(8 * _KIB - len(ALIVE))), 414),
    refused("target of 9 KB in HTTP/1.0", get(target=_path(9_000), version=b"HTTP/1.0"), 414),
    refused("target of 100 KB", get(target=_path(100_000)), 414),
    refused("target of a megabyte", get(target=_path(1_000_000)), 414),
    refused("target without an end", b"GET " + _path(100_000), 414),
    Attack("field of 16 KiB", get(b"X: " + b"y" * (16 * _KIB - 1)), (200,)),
    refused("field of 16 KiB and a byte", get(b"X: " + b"y" * (16 * _KIB)), 431),
    refused("name of 16 KiB", get(b"X" * (16 * _KIB) + b": y"), 431),
    refused("field of 17 KiB in HTTP/1.0", get(b"X: " + b"y" * (17 * _KIB), version=b"HTTP/1.0"), 431),
    refused("field of 40 KB", get(b"X: " + b"y" * 40_000), 431),
    refused("field of a megabyte", get(b"X: " + b"y" * 1_000_000), 431),
    refused("field without an end", _START + b"\r\nX: " + b"y" * 100_000, 431),
    refused("name without an end", _START + b"\r\n" + b"X" * 100_000, 431),
    Attack("head of 31 KB", get(*(b"X: " + b"y" * 7_700 for _ in range(4))), (200,)),
    refused("head of 33 KiB", get(*(b"X: " + b"y" * 11 * _KIB for _ in range(3))), 431),
    refused("head of 60 KB in 60 fields", get(*(b"X: " + b"y" * 1_000 for _ in range(60))), 431),
    refused("head of 33 KiB with a body", post(*(b"X: " + b"y" * 11 * _KIB for _ in range(3))), 431),
    Attack("100 fields", get(*(b"X: y" for _ in range(99))), (200,)),
    refused("101 fields", get(*(b"X: y" for _ in range(100))), 431),
    refused("101 fields, empty ones", get(*(b"X:" for _ in range(100))), 431),
    refused("101 fields of a post", post(*(b"X: y" for _ in range(98))), 431),
    refused("20,000 fields", get(*(b"X%d: y" % n for n in range(20_000))), 431),
    refused("fields without an end", _START + b"\r\n" + b"X: y\r\n" * 20_000, 431),
    Attack(
        "101 fields behind a request", post() + get(*(b"X: y" for _ in range(100))), (READ, 431), closes=True
    ),
    Attack("a long target behind a request", post() + get(target=_path(9_000)), (READ, 414), closes=True),
)

ATTACKS = (*_fields(), *_LINES, *_SIZES)

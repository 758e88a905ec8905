"""A document as it is sent: compressed for clients that ask, and not at all to those that have it."""

import sys
from struct import pack
from zlib import crc32

from isal.igzip import compress as compress_gzip
from isal.isal_zlib import decompress as decompress_gzip
from starlette.requests import Request

from app.aemp.address.negotiation import Coding
from app.aemp.model.errors import AempError
from app.web.answer import Answer, Headers
from app.web.api.entity_tag import entity_tag, is_known
from app.web.api.negotiated import coding_of
from app.web.api.rate_limit import rate_headers
from app.web.api.wanted import Form
from app.web.cross_origin import reading_headers
from app.web.request import field_value

if sys.version_info >= (3, 14):
    from compression.zstd import compress as compress_zstd
    from compression.zstd import decompress as decompress_zstd
else:
    from backports.zstd import compress as compress_zstd
    from backports.zstd import decompress as decompress_zstd

_VARY = (b"vary", b"Accept, Accept-Encoding")
_CACHED = (b"cache-control", b"private, no-cache")
# A page of 100 machines, 155 KB, becomes 15 KB in 0.09 ms by gzip and 12 KB in 0.17 ms by zstd.
_GZIP_LEVEL, _ZSTD_LEVEL = 2, 3
_GZIP_WBITS = 31  # with gzip's own head and end

_GZIP_HEAD = b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x01"  # no name, no time, any system; a last block that is stored
_LARGEST_BLOCK = 0xFFFF  # bytes that gzip stores in one
_ZSTD_HEAD = b"\x28\xb5\x2f\xfd\xa0"  # one segment, no checksum


def answer_document(request: Request, form: Form, body: bytes) -> Answer:
    """Private, and asked again each time, which is cheap: what a client has is answered 304 (RFC 9110 section 15.4.5)."""
    tag = entity_tag(body, form.coding)
    if is_known(field_value(request, b"if-none-match"), tag):
        return answer_not_modified(request, tag)
    return answer_finished(request, form, tag, encode(body, form.coding))


def answer_not_modified(request: Request, tag: str) -> Answer:
    return Answer(304, b"", _headers(request, tag))


def answer_finished(request: Request, form: Form, tag: str, body: bytes) -> Answer:
    """body: as it is sent."""
    headers = [*_headers(request, tag), (b"content-type", form.representation.value.encode())]
    if form.coding:
        headers.append((b"content-encoding", form.coding.encode()))
    return Answer(200, body, headers)


def encode(body: bytes, coding: Coding | None) -> bytes:
    return _compress(body, coding) if coding else body


def decode(sent: bytes, coding: Coding | None) -> bytes:
    """What was encoded here, in a fifth of the time that it took to compress."""
    if coding is None:
        return sent
    return decompress_zstd(sent) if coding == "zstd" else decompress_gzip(sent, _GZIP_WBITS)


def _headers(request: Request, tag: str) -> Headers:
    return [
        (b"etag", tag.encode()),
        _VARY,
        _CACHED,
        *rate_headers(request),
        *reading_headers(request.scope["path"]),
    ]


def answer_refusal(request: Request, status: int, body: bytes, headers: Headers) -> Answer:
    """An error document, coded as any other: whoever asks for gzip unzips what comes, whatever that is."""
    try:
        coding = coding_of(field_value(request, b"accept-encoding"))
    except AempError:  # the list is too long, which may be the very error
        coding = None
    headers = [*headers, _VARY]
    if coding:
        headers.append((b"content-encoding", coding.encode()))
        body = _frame(body, coding) if len(body) <= _LARGEST_BLOCK else _compress(body, coding)
    return Answer(status, body, headers)


def _frame(body: bytes, coding: Coding) -> bytes:
    """A short body in the frame of a coding, as one block that is not compressed.

    Each refusal has its own reference, so none can be remembered, and a flood of them is compressed by nobody: gzip takes
    8 µs of each and zstd 14, this one less than one. It also leaves refusals that are alike equally long.
    """
    size = len(body)
    if coding == "zstd":  # RFC 8878 section 3.1.1: four bytes of size, and a last block that is raw
        return b"%b%b%b%b" % (_ZSTD_HEAD, pack("<L", size), pack("<L", size << 3 | 1)[:3], body)
    # RFC 1951 section 3.2.4, RFC 1952 section 2.3
    return b"%b%b%b%b" % (_GZIP_HEAD, pack("<HH", size, size ^ 0xFFFF), body, pack("<LL", crc32(body), size))


def _compress(body: bytes, coding: Coding) -> bytes:
    """Compress a body of any size: a client of a large maker fails on what is not compressed."""
    if coding == "zstd":
        return compress_zstd(body, level=_ZSTD_LEVEL)
    return compress_gzip(body, compresslevel=_GZIP_LEVEL, mtime=0)

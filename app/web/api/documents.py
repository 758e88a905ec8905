"""A document as it is sent: compressed for clients that ask, and not at all to those that have it."""

import sys
from gzip import compress as compress_gzip

from starlette.requests import Request
from starlette.responses import Response

from app.aemp.address.negotiation import Coding, Representation, choose_coding
from app.web.api.entity_tag import entity_tag, is_known
from app.web.api.rate_limit import rate_headers
from app.web.cross_origin import reading_headers
from app.web.request import field_value

if sys.version_info >= (3, 14):
    from compression.zstd import compress as compress_zstd
else:
    from backports.zstd import compress as compress_zstd

# Below this a compressed answer is hardly smaller and costs both sides time.
_WORTH_COMPRESSING = 1000
# A page of 100 machines, 154 KB, becomes 16 KB in 0.7 ms by gzip and 14 KB in 0.14 ms by zstd.
_GZIP_LEVEL, _ZSTD_LEVEL = 4, 3


def answer_document(request: Request, representation: Representation, body: bytes) -> Response:
    """Private, and asked again each time, which is cheap: what a client has is answered 304 (RFC 9110 section 15.4.5)."""
    accepted = field_value(request, "accept-encoding")
    coding = choose_coding(accepted) if len(body) > _WORTH_COMPRESSING else None
    tag = entity_tag(body, coding)
    headers = {
        "ETag": tag,
        "Vary": "Accept, Accept-Encoding",
        "Cache-Control": "private, no-cache",
        **rate_headers(request),
        **reading_headers(request.scope["path"]),
    }
    if is_known(field_value(request, "if-none-match"), tag):
        return Response(status_code=304, headers=headers)
    headers["Content-Type"] = representation.value
    if coding:
        body = _compress(body, coding)
        headers["Content-Encoding"] = coding
    return Response(body, headers=headers)


def _compress(body: bytes, coding: Coding) -> bytes:
    if coding == "zstd":
        return compress_zstd(body, level=_ZSTD_LEVEL)
    return compress_gzip(body, compresslevel=_GZIP_LEVEL, mtime=0)

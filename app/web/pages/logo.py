"""Logos of applications: our own re-encoded pictures, under the digest of their bytes."""

from starlette.requests import Request
from starlette.responses import Response

from app.oauth.errors import PageError
from app.storage.people.applications import select_logo
from app.web.request import context_of

_DIGEST_LENGTH = 64  # hexadecimal digits

_HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
}


async def logo(request: Request) -> Response:
    """GET /app/logo/{digest}.png, the digest in hexadecimal."""
    digest = _digest(request.path_params["digest"])
    png = await select_logo(context_of(request).database, digest) if digest else None
    if png is None:
        raise PageError("There is no such picture", "The address is wrong, or the picture was replaced.", 404)
    return Response(png, media_type="image/png", headers=_HEADERS)


def _digest(text: str) -> bytes | None:
    if len(text) != _DIGEST_LENGTH:
        return None
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None

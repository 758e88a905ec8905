"""Logos of applications: our own re-encoded pictures, under the digest of their bytes."""

from starlette.requests import Request
from starlette.responses import Response

from app.context import Context
from app.oauth.errors import PageError
from app.sentence import Sentence
from app.storage.people.logos import select_logo
from app.throttling.look_up import in_turn
from app.web.request import address_of, context_of

_DIGEST_LENGTH = 64  # hexadecimal digits

_HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
}


async def logo(request: Request) -> Response:
    """GET /app/logo/{digest}.png, the digest in hexadecimal."""
    digest = _digest(request.path_params["digest"])
    png = await _find(context_of(request), digest, address_of(request.scope)) if digest else None
    if png is None:
        raise PageError(
            Sentence("There is no such picture"),
            Sentence("The address is wrong, or the picture was replaced."),
            404,
        )
    return Response(png, media_type="image/png", headers=_HEADERS)


async def _find(context: Context, digest: bytes, address: str) -> bytes | None:
    """A digest that was made up costs a store its answer too. Raises OAuthError 429 when an address made up too many."""
    asker = f"logos from {address}"
    png = await in_turn(context.failures, asker, select_logo(context.database, digest))
    if png is None:
        context.failures.note(asker)
    return png


def _digest(text: str) -> bytes | None:
    if len(text) != _DIGEST_LENGTH:
        return None
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None

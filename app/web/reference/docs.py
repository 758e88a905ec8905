"""The documentation page for integrators: the way in five steps, and every address a program may ask."""

from starlette.requests import Request
from starlette.responses import Response

from app.web.pages.render import page
from app.web.paths import OPENAPI
from app.web.reference.introduction import NOTES, STEPS, SUMMARY, TITLE
from app.web.reference.page import read_elements, read_reference, rich
from app.web.request import context_of


async def docs(request: Request) -> Response:
    """Asks no store, and nobody who reads it: it is the same for everyone."""
    issuer = context_of(request).policy.issuer
    return page(
        request,
        "docs.html",
        title=TITLE,
        summary=SUMMARY,
        issuer=issuer,
        openapi_url=OPENAPI,
        steps=[(step.what, rich(step.how)) for step in STEPS],
        notes=[rich(note) for note in NOTES],
        sections=read_reference(issuer),
        elements=read_elements(issuer),
    )

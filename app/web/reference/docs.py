"""The documentation page for integrators: the way in five steps, and every address a program may ask."""

from functools import cache

from starlette.requests import Request
from starlette.responses import Response

from app.web.error_pages import ERRORS, anchor_of
from app.web.pages.render import render, send_page
from app.web.paths import OPENAPI
from app.web.reference.introduction import NOTES, STEPS, SUMMARY, TITLE
from app.web.reference.page import read_elements, read_reference, rich
from app.web.request import context_of


async def docs(request: Request) -> Response:
    """Asks no store, and nobody who reads it: it is the same for everyone."""
    policy = context_of(request).policy
    return send_page(request, _rendered(policy.issuer, development=policy.development))


@cache
def _rendered(issuer: str, *, development: bool) -> bytes:
    """Rendered once: those who ask again, or never read their answers, cost no rendering and share one copy."""
    return render(
        "docs.html",
        development=development,
        title=TITLE,
        summary=SUMMARY,
        issuer=issuer,
        openapi_url=OPENAPI,
        steps=[(step.what, rich(step.how)) for step in STEPS],
        notes=[rich(note) for note in NOTES],
        sections=read_reference(issuer),
        elements=read_elements(issuer),
        errors=[
            (anchor_of(code), code, rich(each.meaning), rich(each.remedy)) for code, each in ERRORS.items()
        ],
    )

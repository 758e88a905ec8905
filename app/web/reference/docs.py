"""The documentation page for integrators: the way in five steps, and every address a program may ask."""

from functools import cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope

from app.context import Context
from app.web.error_pages import ERRORS, anchor_of
from app.web.pages.render import page_headers, render
from app.web.paths import OPENAPI, REGISTER
from app.web.reference.introduction import NOTES, STEPS, SUMMARY, TITLE
from app.web.reference.page import read_elements, read_reference, rich
from app.web.request import context_of
from app.web.wire import Answer, as_response, spelt


async def answer_docs(context: Context, _scope: Scope, _receive: Receive) -> Answer:
    """Asks no store, and nobody who reads it: it is the same for everyone."""
    policy = context.policy
    html = _rendered(policy.issuer, development=policy.development)
    headers = {"Content-Type": "text/html; charset=utf-8", **page_headers(policy)}
    return Answer(200, html, spelt(headers))


async def docs(request: Request) -> Response:
    return as_response(await answer_docs(context_of(request), request.scope, request.receive))


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
        register_url=REGISTER,
        steps=[(step.what, rich(step.how)) for step in STEPS],
        notes=[rich(note) for note in NOTES],
        sections=read_reference(issuer),
        elements=read_elements(issuer),
        errors=[
            (anchor_of(code), code, rich(each.meaning), rich(each.remedy)) for code, each in ERRORS.items()
        ],
    )

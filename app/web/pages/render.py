"""Our own pages: rendered from templates, and sent with the headers that keep them ours."""

import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.storage.people.applications import Application
from app.storage.people.people import Member
from app.web.paths import LOGO
from app.web.request import NO_STORE, context_of

_HERE = Path(__file__).parent
STATIC = _HERE / "static"

_templates = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

# `static_files` lets browsers keep files asked for under this name for ever; it changes with any of them.
ASSET_VERSION = hashlib.sha256(
    b"".join(file.read_bytes() for file in sorted(STATIC.rglob("*")) if file.is_file())
).hexdigest()[:12]

_HEADERS = {
    **NO_STORE,
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def page(
    request: Request,
    template: str,
    *,
    status: int = 200,
    signed_in: Member | None = None,
    to_application: bool = False,
    **values: Any,
) -> Response:
    """to_application: whether a form of this page leads to an application in the end."""
    development = context_of(request).policy.development
    html = render(template, development=development, status=status, signed_in=signed_in, **values)
    return send_page(request, html, status=status, to_application=to_application)


def render(
    template: str, *, development: bool, status: int = 200, signed_in: Member | None = None, **values: Any
) -> bytes:
    """Fill a template in. A page that is the same for everybody is rendered once, and then only sent."""
    html = _templates.get_template(template).render(
        status=status, development=development, signed_in=signed_in, asset_version=ASSET_VERSION, **values
    )
    return html.encode()


def send_page(request: Request, html: bytes, *, status: int = 200, to_application: bool = False) -> Response:
    headers = {**_HEADERS, "Content-Security-Policy": _policy(to_application=to_application)}
    if context_of(request).policy.secure:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return HTMLResponse(html, status, headers)


def see_other(location: str, *, to_application: bool = False) -> Response:
    """303, so that a form's fields are never posted on (RFC 9700 section 4.12).

    to_application: the address we came from holds the flow; the application's site must not read it.
    """
    referrer = "no-referrer" if to_application else "same-origin"
    return RedirectResponse(location, 303, {**NO_STORE, "Referrer-Policy": referrer})


def shown(application: Application) -> dict[str, str | None]:
    """An application as the templates name it."""
    digest = application.logo_digest
    return {
        "name": application.client.name,
        "company": application.client.company,
        "logo_url": LOGO.format(digest=digest.hex()) if digest else None,
    }


def _policy(*, to_application: bool) -> str:
    # Chromium holds form-action against every redirect behind a form, also those of the application, which may lead on to
    # any origin. So only pages whose forms end here have it. The others have escaped texts, and no script to change a form.
    form_action = "" if to_application else "form-action 'self'; "
    return (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
        f"{form_action}frame-ancestors 'none'"
    )

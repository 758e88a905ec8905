"""Our own pages: rendered from templates, and sent with the headers that keep them ours."""

import hashlib
from datetime import UTC
from http import HTTPStatus
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.language.languages import ENGLISH, Language
from app.language.templates import Templates
from app.language.zones import zone_named
from app.policy import Policy
from app.storage.people.applications import Application
from app.storage.people.people import Person
from app.web.pages.browser import keep_browser
from app.web.pages.language import keep_language, language_form, language_of
from app.web.paths import LOGO
from app.web.request import NO_STORE, context_of

_HERE = Path(__file__).parent
STATIC = _HERE / "static"

TEMPLATES = Templates(_HERE / "templates")

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
    signed_in: Person | None = None,
    reader: Person | None = None,
    to_application: bool = False,
    scripted: bool = False,
    back_to: str | None = None,
    **values: Any,
) -> Response:
    """signed_in: the person that the page greets. reader: the one whose time zone it is in, where it greets nobody.

    to_application: whether a form of this page leads to an application in the end. scripted: whether a file of ours runs.
    back_to: where the choice of a language leads when the page answers a form, so that no address shows it again.
    """
    language, policy = language_of(request, signed_in), context_of(request).policy
    # A bug may lie anywhere, so the page that tells of one does as little as it can.
    choice = language_form(request, back_to) if status < HTTPStatus.INTERNAL_SERVER_ERROR else None
    html = render(
        template,
        language,
        development=policy.development,
        status=status,
        signed_in=signed_in,
        reader=reader,
        languages=choice,
        scripted=scripted,
        **values,
    )
    headers = {
        **page_headers(policy, to_application=to_application, scripted=scripted),
        "Content-Language": language.code,
        "Vary": "Accept-Language, Cookie",
    }
    response = HTMLResponse(html, status, headers)
    if choice:
        keep_browser(request, response)
        keep_language(request, response, signed_in)
    return response


def render(
    template: str,
    language: Language = ENGLISH,
    *,
    development: bool,
    status: int = 200,
    signed_in: Person | None = None,
    reader: Person | None = None,
    scripted: bool = False,
    **values: Any,
) -> bytes:
    """Fill a template in. A page that is the same for everybody is rendered once, and then only sent."""
    reader = signed_in or reader
    html = TEMPLATES.fill(
        template,
        language,
        zone_named(reader.time_zone) if reader else UTC,
        status=status,
        development=development,
        signed_in=signed_in,
        scripted=scripted,
        asset_version=ASSET_VERSION,
        **values,
    )
    return html.encode()


def page_headers(policy: Policy, *, to_application: bool = False, scripted: bool = False) -> dict[str, str]:
    content = _content_policy(to_application=to_application, scripted=scripted)
    headers = {**_HEADERS, "Content-Security-Policy": content}
    if policy.secure:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return headers


def see_other(location: str, *, to_application: bool = False) -> Response:
    """303, so that a form's fields are never posted on (RFC 9700 section 4.12).

    to_application: the address we came from holds the flow; the application's site must not read it.
    """
    referrer = "no-referrer" if to_application else "same-origin"
    return RedirectResponse(location, 303, {**NO_STORE, "Referrer-Policy": referrer})


def shown(application: Application) -> dict[str, str | None]:
    """An application as the templates name it."""
    client = application.client
    return named(client.name, client.company, application.logo_digest)


def named(name: str, company: str, logo_digest: bytes | None) -> dict[str, str | None]:
    """The same of one that is not stored so, or not yet."""
    logo_url = LOGO.format(digest=logo_digest.hex()) if logo_digest else None
    return {"name": name, "company": company, "logo_url": logo_url}


def _content_policy(*, to_application: bool, scripted: bool) -> str:
    # Chromium holds form-action against every redirect behind a form, also those of the application, which may lead on to
    # any origin. So only pages whose forms end here have it. The others have escaped texts, and no script but ours.
    form_action = "" if to_application else "form-action 'self'; "
    script = "script-src 'self'; connect-src 'self'; " if scripted else ""
    return (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
        f"{script}{form_action}frame-ancestors 'none'"
    )

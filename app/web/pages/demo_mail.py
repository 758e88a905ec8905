"""Mails of development, shown instead of sent."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app.mail.kept import KeptMail, read_kept
from app.oauth.errors import PageError
from app.sentence import Sentence
from app.web.pages.render import page
from app.web.paths import PASSWORD_FORGOTTEN
from app.web.request import context_of

_MOST_SHOWN = 50


async def mails(request: Request) -> Response:
    context = context_of(request)
    if not context.policy.development:
        raise PageError(
            Sentence("There is no demo here"), Sentence("Mails are shown in development mode only."), 404
        )
    outgoing = context.outgoing
    kept = read_kept(outgoing.folder, most=_MOST_SHOWN) if outgoing.folder else ()
    return page(
        request,
        "demo_mail.html",
        mails=[_shown(mail, context.policy.issuer) for mail in kept],
        server=outgoing.server.shown if outgoing.server else None,
        folder=str(outgoing.folder),
        password_url=PASSWORD_FORGOTTEN,
    )


def _shown(mail: KeptMail, issuer: str) -> dict[str, Any]:
    """lines: each with where it leads, if it is a link of ours."""
    lines = [(line, line if line.startswith(f"{issuer}/") else None) for line in mail.text.splitlines()]
    return {
        "file": mail.file,
        "recipient": mail.recipient,
        "subject": mail.subject,
        "date": mail.date,
        "lines": lines,
    }

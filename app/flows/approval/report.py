"""Report an application to the operators: their mail names who reports what, and the audit trail keeps the reason."""

import re
import unicodedata
from uuid import UUID

from app.context import Context
from app.flows.account.prove import FieldError
from app.flows.account.rights import require_right
from app.flows.approval.terms import NO_CONNECTION, ConnectionChangedError
from app.flows.bounds import LONGEST_REPORT
from app.flows.mail.queue_mail import queue_mail
from app.oauth.actor import Actor
from app.refused import ToldError
from app.sentence import Sentence
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.token.connections import select_connection
from app.throttling.mails import reported_by_account

MOST_REPORTS = 5  # of one account a day
# Whoever reads a report must not be led anywhere by it.
_LINK = re.compile(r"(?:[a-z][a-z0-9+.-]{1,20}://|www\.|mailto:)\S*", re.IGNORECASE)
_LINE_BREAKS = re.compile(r"\r\n?|\n{3,}")
_CONTROLS = ("Cc", "Cs", "Co", "Cn")
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # of the writing direction


class ReportError(ToldError):
    """Why a report is not taken now."""

    code = "too_many_reports"
    status = 429
    title = Sentence("This report was not sent")


async def report_application(
    context: Context, actor: Actor, customer_id: UUID, application_id: UUID, reason: str
) -> None:
    """Queue the mail to the operators, and write the reason to the audit trail; both happen, or neither.

    Raises FieldError at a reason that is none, ReportError when nobody takes reports (409) or the account sent as many as
    a day takes (429), RoleError for a stranger, and ConnectionChangedError (404) when the application is not connected.
    """
    to = context.policy.support_email
    if to is None:
        raise ReportError(
            Sentence("RoviTracker takes no reports here. Disconnect the application, and call your contact."),
            code="no_reports",
            status=409,
        )
    text = _check_reason(reason)
    async with context.database.transaction() as transaction:
        await require_right(transaction, actor, customer_id, "look")
        found = await select_connection(transaction, customer_id, application_id)
        if found is None or not found.connected:
            raise ConnectionChangedError(NO_CONNECTION, code="no_connection", status=404)
        event = AuditEvent(
            "connection.reported",
            actor,
            application_id=application_id,
            customer_id=customer_id,
            detail={"reason": text},
        )
        about = {
            "customer": customer_id,
            "application": application_id,
            "event": await insert_audit_event(transaction, event),
        }
        if actor.id is not None:
            about["person"] = actor.id
        cause = reported_by_account(customer_id, MOST_REPORTS)
        if (
            await queue_mail(context, transaction, "connection_reported", to=to, about=about, cause=cause)
            is None
        ):
            raise ReportError(
                Sentence(
                    "Your account sent %(most)s reports within a day, which is as many as are taken. Try again tomorrow.",
                    most=MOST_REPORTS,
                )
            )


def _check_reason(text: str) -> str:
    """Plain text of bounded length, its links taken out. Raises FieldError."""
    reason = _LINE_BREAKS.sub("\n", text.strip()) if len(text) <= 2 * LONGEST_REPORT else text
    if not reason:
        raise FieldError("reason", Sentence("Say what is wrong, in a few words."))
    if len(reason) > LONGEST_REPORT:
        raise FieldError("reason", Sentence("Use at most %(most)s characters.", most=LONGEST_REPORT))
    if any(
        letter != "\n" and (unicodedata.category(letter) in _CONTROLS or letter in _TURNS)
        for letter in reason
    ):
        raise FieldError(
            "reason", Sentence("Use letters, signs and line breaks alone: it holds a control character.")
        )
    return _LINK.sub("[link]", reason)

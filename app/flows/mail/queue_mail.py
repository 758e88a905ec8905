"""Queue a mail in the transaction that causes it: both happen, or neither."""

from collections.abc import Mapping
from uuid import UUID

import structlog

from app.context import Context
from app.mail.letters import Template
from app.oauth.token_string import new_id
from app.storage.mail.outbox import insert_mail
from app.storage.postgres.database import Transaction
from app.throttling.mails import Cause, charge

_log = structlog.get_logger()


async def queue_mail(
    context: Context,
    transaction: Transaction,
    template: Template,
    *,
    to: str,
    about: Mapping[str, UUID],
    language: str | None = None,
    cause: Cause | None = None,
) -> UUID | None:
    """Queue a mail, unless a limit is used up; the mail's id, or None then.

    to: one address, checked before. about: ids of what it tells of; the words are written when it is sent.
    language: of the page that causes it, for a person who chose none.
    cause: who is charged for it. A notice of something that happened has none.
    """
    if not await charge(transaction, context.policy.mail_limits.shares(template, to, cause)):
        _log.warning("mail left out, its limit is used up", template=template)
        return None
    mail_id = new_id()
    await insert_mail(transaction, mail_id, template, to, about, language=language)
    return mail_id

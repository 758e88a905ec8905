"""Send what waits in the outbox: claimed one by one, so that no two processes send the same mail."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from email.message import EmailMessage
from functools import partial
from pathlib import Path

import structlog

from app.context import Context
from app.flows.mail.compose import compose
from app.mail.kept import keep_mail
from app.mail.outgoing import Outgoing
from app.mail.transport import Answer, Line
from app.refused import RefusedError
from app.storage.errors import PassingError
from app.storage.mail.outbox import (
    ClaimedMail,
    claim_next_mail,
    delete_mail,
    mark_mail_settled,
    note_failed_attempt,
)

_LOOK_EVERY_S = 2.0
# After an attempt that says that the server is away, the other mails do not all find out by themselves.
_PAUSE_S = 60.0
_NOTE_AGAIN_AFTER_S = (0.5, 1, 2, 4)  # together shorter than what a claim lasts beyond the conversation

_HandOver = Callable[[EmailMessage], Awaitable[Answer]]

_log = structlog.get_logger()


class MailError(RefusedError):
    """A mail cannot be sent or tried again like this, or there is none."""

    code = "mail_refused"
    status = 409


async def send_for_ever(context: Context, stopping: asyncio.Event) -> None:
    """Send until told to stop. The mail under way is finished first, so that it is not sent again."""
    while not stopping.is_set():
        pause_s = _LOOK_EVERY_S
        try:
            if not await send_due(context, stopping):
                pause_s = _PAUSE_S
        except PassingError as passing:
            _log.warning("mail waits for the database", detail=str(passing))
        except Exception:  # noqa: BLE001  # nobody awaits this task, and the next mail may go well
            _log.exception("sending mail failed")
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), pause_s)


async def send_due(context: Context, stopping: asyncio.Event | None = None) -> bool:
    """Send every mail that is due; False when the server could not be asked, and the rest waits."""
    if not context.outgoing.possible:
        return False
    async with _way_of(context.outgoing) as hand_over:
        while not (stopping and stopping.is_set()):
            mail = await claim_next_mail(context.database)
            if mail is None:
                break
            answer = await _send(context, mail, hand_over)
            if not answer.usable:
                return False
    return True


async def send_now(context: Context, mail: ClaimedMail) -> Answer:
    """Send a mail that was claimed."""
    async with _way_of(context.outgoing) as hand_over:
        return await _send(context, mail, hand_over)


async def _send(context: Context, mail: ClaimedMail, hand_over: _HandOver) -> Answer:
    message = await compose(context, mail)
    if message is None:
        await delete_mail(context.database, mail.id)
        return Answer("sent", "nobody to send it to")
    answer = await hand_over(message)
    await _note(context, mail, answer)
    _log.info(
        "mail tried", mail=str(mail.id), attempts=mail.attempts, outcome=answer.outcome, reply=answer.reply
    )
    return answer


async def _note(context: Context, mail: ClaimedMail, answer: Answer) -> None:
    """A mail that was sent and not noted would be sent again, so a database that is briefly away is asked again."""
    for pause_s in _NOTE_AGAIN_AFTER_S:
        try:
            return await _note_once(context, mail, answer)
        except PassingError as passing:
            _log.warning("outcome of a mail not noted yet", mail=str(mail.id), detail=str(passing))
            await asyncio.sleep(pause_s)
    return await _note_once(context, mail, answer)


async def _note_once(context: Context, mail: ClaimedMail, answer: Answer) -> None:
    if answer.outcome == "waiting":
        await note_failed_attempt(context.database, mail, answer.reply)
    else:
        await mark_mail_settled(context.database, mail, answer.outcome, answer.reply)


@asynccontextmanager
async def _way_of(outgoing: Outgoing) -> AsyncIterator[_HandOver]:
    if outgoing.server is not None:
        line = Line(outgoing.server)
        try:
            yield line.hand_over
        finally:
            await line.close()
    elif outgoing.folder is not None:
        yield partial(_keep, outgoing.folder)
    else:
        raise MailError("No mail server is set, so no mail can be sent.", code="no_mail_server")


async def _keep(folder: Path, message: EmailMessage) -> Answer:
    """Development without a mail server."""
    return Answer("sent", f"kept as {keep_mail(folder, message)}")

"""The conversation with the mail server, and what its answers mean for a mail."""

import asyncio
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Literal

import aiosmtplib

from app.mail.server import MailServer
from app.metrics import MAILS

_STEP_S = 15.0  # one command and its answer
# One mail, greeting and all. A claim on a mail lasts a minute, within which its end must be known.
_WHOLE_S = 45.0
_PERMANENT = 500
_LONGEST_REPLY = 300

Outcome = Literal["sent", "refused", "waiting"]


@dataclass(frozen=True, slots=True)
class Answer:
    """outcome: of the one mail. usable: whether the next mail may be tried now. reply: in the server's words, or ours."""

    outcome: Outcome
    reply: str
    usable: bool = True


class Line:
    """One connection to the server, made when it is needed and kept from mail to mail."""

    def __init__(self, server: MailServer) -> None:
        self._server = server
        self._smtp: aiosmtplib.SMTP | None = None

    async def hand_over(self, message: EmailMessage) -> Answer:
        """Hand one mail over. What the server says of the recipient or the content for good is not asked again.

        What it says of the sender or the password is about the settings, so the mail waits until they are right.
        """
        answer = await self._attempt(message)
        if not answer.usable:
            await self.close()
        MAILS.labels(answer.outcome).inc()
        return answer

    async def check(self) -> Answer:
        """Greet the server, secure the line and sign in, but send nothing. `sent` says that all went well."""
        try:
            async with asyncio.timeout(_STEP_S):
                said = await (await self._connection()).noop()
            return Answer("sent", _printable(f"{said.code} {said.message}"))
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            return Answer("waiting", _told(error), usable=False)

    async def close(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is None:
            return
        try:
            async with asyncio.timeout(1):
                await smtp.quit()
        except (aiosmtplib.SMTPException, OSError, TimeoutError):
            smtp.close()

    async def _attempt(self, message: EmailMessage) -> Answer:
        try:
            async with asyncio.timeout(_WHOLE_S):
                smtp = await self._connection()
                _, reply = await smtp.send_message(message)
        except aiosmtplib.SMTPRecipientsRefused as refused:
            return _judge(refused.recipients[0])
        except aiosmtplib.SMTPDataError as refused:
            return _judge(refused)
        except (
            aiosmtplib.SMTPNotSupported
        ) as refused:  # an address beyond ASCII, for a server that takes none
            return Answer("refused", _told(refused))
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            return Answer("waiting", _told(error), usable=False)
        return Answer("sent", _printable(reply))

    async def _connection(self) -> aiosmtplib.SMTP:
        if self._smtp is not None and self._smtp.is_connected:
            return self._smtp
        server = self._server
        smtp = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user or None,
            password=server.password or None,
            use_tls=server.tls == "implicit",
            start_tls={"implicit": False, "required": True, "offered": None}[server.tls],
            tls_context=ssl.create_default_context(),
            timeout=_STEP_S,
        )
        try:
            await smtp.connect()
        except BaseException:
            smtp.close()
            raise
        self._smtp = smtp
        return smtp


def _judge(refused: aiosmtplib.SMTPResponseException) -> Answer:
    return Answer("refused" if refused.code >= _PERMANENT else "waiting", _told(refused))


def _told(error: BaseException) -> str:
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return _printable(f"{error.code} {error.message}")
    return _printable(f"{type(error).__name__} {error}".strip())


def _printable(text: str) -> str:
    """A server's words on one line, so that they can stand in a log and a table."""
    return "".join(letter if letter.isprintable() else " " for letter in text)[:_LONGEST_REPLY]

"""A mail server of the tests' own: real SMTP, with TLS and a password where a test wants them."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from pathlib import Path
from typing import Any, cast
from warnings import catch_warnings

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from app.flows.mail.send_mails import send_due
from app.mail.server import MailServer, Tls
from tests.mail.conftest import Post

PASSWORD = "p:ss@w/rd"


@dataclass
class Sink:
    """What arrived. to_recipient, to_message: what the server says; None for its usual yes.

    It takes mails for every address and passes none on. A message that it has taken is answered after pause_s seconds,
    and after `before_answer` was called.
    """

    messages: list[EmailMessage] = field(default_factory=list)
    to_recipient: str | None = None
    to_message: str | None = None
    before_answer: Callable[[], None] | None = None
    pause_s: float = 0.0

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's own name for it
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.to_recipient is not None:
            return self.to_recipient
        envelope.rcpt_tos.append(address)
        return "250 fine"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.to_message is not None:
            return self.to_message
        content = cast("bytes", envelope.content)
        self.messages.append(message_from_bytes(content, policy=POLICY))
        await asyncio.sleep(self.pause_s)
        if self.before_answer is not None:
            self.before_answer()
        return "250 taken"

    @property
    def recipients(self) -> list[str]:
        return [str(message["To"]) for message in self.messages]


@asynccontextmanager
async def mail_server(
    sink: Sink, *, port: int = 0, certificate: Path | None = None, tls: Tls = "offered", user: str = ""
) -> AsyncIterator[MailServer]:
    """certificate: with it the server speaks TLS, from the first byte or after STARTTLS. user: who may send.

    port: 0 for any that is free. A user's password is taken over a connection in clear, too.
    """
    options: dict[str, Any] = {"hostname": "mail.example"}
    from_the_first_byte = None
    if certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        if tls == "implicit":
            from_the_first_byte = context
        else:
            options |= {"tls_context": context, "require_starttls": True}
    if user:
        options |= {"authenticator": _authenticate(user), "auth_required": True, "auth_require_tls": False}

    def answer() -> SMTP:
        with catch_warnings(action="ignore"):  # it warns of passwords in clear, which a test may want
            return SMTP(sink, **options)

    listening = await asyncio.get_running_loop().create_server(
        answer, "127.0.0.1", port, ssl=from_the_first_byte
    )
    try:
        taken = listening.sockets[0].getsockname()[1]
        yield MailServer("localhost", taken, tls, user, PASSWORD if user else "")
    finally:
        listening.close()


async def arrived(post: Post) -> list[EmailMessage]:
    """What arrives, in this order, of that which waits in the outbox and is due."""
    sink = Sink()
    async with mail_server(sink) as server:
        assert await send_due(post.by(server))
    return sink.messages


def _authenticate(user: str) -> Callable[..., AuthResult]:
    def check(
        _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: LoginPassword
    ) -> AuthResult:
        right = (data.login, data.password) == (user.encode(), PASSWORD.encode())
        return AuthResult(success=right, handled=right)

    return check

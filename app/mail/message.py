"""A letter as the message that goes out: both parts, and the headers that keep machines from answering it."""

from datetime import datetime
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime

from app.mail.letters import Letter


class _WholeHeader(UnstructuredHeader, BaseHeader):
    """A header on one line, however long: the library would cut an address into encoded words, which nobody opens."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


_HEADERS = HeaderRegistry()
_HEADERS.map_to_type("List-Unsubscribe", _WholeHeader)
_POLICY = SMTP.clone(header_factory=_HEADERS)


def build_message(
    letter: Letter, *, sender: Address, recipient: str, message_id: str, written_at: datetime
) -> EmailMessage:
    """message_id: the same each time a mail is sent, so that a mail that came twice can be recognised.

    Raises ValueError when a header would hold a line break.
    """
    message = EmailMessage(_POLICY)
    message["From"] = sender
    message["To"] = Address(addr_spec=recipient) if recipient.isascii() else recipient
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(written_at)
    message["Message-ID"] = f"<{message_id}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834 section 5
    message["X-Auto-Response-Suppress"] = "All"  # the same for Exchange, which does not read the line above
    if letter.choice is not None:
        # RFC 2369 section 3.2. Its reader signs in there, so nobody who was handed the mail chooses for them.
        message["List-Unsubscribe"] = f"<{letter.choice}>"
    message.set_content(letter.text, cte="quoted-printable")
    message.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    message["Content-Language"] = letter.language  # last, since setting the content takes such headers away
    return message

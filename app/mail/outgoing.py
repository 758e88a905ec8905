"""How mail leaves this service, as the settings have it."""

from dataclasses import dataclass
from email.headerregistry import Address
from pathlib import Path

from app.mail.server import MailServer


@dataclass(frozen=True, slots=True)
class Outgoing:
    """server: None where none is set. folder: where mails are kept instead, in development alone."""

    server: MailServer | None
    sender: Address
    folder: Path | None

    @property
    def possible(self) -> bool:
        """Whether a mail can leave at all; where none can, they wait."""
        return self.server is not None or self.folder is not None

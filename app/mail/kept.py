"""Mails of development, kept as files in the data directory instead of being sent."""

import email
import os
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

_MOST_KEPT = 200


@dataclass(frozen=True, slots=True)
class KeptMail:
    """A mail as a page shows it."""

    file: str
    recipient: str
    subject: str
    date: str
    text: str


def keep_mail(folder: Path, message: EmailMessage) -> Path:
    """Write a file that only its owner reads, named by the mail's id, which sorts by time. Beyond a number the oldest go."""
    name = str(message["Message-ID"]).strip("<>").partition("@")[0]
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = folder / f"{name}.eml"
    draft = folder / f".{name}.{os.getpid()}"
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as draft_file:
        draft_file.write(message.as_bytes())
    draft.replace(file)
    for old in sorted(folder.glob("*.eml"))[:-_MOST_KEPT]:
        old.unlink(missing_ok=True)
    return file


def read_kept(folder: Path, *, most: int) -> tuple[KeptMail, ...]:
    """The newest first."""
    files = sorted(folder.glob("*.eml"), reverse=True)[:most] if folder.is_dir() else []
    return tuple(map(_read, files))


def _read(file: Path) -> KeptMail:
    message = email.message_from_bytes(file.read_bytes(), policy=SMTP)
    text = message.get_body(("plain",))
    return KeptMail(
        file.name,
        str(message["To"]),
        str(message["Subject"]),
        str(message["Date"]),
        text.get_content() if text else "",
    )

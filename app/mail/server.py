"""The mail server and the sender, as their settings name them."""

from contextlib import suppress
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.utils import getaddresses
from typing import Literal
from urllib.parse import SplitResult, unquote, urlsplit

_EXAMPLE = "write it as smtps://user:password@host:465"
_QUERIES = {"": "offered", "starttls=required": "required"}
_PORTS = {"smtp": 587, "smtps": 465}

# From the first byte (RFC 8314), by STARTTLS or not at all, or by STARTTLS where the server offers it.
Tls = Literal["implicit", "required", "offered"]


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where outgoing mail is handed over. user: empty where the server asks nobody who they are."""

    host: str
    port: int
    tls: Tls
    user: str = ""
    password: str = field(default="", repr=False)

    @property
    def shown(self) -> str:
        return f"{self.host}:{self.port}"


def parse_smtp_url(url: str) -> MailServer:
    """Raises ValueError, without the password, when the address says something that nobody would follow."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname or parts.path not in ("", "/") or parts.fragment:
        raise ValueError(f"it names no mail server: {_EXAMPLE}")
    if (parts.username is None) != (parts.password is None):
        raise ValueError(f"a user name and a password go together: {_EXAMPLE}")
    user, password = (unquote(part or "") for part in (parts.username, parts.password))
    if not (user + password).isprintable():
        raise ValueError("user name and password are printable")
    return MailServer(parts.hostname, parts.port or _PORTS[parts.scheme], _tls_of(parts), user, password)


def _tls_of(parts: SplitResult) -> Tls:
    if parts.query not in _QUERIES:
        raise ValueError("after the ? stands nothing but starttls=required")
    if parts.scheme == "smtps":
        return "implicit"
    return "required" if parts.query else "offered"


def parse_sender(text: str) -> Address:
    """Raises ValueError when it is no single address, with or without a name."""
    found = getaddresses([text])
    if len(found) == 1 and text.isprintable():
        name, address = found[0]
        if address.isascii() and address.count("@") == 1:
            # The parser also raises IndexError and errors of its own.
            with suppress(Exception):
                return Address(name, addr_spec=address)
    raise ValueError("an address, such as Example <no-reply@example.com>")

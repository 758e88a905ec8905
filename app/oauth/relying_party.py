"""The relying party of WebAuthn: the host that passkeys are bound to, and whether browsers make any for it."""

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

# What an answer to it can be refused for. It stands here, so that nobody imports the library for a name.
PasskeyFault = Literal[
    "malformed answer",
    "challenge too old",
    "wrong challenge",
    "wrong origin",
    "wrong relying party",
    "person not verified",
    "wrong signature",
    "key not accepted",
    "unknown passkey",
    "passkey of somebody else",
    "answered before",
    "count went back",
]

_HOST_OF_DEVELOPMENT = "localhost"


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """id: the host that passkeys are bound to. origin: of the only pages that may ask for them."""

    id: str
    origin: str


def relying_party_of(issuer: str) -> RelyingParty | None:
    """None where no browser makes a passkey. issuer: the service's origin."""
    if objection_to_passkeys(issuer):
        return None
    return RelyingParty(_host_of(issuer), issuer)


def objection_to_passkeys(issuer: str) -> str | None:
    """Why browsers make no passkey for this origin, as the end of a sentence; None where they do."""
    host = _host_of(issuer)
    if _is_address(host):
        return "its host is an IP address"
    if not issuer.startswith("https://") and host != _HOST_OF_DEVELOPMENT:
        return "it is not https"
    return None


def _host_of(issuer: str) -> str:
    return urlsplit(issuer).hostname or ""


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True

"""What a customer recognises an application by: it changes on a live one with a reviewer's yes alone."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from urllib.parse import urlsplit

from app.oauth.redirect_uri import RedirectUriError, check_registrable
from app.oauth.scope import Scope


@dataclass(frozen=True, slots=True)
class Description:
    """scope: what it may ask for, which consent spells out."""

    name: str
    company: str
    logo_digest: bytes | None
    redirect_uris: tuple[str, ...]
    scope: Scope
    terms_uri: str | None
    privacy_uri: str | None

    def differs_in(self, other: "Description") -> tuple[str, ...]:
        """The names of the members that are not alike, in their order."""
        return tuple(
            each.name for each in fields(self) if getattr(self, each.name) != getattr(other, each.name)
        )


def live_addresses(redirect_uris: Iterable[str], *, public: bool) -> tuple[str, ...]:
    """Those that a live application may have; what only test mode accepts is left out."""
    return tuple(uri for uri in redirect_uris if _is_registrable(uri, public=public))


def hosts_of(redirect_uris: Iterable[str]) -> tuple[str, ...]:
    """Where the addresses lead, each once; a scheme of an application's own stands for itself."""
    return tuple(dict.fromkeys(urlsplit(uri).netloc or f"{urlsplit(uri).scheme}:" for uri in redirect_uris))


def _is_registrable(uri: str, *, public: bool) -> bool:
    try:
        check_registrable(uri, public=public, development=False)
    except RedirectUriError:
        return False
    return True

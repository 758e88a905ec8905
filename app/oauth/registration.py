"""The values an application may be registered with: names, kind, grants, scope and addresses, judged as one."""

import unicodedata
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from difflib import get_close_matches
from urllib.parse import urlsplit

from app.oauth.bounds import (
    LONGEST_NAME,
    LONGEST_UNCOMPOSED_NAME,
    LONGEST_URI,
    LONGEST_WORD,
    MOST_REDIRECT_URIS,
)
from app.oauth.client import Client, ClientKind
from app.oauth.grant_type import GrantType
from app.oauth.redirect_uri import RedirectUriError, check_registrable
from app.oauth.scope import DEFAULT_SCOPE, KNOWN_SCOPES
from app.refused import RefusedError

_HIDDEN_CATEGORIES = ("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp")
# Letters, marks and one symbol by their category, yet drawn as nothing: fillers, joiners, a blank Braille cell.
_BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")


class RegistrationError(RefusedError):
    """What about the registration is refused, and why."""

    code = "invalid_client_metadata"


def default_grants(kind: ClientKind, grants: Collection[GrantType]) -> frozenset[str]:
    return frozenset(grant.name for grant in grants if kind in grant.default_for)


def check_registration(client: Client, grants: Collection[GrantType], *, development: bool) -> Client:
    """The application in its canonical form. Raises RegistrationError or RedirectUriError.

    grants: all that the service offers. development: whether addresses of the own machine are registered too, as they
    are for every application in test mode.
    """
    if len(client.redirect_uris) > MOST_REDIRECT_URIS:
        raise RegistrationError(f"redirect URIs: at most {MOST_REDIRECT_URIS}")
    for uri in client.redirect_uris:
        check_registrable(uri, public=client.public, development=development or client.test)
    objection = _grant_objection(client, grants) or _audience_objection(client) or _keys_objection(client)
    if objection is not None:
        raise RegistrationError(objection)
    return replace(
        client,
        name=check_name("name", client.name),
        company=check_name("company", client.company),
        scope=_check_scope(client.scope),
        redirect_uris=tuple(dict.fromkeys(client.redirect_uris)),
    )


def check_name(what: str, text: str) -> str:
    """Names are shown to customers who decide by them, so they hold no character that cannot be seen (R-48, R-61).

    Raises RegistrationError when a name has one, or is too long or empty.
    """
    typed = text.strip()
    name = unicodedata.normalize("NFC", typed) if len(typed) <= LONGEST_UNCOMPOSED_NAME else typed
    if not name or len(name) > LONGEST_NAME:
        raise RegistrationError(f"{what}: 1 to {LONGEST_NAME} characters")
    hidden = next((letter for letter in name if _is_hidden(letter)), None)
    if hidden is not None:
        raise RegistrationError(f"{what}: contains the invisible character U+{ord(hidden):04X}")
    return name


def check_link(what: str, uri: str) -> str | None:
    """A page of the application's makers, which customers are led to: https, and spelt as a redirect address is.

    None for an empty one. Raises RegistrationError.
    """
    link = uri.strip()
    if not link:
        return None
    try:
        check_registrable(link, public=False, development=False)
    except RedirectUriError as refused:
        raise RegistrationError(f"{what}: {refused.what}") from refused
    return link


def _is_hidden(letter: str) -> bool:
    return unicodedata.category(letter) in _HIDDEN_CATEGORIES or letter in _BLANKS


def _check_scope(scope: tuple[str, ...]) -> tuple[str, ...]:
    for part in scope:
        _check_word("scope", part)
        if part not in KNOWN_SCOPES:
            raise RegistrationError(f"scope {part!r} is not known; {_nearest(part, KNOWN_SCOPES)}")
    return tuple(sorted(set(scope))) or (DEFAULT_SCOPE,)


def _check_word(what: str, text: str) -> None:
    if len(text) > LONGEST_WORD:
        raise RegistrationError(f"{what}: at most {LONGEST_WORD} characters each")


def _grant_objection(client: Client, grants: Collection[GrantType]) -> str | None:
    known = sorted(grant.name for grant in grants)
    for name in sorted(client.grants):
        _check_word("grant", name)
        if name not in known:
            return f"grant {name!r} is not known; {_nearest(name, known)}"
    return next(_grant_objections(client, grants), None)


def _grant_objections(client: Client, grants: Collection[GrantType]) -> Iterator[str]:
    allowed = [grant for grant in grants if client.allows(grant.name)]
    for grant in allowed:
        if client.public and grant.confidential_only:
            yield f"{grant.name}: a public application has no secret to act by"
    for grant in allowed:
        if client.kind == "classic" and grant.strict_only:
            yield f"{grant.name}: for strict applications only; classic access tokens live long instead"
    begins = [grant for grant in grants if grant.refreshable and not grant.continues]
    for grant in allowed:
        if grant.continues and not any(client.allows(other.name) for other in begins):
            yield f"{grant.name}: the first one comes with a code, so {_names(begins)} is needed too"
    if client.customer_id is not None and not any(grant.acts_alone for grant in allowed):
        alone = _names(grant for grant in grants if grant.acts_alone)
        yield f"a customer of its own is for the {alone} grant only"
    if client.redirect_uris and not any(grant.redirects for grant in allowed):
        redirecting = _names(grant for grant in grants if grant.redirects)
        yield f"redirect URIs are for the {redirecting} grant only"


def _names(grants: Iterable[GrantType]) -> str:
    return " or ".join(grant.name for grant in grants)


def _audience_objection(client: Client) -> str | None:
    """RFC 8707 section 2: an absolute URI without fragment."""
    if client.audience is None:
        return None
    if client.public:
        return "a resource server proves who it is, so it cannot be public"
    if len(client.audience) > LONGEST_URI:
        return f"audience: at most {LONGEST_URI} characters"
    if not client.audience.isascii() or " " in client.audience:
        return f"audience {client.audience!r}: has a character that must be percent-encoded"
    if not _is_absolute(client.audience):
        return (
            f"audience {client.audience!r}: an absolute URI without fragment, such as https://api.example.com"
        )
    return None


def _is_absolute(uri: str) -> bool:
    """Whether a URI has a scheme and something behind it, and no fragment."""
    try:
        parts = urlsplit(uri)
    except ValueError:  # a bracket without its other half
        return False
    return bool(parts.scheme and (parts.netloc or parts.path) and "#" not in uri)


def _keys_objection(client: Client) -> str | None:
    if client.jwks is None:
        return None
    if client.public:
        return "keys: a public application proves nothing, so it has none"
    return "keys: for strict applications only" if client.kind == "classic" else None


def _nearest(text: str, known: Collection[str]) -> str:
    matches = get_close_matches(text, known, n=1)
    return f"did you mean {matches[0]}?" if matches else f"there are: {', '.join(known)}"

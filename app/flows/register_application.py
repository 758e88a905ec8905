"""Register an application: who makes it, what it looks like, where its customers' browsers may return to."""

import hashlib
import unicodedata
from dataclasses import dataclass

from app.context import Context
from app.flows.read_logo import read_logo
from app.oauth.client import Client
from app.oauth.redirect_uri import check_registrable
from app.oauth.scope import KNOWN_SCOPES
from app.oauth.token_string import mint_client_secret, new_id, secret_digest
from app.storage.applications import insert_application, insert_client_secret, insert_logo
from app.storage.audit import AuditEvent, insert_audit_event

DEFAULT_SCOPE = "aemp:read"
_LONGEST_NAME = 120
_MOST_REDIRECT_URIS = 20

_HIDDEN_CATEGORIES = ("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp")
# Letters, marks and one symbol by their category, yet drawn as nothing: fillers, joiners, a blank Braille cell.
_BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")


class RegistrationError(Exception):
    """What about the registration is refused, and why."""


@dataclass(frozen=True, slots=True)
class RegisteredApplication:
    """client_secret is shown once, now; only its digest is kept."""

    client: Client
    client_secret: str


async def register_application(
    context: Context,
    *,
    name: str,
    company: str,
    redirect_uris: tuple[str, ...] = (),
    scope: tuple[str, ...] = (),
    logo: bytes | None = None,
) -> RegisteredApplication:
    """A classic, confidential application, active at once. Raises RegistrationError, RedirectUriError or LogoError."""
    for uri in redirect_uris:
        check_registrable(uri, public=False, development=context.policy.development)
    client = Client(
        id=new_id(),
        kind="classic",
        public=False,
        name=check_name("name", name),
        company=check_name("company", company),
        status="active",
        grants=frozenset({"authorization_code"}),
        scope=_check_scope(scope),
        redirect_uris=_check_count(redirect_uris),
        audience=None,
        customer_id=None,
        secrets=(),
    )
    png = await read_logo(logo) if logo is not None else None
    secret = mint_client_secret()
    await _store(context, client, png, secret_digest(secret))
    return RegisteredApplication(client, secret)


def check_name(what: str, text: str) -> str:
    """Names are shown to customers who decide by them, so they hold no character that cannot be seen (R-48, R-61)."""
    name = unicodedata.normalize("NFC", text.strip())
    if not name or len(name) > _LONGEST_NAME:
        raise RegistrationError(f"{what}: 1 to {_LONGEST_NAME} characters")
    hidden = next((letter for letter in name if _is_hidden(letter)), None)
    if hidden is not None:
        raise RegistrationError(f"{what}: contains the invisible character U+{ord(hidden):04X}")
    return name


def _is_hidden(letter: str) -> bool:
    return unicodedata.category(letter) in _HIDDEN_CATEGORIES or letter in _BLANKS


def _check_scope(scope: tuple[str, ...]) -> tuple[str, ...]:
    unknown = [part for part in scope if part not in KNOWN_SCOPES]
    if unknown:
        raise RegistrationError(f"scope {unknown[0]!r} is not known; there are: {', '.join(KNOWN_SCOPES)}")
    return tuple(dict.fromkeys(scope)) or (DEFAULT_SCOPE,)


def _check_count(redirect_uris: tuple[str, ...]) -> tuple[str, ...]:
    if len(redirect_uris) > _MOST_REDIRECT_URIS:
        raise RegistrationError(f"redirect URIs: at most {_MOST_REDIRECT_URIS}")
    return tuple(dict.fromkeys(redirect_uris))


async def _store(context: Context, client: Client, png: bytes | None, digest: bytes) -> None:
    logo_digest = hashlib.sha256(png).digest() if png is not None else None
    async with context.database.transaction() as transaction:
        if png is not None and logo_digest is not None:
            await insert_logo(transaction, logo_digest, png)
        await insert_application(transaction, client, logo_digest)
        await insert_client_secret(transaction, client.id, slot=1, digest=digest)
        await insert_audit_event(
            transaction, AuditEvent("application.registered", "command line", application_id=client.id)
        )

"""Import access tokens of a former system: the digest of each, and which application it lets act for which customer."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hmac import compare_digest
from typing import ClassVar
from uuid import UUID

from app.context import Context
from app.flows.moving.fields import Fields, LineError, customer_of
from app.flows.moving.move_in import NOBODY, Move, Moved, Numbered, Verdict, Watcher
from app.oauth.actor import Actor
from app.oauth.client import application_id_of
from app.oauth.errors import OAuthError
from app.oauth.scope import narrow
from app.oauth.token_string import id_of_digest
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.postgres.database import Transaction
from app.storage.token.connections import connect_all
from app.storage.token.legacy_tokens import (
    UNKNOWN_APPROVAL_AT,
    ImportedToken,
    TokenParties,
    insert_legacy_tokens,
    select_imported_tokens,
    select_token_parties,
)


async def import_tokens(
    context: Context,
    actor: Actor,
    lines: Iterable[bytes],
    watcher: Watcher = NOBODY,
    *,
    dry_run: bool = False,
) -> Moved:
    return await Move(context, _Tokens(actor, context.now), watcher, dry_run).run(lines)


@dataclass(frozen=True, slots=True)
class _Token:
    """A line. customer: by e-mail address or former id."""

    digest: bytes = field(repr=False)
    client_id: str
    application_id: UUID
    customer: tuple[str | None, str | None]
    scope: str | None
    issued_at: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Tokens:
    actor: Actor
    now: Callable[[], datetime]
    fields: ClassVar[frozenset[str]] = frozenset(
        (
            *("sha256", "client_id", "customer_email", "customer_former_id"),
            *("scope", "issued_at", "expires_at"),
        )
    )

    def read(self, fields: Fields) -> _Token:
        """Raises RefusedError when the line is not kept."""
        digest, client_id = fields.digest("sha256"), fields.required("client_id")
        if digest is None:
            raise LineError("sha256 is missing")
        application_id = application_id_of(client_id)
        if application_id is None:
            raise LineError("client_id: 1 to 255 visible ASCII characters")
        customer = customer_of(fields)
        if customer == (None, None):
            raise LineError("customer_email or customer_former_id is missing")
        issued_at, expires_at = fields.time("issued_at"), fields.time("expires_at")
        if issued_at is not None and issued_at > self.now():
            raise LineError("issued_at is in the future")
        if expires_at is not None and expires_at <= self.now():
            raise LineError("the token has expired")
        return _Token(
            digest, client_id, application_id, customer, fields.text("scope"), issued_at, expires_at
        )

    async def store(self, transaction: Transaction, items: Sequence[Numbered[_Token]]) -> list[Verdict]:
        asked = [(each.item.application_id, *each.item.customer) for each in items]
        parties = await select_token_parties(transaction, asked)
        judged = [_judge(each.item, found) for each, found in zip(items, parties, strict=True)]
        tokens = [each for each in judged if isinstance(each, ImportedToken)]
        pairs = [
            (each.customer_id, each.application_id, each.issued_at or UNKNOWN_APPROVAL_AT) for each in tokens
        ]
        await connect_all(transaction, pairs, route="imported", approved_by=None)
        added = await insert_legacy_tokens(transaction, tokens)
        standing = await select_imported_tokens(
            transaction, [each.id for each in tokens] if len(added) < len(tokens) else []
        )
        if added:
            detail: dict[str, str | int | None] = {
                "first_line": items[0].number,
                "last_line": items[-1].number,
                "imported": len(added),
            }
            await insert_audit_event(transaction, AuditEvent("tokens.imported", self.actor, detail=detail))
        return [
            _verdict(each, added, standing) if isinstance(each, ImportedToken) else each for each in judged
        ]


def _judge(asked: _Token, parties: TokenParties) -> ImportedToken | LineError:
    if (
        parties.status is None
        or parties.scope is None
        or parties.former_client_id not in (None, asked.client_id)
    ):
        return LineError(f"no application has the client_id {asked.client_id}")
    if parties.status == "deleted":
        return LineError(f"the application {asked.client_id} was deleted here")
    if parties.customer_id is None:
        return LineError(f"no customer is called {asked.customer[0] or asked.customer[1]}")
    ended_at = parties.ended_at
    if ended_at is not None and (asked.issued_at is None or asked.issued_at <= ended_at):
        return LineError(f"the customer's connection to the application ended here on {ended_at:%Y-%m-%d}")
    try:
        scope = " ".join(narrow(asked.scope, parties.scope.split()))
    except OAuthError as refused:
        return LineError(f"{refused.what}; the application has: {parties.scope}")
    return ImportedToken(
        id=id_of_digest(asked.digest),
        digest=asked.digest,
        application_id=asked.application_id,
        customer_id=parties.customer_id,
        scope=scope,
        issued_at=asked.issued_at,
        expires_at=asked.expires_at,
    )


def _verdict(token: ImportedToken, added: set[UUID], standing: dict[UUID, ImportedToken]) -> Verdict:
    """The first line of a token added it; any other must say the same as what stands."""
    if token.id in added:
        added.discard(token.id)
        return "imported"
    known = standing[token.id]
    if compare_digest(known.digest, token.digest) and replace(known, digest=b"") == replace(
        token, digest=b""
    ):
        return "known"
    return LineError(
        "the token stands here already, for another application or customer, or with another scope or life"
    )

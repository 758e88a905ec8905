"""Revoke a token: by its application (RFC 7009), or from the machine the service runs on."""

from hmac import compare_digest
from uuid import UUID

from app.context import Context
from app.flows.mail.tell_of_customers import tell_of_disconnected
from app.flows.token.authenticate import authenticate_client, stranger_of
from app.oauth.actor import Actor
from app.oauth.request import TokenQuery
from app.oauth.token_string import LegacyToken, TokenString, recognise
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.postgres.database import Statements, Transaction
from app.storage.token.connection_lists import select_listed_connection
from app.storage.token.grants import mark_grant_revoked
from app.storage.token.legacy_tokens import mark_legacy_token_revoked, select_legacy_tokens
from app.storage.token.refresh_tokens import StoredRefreshToken, select_refresh_tokens
from app.storage.token.tokens import StoredToken, mark_token_revoked, select_tokens
from app.throttling.look_up import in_turn

Token = TokenString | LegacyToken
Stored = StoredToken | StoredRefreshToken


async def revoke_token(context: Context, query: TokenQuery, address: str) -> None:
    """RFC 7009 section 2.1. A token of another application is left alone, and nobody learns that it exists.

    Raises OAuthError for the caller's own faults, and 429 when the caller failed too often.
    """
    client = await authenticate_client(context, query.credentials, address)
    if query.token is None or not _is_looked_up(context, query.token):  # no store is asked, so nobody fails
        return
    asker = stranger_of(client, address)
    found = await in_turn(context.failures, asker, _find(context, query.token))
    if found is None or found[1].application_id != client.id:
        if asker is not None:
            context.failures.note(asker)
        return
    await _revoke(context, Actor("application", client.id), *found)


async def revoke_any_token(context: Context, actor: Actor, unverified_token: str) -> bool:
    """Whether there was such a token, of whichever application."""
    found = await _find(context, recognise(unverified_token))
    if found is not None:
        await _revoke(context, actor, *found)
    return found is not None


def _is_looked_up(context: Context, token: Token) -> bool:
    if token.kind == "legacy":
        return context.policy.takes_legacy_tokens(context.now)
    return token.kind in ("at", "rt")


async def _find(context: Context, token: Token | None) -> tuple[Token, Stored] | None:
    """The token's own string says what it is. A hint of the caller's changes nothing."""
    stored = None if token is None else await _select(context, token)
    if token is None or stored is None or not compare_digest(stored.digest, token.digest):
        return None
    return token, stored


async def _select(context: Context, token: Token) -> Stored | None:
    audience, ids = context.policy.audience, [token.id]
    if token.kind == "legacy":
        until = context.policy.legacy_tokens_until
        return (await select_legacy_tokens(context.database, ids, audience=audience, until=until)).get(
            token.id
        )
    if token.kind == "at":
        found = await select_tokens(context.database, ids, token_class=token.token_class, audience=audience)
        return found.get(token.id)
    if token.kind == "rt":
        return (await select_refresh_tokens(context.database, ids, audience=audience)).get(token.id)
    return None


async def _revoke(context: Context, actor: Actor, token: Token, stored: Stored) -> None:
    """The mark and its audit event stand or fall together, and so does a mail where it was the last of a connection."""
    async with context.database.transaction() as transaction:
        if await _mark(transaction, token, stored):
            event_id = await insert_audit_event(
                transaction,
                AuditEvent(
                    "grant.revoked" if token.kind == "rt" else "token.revoked",
                    actor,
                    application_id=stored.application_id,
                    customer_id=stored.customer_id,
                    grant_id=stored.grant_id,
                ),
            )
            if stored.active and stored.customer_id is not None:
                await _tell_of_last(context, transaction, stored.customer_id, stored.application_id, event_id)
    context.changes.note(stored.grant_id if token.kind == "rt" else token.id)


async def _tell_of_last(
    context: Context, transaction: Transaction, customer_id: UUID, application_id: UUID, event_id: UUID
) -> None:
    """An application that holds nothing of a customer any more can read nothing there."""
    held = await select_listed_connection(
        transaction,
        customer_id,
        application_id,
        legacy_until=context.policy.legacy_tokens_until,
        code_life=context.policy.lifetimes.code,
    )
    if held is None:
        await tell_of_disconnected(context, transaction, customer_id, [application_id], event_id)


async def _mark(statements: Statements, token: Token, stored: Stored) -> bool:
    """An access token ends alone, a refresh token with all that came from its grant (RFC 7009 section 2.1).

    A spent one too: who holds the whole of it was given all that came after it, and wants none of it any more.
    """
    if isinstance(stored, StoredRefreshToken):
        return await mark_grant_revoked(statements, stored.grant_id)
    if token.kind == "legacy":
        return await mark_legacy_token_revoked(statements, token.id)
    return await mark_token_revoked(statements, token.token_class, token.id)

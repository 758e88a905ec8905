"""Revoke a token: by its application (RFC 7009), or from the machine the service runs on."""

from hmac import compare_digest

from app.context import Context
from app.flows.issue_token import authenticate_client
from app.oauth.request import TokenQuery
from app.oauth.token_string import TokenString, parse
from app.storage.audit import ActorKind, AuditEvent, insert_audit_event
from app.storage.tokens import StoredToken, mark_token_revoked, select_tokens


async def revoke_token(context: Context, query: TokenQuery, address: str) -> None:
    """RFC 7009 section 2.1. A token of another application is left alone, and nobody learns that it exists."""
    client = await authenticate_client(context, query.credentials, address)
    found = await _find(context, query.token)
    if found is not None and found[1].application_id == client.id:
        await _revoke(context, *found, actor_kind="application")


async def revoke_any_token(context: Context, unverified_token: str) -> bool:
    """For the command line: whether there was such a token."""
    found = await _find(context, parse(unverified_token))
    if found is not None:
        await _revoke(context, *found, actor_kind="command line")
    return found is not None


async def _find(context: Context, token: TokenString | None) -> tuple[TokenString, StoredToken] | None:
    if token is None or token.kind != "at":
        return None
    found = await select_tokens(
        context.database, token.token_class, [token.id], audience=context.policy.audience
    )
    stored = found.get(token.id)
    return (token, stored) if stored is not None and compare_digest(stored.digest, token.digest) else None


async def _revoke(
    context: Context, token: TokenString, stored: StoredToken, *, actor_kind: ActorKind
) -> None:
    """The mark and its audit event stand or fall together."""
    async with context.database.transaction() as transaction:
        if await mark_token_revoked(transaction, token.token_class, token.id):
            await insert_audit_event(
                transaction,
                AuditEvent(
                    "token.revoked",
                    actor_kind=actor_kind,
                    actor_id=stored.application_id if actor_kind == "application" else None,
                    application_id=stored.application_id,
                    customer_id=stored.customer_id,
                    grant_id=stored.grant_id,
                ),
            )
    context.changes.note(token.id)

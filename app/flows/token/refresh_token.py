"""Refresh: a refresh token is spent for its successor and an access token; spent twice, it ends its whole family."""

from datetime import timedelta
from hmac import compare_digest
from typing import NamedTuple
from uuid import UUID

from app.context import Context
from app.flows.token.granted_details import Given, read_granted_or_nothing
from app.flows.token.issued_token import MintedTokens
from app.oauth.actor import Actor
from app.oauth.client import Client
from app.oauth.errors import invalid_target
from app.oauth.fleet_details import NARROWED_SCOPE
from app.oauth.grant_type import Asked
from app.oauth.refused_grant import refuse
from app.oauth.scope import narrow
from app.oauth.token_string import TokenString
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.token.fallen import select_fallen_of_refresh_token
from app.storage.token.grants import mark_grant_revoked
from app.storage.token.refresh_tokens import Rotated, Rotation, StoredRefreshToken


class Presented(NamedTuple):
    """A refresh token that could be ours. scope, resource: None for all of it."""

    token: TokenString
    scope: str | None
    resource: str | None

    @property
    def bucket(self) -> int:
        """The customer's, as in all ids of theirs."""
        return self.token.bucket


async def prove_refresh_token(_context: Context, _client: Client, asked: Asked) -> Presented:
    """RFC 6749 section 6. Nothing is looked up: the statement that spends the token is its proof."""
    assert asked.spent is not None  # noqa: S101  # the grant's row says that a refresh token is spent
    return Presented(asked.spent, asked.scope, asked.resource)


async def remember_successor(
    context: Context, client: Client, proof: Presented, tokens: MintedTokens
) -> Given:
    """Rotates for every client (RFC 9700 section 4.14.2). A request that is refused spends nothing."""
    access, successor = tokens.access, tokens.refresh
    assert successor is not None  # noqa: S101  # registration lets strict applications alone refresh
    rotation = Rotation(
        proof.token.id,
        proof.token.digest,
        client.id,
        successor_id=successor.id,
        successor_digest=successor.digest,
        token_id=access.id,
        token_digest=access.digest,
        scope=proof.scope,
        resource=proof.resource,
    )
    grace = context.policy.lifetimes.refresh_grace
    rotated = await _rotate(context, rotation, grace=grace, proved=not client.public)
    if rotated.detailed_of is None or NARROWED_SCOPE not in rotated.scope.split(" "):
        return Given(rotated.scope)
    return Given(
        rotated.scope, await read_granted_or_nothing(context, rotated.detailed_of, rotation.application_id)
    )


async def _rotate(context: Context, rotation: Rotation, *, grace: timedelta, proved: bool) -> Rotated:
    """What was inserted, once it is committed.

    proved: a public application has no verifier here, so it never is.
    """
    rotated = await context.gathered.insert_successor(rotation)
    if rotated is not None:
        return rotated
    # What was committed while the statement waited for the row, a new snapshot shows.
    standing = await context.gathered.refresh_tokens.ask(rotation.id)
    if standing is None or not compare_digest(standing.digest, rotation.digest):
        raise refuse("rt", "unknown", proved=proved, detail="unknown or past, or its secret part is wrong")
    if standing.application_id != rotation.application_id:
        await _note_stranger(context, rotation, standing)
        raise refuse("rt", "unknown", proved=proved, detail="it belongs to another application")
    if standing.successor_id is None:
        _check_asked(rotation, standing)
        raise refuse("rt", await select_fallen_of_refresh_token(context.database, standing.id), proved=proved)
    if standing.successor_id == rotation.successor_id:
        # Our own first attempt committed and its answer was lost. This comes before any end is judged.
        detailed_of = standing.customer_id if standing.detailed else None
        return Rotated(rotation.scope or standing.scope, detailed_of)
    waiting = await _waiting_successor(context, standing.successor_id, grace)
    if waiting is None:
        await _end_family(context, standing)
        raise refuse("rt", "used", proved=proved, detail="used before: its family is ended")
    # Once more, and not a second time: the successor is spent in its stead, so that of two holders one will be caught.
    again = rotation._replace(id=waiting.id, digest=waiting.digest)
    return await _rotate(context, again, grace=timedelta(0), proved=proved)


def _check_asked(rotation: Rotation, standing: StoredRefreshToken) -> None:
    """It is the caller's, and unspent: where it stands too, what is asked for must be wrong."""
    if standing.active:
        narrow(rotation.scope, standing.scope.split(" "), default=standing.scope)
        if rotation.resource not in (None, standing.audience):  # RFC 8707 section 2.2
            raise invalid_target("the resource is not the one that was granted")


async def _waiting_successor(
    context: Context, successor_id: UUID, grace: timedelta
) -> StoredRefreshToken | None:
    """The successor, while it may be what an answer that was lost held: young, and not used."""
    if not grace:
        return None
    successor = await context.gathered.refresh_tokens.ask(successor_id)
    if successor is None or successor.successor_id is not None or successor.age_s > grace.total_seconds():
        return None
    return successor


async def _end_family(context: Context, spent: StoredRefreshToken) -> None:
    """Two hold it, and one of them stole it: nobody can tell which, so both lose it (RFC 9700 section 4.14.2)."""
    event = AuditEvent(
        "refresh_token.replayed",
        Actor("application", spent.application_id),
        application_id=spent.application_id,
        customer_id=spent.customer_id,
        grant_id=spent.grant_id,
    )
    async with context.database.transaction() as transaction:
        if await mark_grant_revoked(transaction, spent.grant_id):
            await insert_audit_event(transaction, event)
    context.changes.note(spent.grant_id)


async def _note_stranger(context: Context, rotation: Rotation, standing: StoredRefreshToken) -> None:
    """Another application holds the whole of it. That could only cut a connection that is not its own, so it is noted."""
    event = AuditEvent(
        "refresh_token.replay_refused",
        Actor("application", rotation.application_id),
        application_id=standing.application_id,
        customer_id=standing.customer_id,
        grant_id=standing.grant_id,
    )
    await insert_audit_event(context.database, event)

"""The manual route: RoviTracker confirmed with the customer by other means, and an operator issues the token."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.context import Context
from app.flows.account.change_application import ApplicationError, find_application
from app.flows.account.change_customer import find_member
from app.flows.bounds import LONGEST_REASON
from app.flows.mail.tell_both_sides import tell_of_beginning
from app.oauth.actor import Actor
from app.oauth.client import Client
from app.oauth.errors import OAuthError
from app.oauth.scope import Scope, narrow
from app.oauth.token_string import bucket_of, mint, new_id, with_bucket
from app.refused import RefusedError
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.token.connections import connect
from app.storage.token.manual_grants import ManualGrant, insert_manual_grant


class ManualGrantError(RefusedError):
    """Why no token is issued."""

    code = "invalid_manual_grant"


@dataclass(frozen=True, slots=True)
class ManualRequest:
    """What is issued to which application, for which customer, and why.

    expires_in: the token's absolute end; None for that of every classic token.
    """

    client_id: str
    customer_email: str
    reason: str
    scope: str | None = None
    expires_in: timedelta | None = None


@dataclass(frozen=True, slots=True)
class ManualToken:
    """text: shown once, now."""

    text: str = field(repr=False)
    client: Client
    scope: str
    expires_at: datetime


async def issue_manually(context: Context, actor: Actor, asked: ManualRequest) -> ManualToken:
    """Grant, token and audit event stand or fall together.

    Raises RefusedError when the actor is no operator, when one of the parties does not stand, or when what is asked
    does not fit.
    """
    if actor.kind != "operator" or actor.id is None:
        raise ManualGrantError("only an operator issues a token by hand", code="no_operator", status=403)
    reason = _check_reason(asked.reason)
    absolute = _check_life(context, asked.expires_in)
    client = await _reviewed_client(context, asked.client_id)
    member = await find_member(context, asked.customer_email)
    scope = " ".join(_check_scope(asked.scope, client))
    bucket = bucket_of(member.customer_id)
    token = mint("at", "c", bucket)
    grant = ManualGrant(
        id=with_bucket(new_id(), bucket),
        application_id=client.id,
        customer_id=member.customer_id,
        operator_id=actor.id,
        token_id=token.id,
        token_digest=token.digest,
        scope=scope,
        idle=context.policy.lifetimes.classic_idle,
        absolute=absolute,
    )
    expires_at = await _store(context, actor, grant, reason)
    if expires_at is None:
        raise ApplicationError(
            f"the application is {client.status}, or the customer {member.customer_name} or the operator is disabled"
        )
    return ManualToken(token.text, client, scope, expires_at)


async def _reviewed_client(context: Context, client_id: str) -> Client:
    client = (await find_application(context, client_id)).client
    if client.test:  # the connection would not begin, and the token would be dead
        raise ManualGrantError(
            "the application is in test mode, and meets no real customer before its review"
        )
    return client


async def _store(context: Context, actor: Actor, grant: ManualGrant, reason: str) -> datetime | None:
    """When the token expires if it is not used; None, and no event, when a party no longer stands."""
    event = AuditEvent(
        "token.issued_manually",
        actor,
        application_id=grant.application_id,
        customer_id=grant.customer_id,
        grant_id=grant.id,
        detail={"reason": reason},
    )
    async with context.database.transaction() as transaction:
        began = await connect(
            transaction,
            grant.customer_id,
            grant.application_id,
            route="manual",
            approved_by=grant.operator_id,
        )
        expires_at = await insert_manual_grant(transaction, grant)
        if expires_at is not None:
            event_id = await insert_audit_event(transaction, event)
            if began:
                parties = grant.customer_id, grant.application_id
                await tell_of_beginning(context, transaction, *parties, event_id)
    return expires_at


def _check_reason(text: str) -> str:
    reason = text.strip()
    if not reason or len(reason) > LONGEST_REASON or not reason.isprintable():
        raise ManualGrantError(
            f"reason: 1 to {LONGEST_REASON} printable characters, for whoever reads the audit trail"
        )
    return reason


def _check_life(context: Context, expires_in: timedelta | None) -> timedelta:
    most = context.policy.lifetimes.classic_absolute
    if expires_in is not None and not timedelta(0) < expires_in <= most:
        raise ManualGrantError(f"a token lives for at least a second and {most.days} days at most")
    return expires_in or most


def _check_scope(scope: str | None, client: Client) -> Scope:
    try:
        return narrow(scope, client.scope)
    except OAuthError as refused:
        raise ManualGrantError(f"{refused.what}: {' '.join(client.scope)}") from None

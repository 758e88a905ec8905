"""A token of the manual route inside its mail: it is made when the mail is sent."""

from uuid import UUID

from app.context import Context
from app.oauth.actor import SERVICE
from app.oauth.token_string import bucket_of, mint, new_id, with_bucket
from app.storage.people.access_request_changes import mark_request_collected
from app.storage.people.access_requests import AccessRequest, lock_access_request
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.token.grants import mark_grant_revoked
from app.storage.token.manual_grants import CollectedGrant, insert_collected_grant


def waits_for_mail(context: Context, asked: AccessRequest) -> bool:
    """Whether a mail may hold its token: nobody has it yet, or an earlier mail has, whose token ends then."""
    waits = asked.state == "approved" or asked.mailed_at is not None
    return context.policy.mail_tokens and waits and not asked.late


async def make_mailed_token(context: Context, request_id: UUID) -> str | None:
    """The token; the one of an earlier mail ends. None when the request or what it rests on no longer stands."""
    async with context.database.transaction() as transaction:
        asked = await lock_access_request(transaction, request_id)
        if asked is None or asked.customer_id is None or not waits_for_mail(context, asked):
            return None
        bucket = bucket_of(asked.customer_id)
        token = mint("at", "c", bucket)
        lives = context.policy.lifetimes
        grant = CollectedGrant(
            with_bucket(new_id(), bucket),
            asked.id,
            token.id,
            token.digest,
            lives.classic_idle,
            lives.classic_absolute,
        )
        if asked.grant_id is not None:
            await mark_grant_revoked(transaction, asked.grant_id)
        if await insert_collected_grant(transaction, grant) is None:
            return None
        await mark_request_collected(transaction, asked.id, grant.id, mailed=True)
        event = AuditEvent(
            "request.collected" if asked.grant_id is None else "request.mailed_again",
            SERVICE,
            asked.application_id,
            asked.customer_id,
            grant.id,
            {"request": str(asked.id), "mailed": "yes"},
        )
        await insert_audit_event(transaction, event)
    return token.text

"""The keys the service signs with are made, rotated, and sealed anew with the newest secret key."""

from datetime import timedelta

from app.context import Context
from app.oauth.actor import SERVICE, Actor
from app.oauth.signing import (
    KEPT_FOR,
    SigningKey,
    Stage,
    introspection_jwt,
    key_set,
    make_signing_key,
    seal_private,
    signer,
    stage,
)
from app.refused import RefusedError
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.signing_keys import (
    ALL_KEYS,
    call_delete_past_signing_keys,
    insert_signing_key,
    lock_signing_keys,
    select_signing_keys,
    update_sealed,
)
from app.storage.postgres.database import Statements


class SigningKeyError(RefusedError):
    """The keys cannot be rotated now, since the last rotation is under way."""

    code = "rotation_under_way"
    status = 409


async def sign_introspection(context: Context, answer: bytes, *, audience: str) -> bytes:
    """Sign an answer as a JWT for the caller (RFC 9701). Raises StoreUnavailableError when no key can be read."""
    now = context.now()
    keys = await context.signing_keys.find(ALL_KEYS) or ()
    key = signer(keys, now) or await _make_first(context)
    return introspection_jwt(
        key, answer, issuer=context.policy.issuer, audience=audience, issued_at=int(now.timestamp())
    )


async def read_key_set(context: Context) -> bytes:
    """The published JWK Set, never empty. Raises StoreUnavailableError when no key can be read."""
    keys = await context.signing_keys.find(ALL_KEYS) or ()
    if signer(keys, context.now()) is None:
        await _make_first(context)
        keys = await context.signing_keys.ask(ALL_KEYS) or ()
    return key_set(keys, context.now())


async def list_signing_keys(context: Context) -> tuple[tuple[SigningKey, Stage], ...]:
    keys = await select_signing_keys(context.database, context.keys)
    return tuple((key, stage(key, keys, context.now())) for key in keys)


async def rotate_signing_key(context: Context, actor: Actor, *, at_once: bool = False) -> SigningKey:
    """Make a key that is published now, and signs once everybody has seen it.

    at_once: it signs from now on and the others are gone, as when a private half has become known.
    Raises SigningKeyError when the last rotation is under way.
    """
    async with context.database.transaction() as transaction:
        await lock_signing_keys(transaction)
        keys = await select_signing_keys(transaction, context.keys)
        waiting = [key for key in keys if stage(key, keys, context.now()) == "waits"]
        if waiting and not at_once:
            raise SigningKeyError(
                f"the last rotation is under way: {waiting[0].kid} begins to sign at {waiting[0].begins_at:%H:%M:%S} UTC"
            )
        first = signer(keys, context.now()) is None
        lead = timedelta(0) if at_once or first else context.policy.signing_key_lead
        stay = timedelta(0) if at_once else KEPT_FOR
        key = await _make(context, transaction, actor, lead=lead, stay=stay)
    context.changes.note(ALL_KEYS)
    return key


async def keep_signing_keys(context: Context) -> int:
    """Keep a key that signs, all sealed with the newest secret key; return how many past ones were deleted."""
    keys = await select_signing_keys(context.database, context.keys)
    if signer(keys, context.now()) is None:
        await _make_first(context)
    for key in keys:
        await _seal_anew(context, key)
    return await call_delete_past_signing_keys(context.database)


async def _make_first(context: Context) -> SigningKey:
    """If several processes start together, one makes it and the others find it.

    It signs at once: whoever has kept a set of ours has kept one whose keys we can no longer open.
    """
    async with context.database.transaction() as transaction:
        await lock_signing_keys(transaction)
        keys = await select_signing_keys(transaction, context.keys)
        key = signer(keys, context.now())
        if key is None:
            key = await _make(context, transaction, SERVICE, lead=timedelta(0), stay=KEPT_FOR)
    context.changes.note(ALL_KEYS)
    return key


async def _make(
    context: Context, statements: Statements, actor: Actor, *, lead: timedelta, stay: timedelta
) -> SigningKey:
    new = make_signing_key(context.keys, now_s=int(context.now().timestamp()))
    key = await insert_signing_key(statements, new, context.keys, begins_in=lead, others_stay=stay)
    detail: dict[str, str | int | None] = {"kid": key.kid, "begins_at": f"{key.begins_at:%Y-%m-%dT%H:%M:%SZ}"}
    await insert_audit_event(statements, AuditEvent("signing_key.made", actor, detail=detail))
    return key


async def _seal_anew(context: Context, key: SigningKey) -> None:
    """Seal it with the newest secret key, so that the one before can be taken away."""
    if key.private is not None and key.sealed_with != context.keys.code_key_name:
        sealed = seal_private(context.keys, key.private, now_s=int(context.now().timestamp()))
        await update_sealed(
            context.database, key.kid, key.sealed_with, sealed=sealed, seals_now=context.keys.code_key_name
        )

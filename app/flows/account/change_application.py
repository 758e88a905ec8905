"""Change a registered application: its description, its status, its secrets."""

from collections.abc import Collection
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Literal

from app.context import Context
from app.flows.account.connect_own import connect_own_customer
from app.flows.account.read_logo import read_logo
from app.flows.account.rights import require_ownership
from app.flows.token.grants import GRANTS
from app.oauth.actor import Actor
from app.oauth.assertion import key_digests
from app.oauth.client import Client, ClientStatus, application_id_of
from app.oauth.client_keys import check_key_set
from app.oauth.registration import check_registration
from app.oauth.token_string import mint_client_secret, secret_digest
from app.refused import RefusedError
from app.storage.people.application_changes import (
    ApplicationChanges,
    delete_client_secrets,
    delete_leaving_secret,
    rotate_client_secret,
    update_application,
    update_status,
)
from app.storage.people.application_reviews import decide_review
from app.storage.people.applications import Application, select_application_locked
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.client_keys import replace_client_keys
from app.storage.people.logos import insert_logo
from app.storage.postgres.database import Transaction

StatusChange = Literal["approve", "suspend", "resume", "delete"]

# The statuses that each change starts from, and the one it leads to. Nothing leads out of deleted.
_CHANGES: dict[StatusChange, tuple[tuple[ClientStatus, ...], ClientStatus, str]] = {
    "approve": (("pending",), "active", "application.approved"),
    "suspend": (("active",), "suspended", "application.suspended"),
    "resume": (("suspended",), "active", "application.resumed"),
    "delete": (("pending", "active", "suspended"), "deleted", "application.deleted"),
}


# What an owner may change here. The customer that it acts for, and its grants, are an operator's to say.
_OWNERS_IN_TEST = {"name", "company", "logo", "redirect_uris", "scope", "jwks"}
_OWNERS_LIVE = {"jwks"}
_SHOWN = 40  # characters of what is no client_id; one has 36


class ApplicationError(RefusedError):
    """The application cannot be changed like this, or there is none."""

    code = "application_conflict"
    status = 409


async def find_application(context: Context, unverified_client_id: str) -> Application:
    """The application, even a deleted one. Raises ApplicationError when nobody has the client_id."""
    client_id = application_id_of(unverified_client_id)
    # The store is asked, not the memory: what is changed is what is there.
    found = await context.gathered.applications.ask(client_id) if client_id else None
    if found is None or not found.client.is_called(unverified_client_id):
        raise ApplicationError(
            f"no application has the client_id {unverified_client_id[:_SHOWN]}",
            code="unknown_application",
            status=404,
        )
    return found


async def change_application(
    context: Context,
    actor: Actor,
    client_id: str,
    changes: ApplicationChanges,
    *,
    logo: bytes | None = None,
    jwks: bytes | None = None,
) -> Client:
    """Change an application, and return it as it is now.

    jwks: the JWK Set that replaces its keys and its secrets.
    Raises ApplicationError when it is unknown or deleted, or the actor is an owner and a reviewer has to say yes, and
    what `register_application` raises.
    """
    if jwks is not None:
        changes = replace(changes, jwks=check_key_set(jwks))
    before = (await find_application(context, client_id)).client
    if before.test and changes.customer_id is not None:
        raise ApplicationError(
            "the application is in test mode, and meets no real customer before its review"
        )
    asked = {
        name: value for name, value in asdict(changes).items() if value is not None and name != "logo_digest"
    }
    after = check_registration(
        replace(before, **asked), GRANTS.values(), development=context.policy.development
    )
    read = await read_logo(logo) if logo is not None else None
    logo_digest = read.digest if read is not None else None
    # What is written is the canonical form of what was asked for, and nothing else.
    written = ApplicationChanges(**{name: getattr(after, name) for name in asked}, logo_digest=logo_digest)
    async with context.database.transaction() as transaction:
        await _require_may_change(transaction, actor, before, set(asked) | ({"logo"} if logo else set()))
        if read is not None:
            await insert_logo(transaction, read)
        if not await update_application(transaction, before.id, written):
            raise ApplicationError("the application is deleted")
        if written.jwks is not None:
            await delete_client_secrets(transaction, before.id)
            await replace_client_keys(transaction, before.id, key_digests(written.jwks))
        changed = ", ".join([*asked, *(["logo"] if logo is not None else [])])
        event_id = await insert_audit_event(
            transaction, _event("application.updated", actor, before, changed=changed)
        )
        if written.customer_id is not None:
            parties = written.customer_id, before.id
            await connect_own_customer(context, transaction, actor, *parties, event_id=event_id)
    context.changes.note(before.id)
    return replace(after, secrets=()) if written.jwks is not None else after


async def change_status(context: Context, actor: Actor, client_id: str, change: StatusChange) -> Client:
    """Change one row, which every process sees at its next look; no token is touched.

    A proposal that waits for review goes with a deletion.
    Raises ApplicationError when the application is unknown, its status does not allow the change, or the actor is an
    owner who wants another change than to delete their own.
    """
    client = (await find_application(context, client_id)).client
    before, after, event = _CHANGES[change]
    async with context.database.transaction() as transaction:
        await _require_may_decide(transaction, actor, client, change)
        if not await update_status(transaction, client.id, before, after):
            raise ApplicationError(f"the application is {client.status}, so `{change}` changes nothing")
        if change == "delete":
            await decide_review(transaction, client.id, "withdrawn", decided_by=actor.person_id)
        await insert_audit_event(transaction, _event(event, actor, client))
    context.changes.note(client.id)
    return replace(client, status=after)


async def rotate_secret(context: Context, actor: Actor, client_id: str, overlap: timedelta) -> str:
    """Make a new secret, which is shown only now. The one before stays good for the overlap.

    Raises ApplicationError when it is unknown or deleted, has no secrets, or has two that are good, and OwnerError when
    the actor is an owner no more.
    """
    client = (await find_application(context, client_id)).client
    if client.public:
        raise ApplicationError("a public application has no secret")
    if client.jwks is not None:
        raise ApplicationError("the application proves itself by its keys", code="keys_not_secret")
    if client.status == "deleted":
        raise ApplicationError("the application is deleted")
    secret = mint_client_secret()
    overlap_s = int(overlap.total_seconds())
    async with context.database.transaction() as transaction:
        await require_ownership(transaction, actor, client.id)
        if not await rotate_client_secret(transaction, client.id, secret_digest(secret), overlap_s=overlap_s):
            raise ApplicationError(
                "the secret of the last rotation is still good, and two are the most: retire it first"
            )
        await insert_audit_event(
            transaction, _event("application.secret_rotated", actor, client, overlap_s=overlap_s)
        )
    context.changes.note(client.id)
    return secret


async def retire_secret(context: Context, actor: Actor, client_id: str) -> None:
    """End the secret that a rotation left good for a while. Raises ApplicationError when there is none."""
    client = (await find_application(context, client_id)).client
    async with context.database.transaction() as transaction:
        await require_ownership(transaction, actor, client.id)
        if not await delete_leaving_secret(transaction, client.id):
            raise ApplicationError("there is no second secret that is still good")
        await insert_audit_event(transaction, _event("application.secret_retired", actor, client))
    context.changes.note(client.id)


def _event(event: str, actor: Actor, client: Client, **detail: str | int | None) -> AuditEvent:
    return AuditEvent(event, actor, application_id=client.id, detail=detail)


async def _require_may_change(
    transaction: Transaction, actor: Actor, client: Client, asked: Collection[str]
) -> None:
    """An owner changes the keys of a live application alone here: all else waits for a reviewer.

    Raises ApplicationError.
    """
    if actor.kind != "application owner":
        return
    test = await _lock_own(transaction, actor, client)
    if set(asked) - (_OWNERS_IN_TEST if test else _OWNERS_LIVE):
        raise ApplicationError("a reviewer has to say yes to this", code="needs_review", status=403)


async def _require_may_decide(
    transaction: Transaction, actor: Actor, client: Client, change: StatusChange
) -> None:
    """An owner may delete, and nothing else. Raises ApplicationError."""
    if actor.kind != "application owner":
        return
    await _lock_own(transaction, actor, client)
    if change != "delete":
        raise ApplicationError(
            f"only an operator may {change} an application", code="not_operator", status=403
        )


async def _lock_own(transaction: Transaction, actor: Actor, client: Client) -> bool:
    """Whether it is in test mode, which stays so until the transaction ends. Raises OwnerError for strangers."""
    application = await select_application_locked(transaction, client.id)
    await require_ownership(transaction, actor, client.id)
    return application is not None and application.client.test

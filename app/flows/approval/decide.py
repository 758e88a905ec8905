"""Approve or deny (RFC 6749 section 4.1.2): a page's first decision stands, and repeating it repeats its answer."""

from datetime import UTC, datetime, timedelta
from typing import Literal, NoReturn
from uuid import UUID

from app.context import Context
from app.flows.account.rights import require_right
from app.flows.approval.authorize import prove_redirect_uri
from app.flows.approval.browser_flow import ApprovalFlow
from app.flows.approval.terms import Terms, approve_terms, require_terms
from app.flows.mail.tell_both_sides import tell_of_beginning, tell_of_change
from app.flows.token.granted_details import write_approved
from app.oauth.actor import Actor
from app.oauth.client import Client
from app.oauth.code_secret import code_secret
from app.oauth.errors import PageError
from app.oauth.token_string import TokenString, bucket_of, compose, with_bucket
from app.refused import ToldError
from app.sentence import Sentence
from app.storage.fleet.view import FleetView, fleet_of
from app.storage.people.applications import Application
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.postgres.database import Statements, Transaction
from app.storage.token.codes import Approval, Decided, Marker, write_decision
from app.storage.token.connections import connect, mark_detailed, select_connection_locked
from app.storage.token.grants import select_approval_state

Decision = Literal["approve", "deny"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class AlreadyConnectedError(ToldError):
    """The approval was redeemed before: nothing is written, and no second code is given out."""

    code = "already_connected"
    status = 409
    title = Sentence("This application is connected already")

    def __init__(self, application: Application) -> None:
        super().__init__(
            Sentence("%(name)s was connected by this approval before.", name=application.client.name)
        )
        self.application = application


async def decide(
    context: Context,
    actor: Actor,
    flow: ApprovalFlow,
    decision: Decision,
    *,
    redirect_uri: str | None,
    terms: Terms | None = None,
    language: str | None = None,
) -> TokenString | None:
    """The code of an approval, None for a denial. The owners of both sides are told by mail of what it begins or changes.

    redirect_uri: where the code goes, and is bound to; None where no browser takes it. terms: what is shared; None
    leaves what was chosen before, and shares everything where nothing was.
    language: of the page, for owners who chose none.
    Raises PageError when the approval can no longer be completed, AlreadyConnectedError when it was redeemed,
    RoleError when the actor may not connect applications, and FieldError when the terms would share nothing.
    """
    application = await _still_registered(context, flow, redirect_uri)
    if decision == "deny":
        marker = await _new_marker(context, context.database, flow, decision, application)
        _require_same(await _write(context, marker, None), flow, decision)
        return None
    # The role stays as it stands until the approval is written. Whoever loses it afterwards approved before.
    async with fleet_of(context.database, FleetView(flow.customer_id)) as transaction:
        await require_right(transaction, actor, flow.customer_id, "connect")
        if terms is not None:
            await require_terms(transaction, flow.customer_id, terms)
        marker = await _new_marker(context, transaction, flow, decision, application)
        approval = _approval(context, flow, application.client, marker, redirect_uri)
        if flow.details is not None and terms is not None:
            approval.details = await _granted(transaction, flow.customer_id, terms)
        decided = await _write(context, marker, approval)
        began: bool = False
        told: UUID | None = None
        if decided.marker.decision == "approve":
            began, told = await _connect(transaction, actor, approval, decided.marker, terms)
            if began or (decided.marker == marker and not await _began_by(transaction, approval)):
                event_id = await insert_audit_event(transaction, _event(actor, approval))
                told = event_id if began else told
        if told is not None:
            parties = flow.customer_id, flow.application_id
            tell = tell_of_beginning if began else tell_of_change
            await tell(context, transaction, *parties, told, language=language)
    context.changes.note((flow.customer_id, flow.application_id))
    _require_same(decided, flow, decision)
    if not decided.code_waits:
        await _raise_why_no_code_waits(context, marker, application)
    return _code(context, application.client, decided.marker)


async def _write(context: Context, marker: Marker, approval: Approval | None) -> Decided:
    return await write_decision(
        context.valkey,
        marker,
        approval,
        marker_life_ms=_marker_life_ms(context),
        code_life_ms=_milliseconds(context.policy.lifetimes.code),
    )


async def _connect(
    transaction: Transaction, actor: Actor, approval: Approval, marker: Marker, terms: Terms | None
) -> tuple[bool, UUID | None]:
    """Whether a connection begins, and the audit event of other terms.

    By the time of the decision that stands: a repetition finds its row, and brings back nothing that was cut since.
    """
    approved_at = _EPOCH + timedelta(microseconds=marker.approved_at_us)
    began = await connect(
        transaction,
        approval.customer_id,
        approval.application_id,
        route="code",
        approved_by=marker.member_id,
        approved_at=approved_at,
    )
    parties = approval.customer_id, approval.application_id
    if approval.details is not None:
        await mark_detailed(transaction, *parties)
    if terms is None:
        return began, None
    return began, await approve_terms(transaction, actor, *parties, terms, approved_at=approved_at)


async def _granted(transaction: Transaction, customer_id: UUID, terms: Terms) -> str:
    return await write_approved(
        transaction, customer_id, terms.machines, history_from=terms.history_from, ends_at=terms.ends_at
    )


async def _began_by(transaction: Transaction, approval: Approval) -> bool:
    """Whether a repetition of this approval was faster: it began the connection, and wrote the event."""
    found = await select_connection_locked(transaction, approval.customer_id, approval.application_id)
    approved_at = _EPOCH + timedelta(microseconds=approval.approved_at_us)
    return found is not None and found.approved_at == approved_at


def _require_same(decided: Decided, flow: ApprovalFlow, decision: Decision) -> None:
    if (decided.marker.member_id, decided.marker.decision) != (flow.member_id, decision):
        raise PageError(
            Sentence("You decided already"),
            Sentence(
                "Another decision was taken on this page before, and it stands. Start again from the application if you changed your mind."
            ),
            409,
        )


async def _still_registered(context: Context, flow: ApprovalFlow, redirect_uri: str | None) -> Application:
    """The application may have lost the redirect URI, or everything, while the page was open."""
    application = await context.gathered.applications.find(flow.application_id)
    if application is None or not application.client.active:
        raise PageError(
            Sentence("This application is not available"),
            Sentence("It was suspended or removed meanwhile. Nothing was shared."),
        )
    if redirect_uri is not None:
        prove_redirect_uri(context, application.client, redirect_uri)
    return application


async def _new_marker(
    context: Context, statements: Statements, flow: ApprovalFlow, decision: Decision, application: Application
) -> Marker:
    """PostgreSQL is asked first: its clock gives approved_at, and a grant under this id ends the matter."""
    code_id = with_bucket(flow.flow_id, bucket_of(flow.customer_id))
    now_us, granted = await select_approval_state(statements, code_id)
    if granted:
        raise AlreadyConnectedError(application)
    return Marker(code_id, flow.member_id, decision, context.keys.code_key_name, now_us)


def _approval(
    context: Context, flow: ApprovalFlow, client: Client, marker: Marker, redirect_uri: str | None
) -> Approval:
    return Approval(
        code_id=marker.code_id,
        code_digest=_code(context, client, marker).digest,
        application_id=client.id,
        customer_id=flow.customer_id,
        member_id=marker.member_id,
        redirect_uri=redirect_uri,
        scope=flow.scope,
        code_challenge=flow.code_challenge,
        approved_at_us=marker.approved_at_us,
    )


def _code(context: Context, client: Client, marker: Marker) -> TokenString:
    """Made from the id and a key, so that a double submit gets the same code though nobody stored it."""
    key = context.keys.code_keys.get(marker.key_name)
    if key is None:
        raise _expired()
    token_class: Literal["c", "s"] = "s" if client.kind == "strict" else "c"
    return compose("ac", token_class, marker.code_id, code_secret(key, marker.code_id, client.id))


async def _raise_why_no_code_waits(context: Context, marker: Marker, application: Application) -> NoReturn:
    """A marker without its code: it was redeemed a moment ago, or nobody fetched it in time."""
    _, granted = await select_approval_state(context.database, marker.code_id)
    if granted:
        raise AlreadyConnectedError(application)
    raise _expired()


def _event(actor: Actor, approval: Approval) -> AuditEvent:
    return AuditEvent(
        "application.approved",
        actor,
        application_id=approval.application_id,
        customer_id=approval.customer_id,
        detail={"scope": approval.scope, "code": str(approval.code_id)},
    )


def _expired() -> PageError:
    return PageError(
        Sentence("This approval has expired"), Sentence("Please start again from the application."), 410
    )


def _marker_life_ms(context: Context) -> int:
    """Counted from the decision, so it outlives every copy of the form, by more than clocks may differ."""
    return _milliseconds(context.policy.flow_life + context.policy.lifetimes.code)


def _milliseconds(duration: timedelta) -> int:
    return int(duration.total_seconds() * 1000)

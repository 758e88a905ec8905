"""Approve or deny (RFC 6749 section 4.1.2): a page's first decision stands, and repeating it repeats its answer."""

from datetime import timedelta
from typing import Literal, NoReturn

from app.context import Context
from app.flows.approval.browser_flow import ApprovalFlow
from app.oauth.client import Client
from app.oauth.code_secret import code_secret
from app.oauth.errors import PageError
from app.oauth.redirect_uri import match
from app.oauth.token_string import TokenString, bucket_of, compose, with_bucket
from app.refused import RefusedError
from app.storage.people.applications import Application
from app.storage.people.people import Member
from app.storage.token.codes import Approval, Marker, write_decision
from app.storage.token.grants import select_approval_state

Decision = Literal["approve", "deny"]


class AlreadyConnectedError(RefusedError):
    """The approval was redeemed before: nothing is written, and no second code is given out."""

    code = "already_connected"
    status = 409
    title = "This application is connected already"

    def __init__(self, application: Application) -> None:
        super().__init__(f"{application.client.name} was connected by this approval before.")
        self.application = application


async def decide(
    context: Context, flow: ApprovalFlow, member: Member, decision: Decision, *, redirect_uri: str | None
) -> TokenString | None:
    """The code of an approval, None for a denial.

    redirect_uri: where the code goes, and is bound to; None where no browser takes it.
    Raises PageError when the approval can no longer be completed, AlreadyConnectedError when it was redeemed.
    """
    application = await _still_registered(context, flow, redirect_uri)
    client = application.client
    marker = await _new_marker(context, flow, member, decision, application)
    approval = _approval(context, flow, client, marker, redirect_uri) if decision == "approve" else None
    decided = await write_decision(
        context.valkey,
        marker,
        approval,
        marker_life_ms=_marker_life_ms(context),
        code_life_ms=_milliseconds(context.policy.lifetimes.code),
    )
    if (decided.marker.member_id, decided.marker.decision) != (member.id, decision):
        raise PageError(
            "You decided already",
            "Another decision was taken on this page before, and it stands. Start again from the application if you changed your mind.",
            409,
        )
    if decision == "deny":
        return None
    if not decided.code_waits:
        await _raise_why_no_code_waits(context, marker, application)
    return _code(context, client, decided.marker)


async def _still_registered(context: Context, flow: ApprovalFlow, redirect_uri: str | None) -> Application:
    """The application may have lost the redirect URI, or everything, while the page was open."""
    application = await context.gathered.applications.find(flow.application_id)
    if application is None or not application.client.active:
        raise PageError(
            "This application is not available", "It was suspended or removed meanwhile. Nothing was shared."
        )
    if redirect_uri is not None:
        match(redirect_uri, application.client.redirect_uris, public=application.client.public)
    return application


async def _new_marker(
    context: Context, flow: ApprovalFlow, member: Member, decision: Decision, application: Application
) -> Marker:
    """PostgreSQL is asked first: its clock gives approved_at, and a grant under this id ends the matter."""
    code_id = with_bucket(flow.flow_id, bucket_of(flow.customer_id))
    now_us, granted = await select_approval_state(context.database, code_id)
    if granted:
        raise AlreadyConnectedError(application)
    return Marker(code_id, member.id, decision, context.keys.code_key_name, now_us)


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


def _expired() -> PageError:
    return PageError("This approval has expired", "Please start again from the application.", 410)


def _marker_life_ms(context: Context) -> int:
    """Counted from the decision, so it outlives every copy of the form, by more than clocks may differ."""
    return _milliseconds(context.policy.flow_life + context.policy.lifetimes.code)


def _milliseconds(duration: timedelta) -> int:
    return int(duration.total_seconds() * 1000)

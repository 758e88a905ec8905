"""Approve or deny (RFC 6749 section 4.1.2): the first decision on a consent page stands, and repeating it repeats its answer."""

from datetime import timedelta
from typing import Literal

from app.context import Context
from app.flows.authorize import answer_uri
from app.flows.browser_flow import ConsentFlow
from app.oauth.client import Client
from app.oauth.code_secret import code_secret
from app.oauth.errors import PageError, access_denied
from app.oauth.redirect_uri import match
from app.oauth.token_string import TokenString, bucket_of, compose, with_bucket
from app.storage.codes import Approval, Marker, write_decision
from app.storage.grants import select_approval_state
from app.storage.people import Member

Decision = Literal["approve", "deny"]


class AlreadyConnectedError(Exception):
    """The approval was redeemed before: nothing is written, and no second code is given out."""


async def decide(context: Context, flow: ConsentFlow, member: Member, decision: Decision) -> str:
    """Where the browser goes next. Raises PageError when the approval can no longer be completed."""
    client = await _still_registered(context, flow)
    marker = await _new_marker(context, flow, member, decision)
    approval = _approval(context, flow, member, client, marker) if decision == "approve" else None
    decided = await write_decision(
        context.valkey,
        marker,
        approval,
        marker_life_ms=_left_ms(context, flow),
        code_life_ms=_milliseconds(context.policy.code_life),
    )
    if (decided.marker.member_id, decided.marker.decision) != (member.id, decision):
        raise PageError(
            "You decided already",
            "Another decision was taken on this page before, and it stands. Start again from the application if you changed your mind.",
            409,
        )
    if decision == "deny":
        refused = access_denied()
        return answer_uri(
            context,
            flow.redirect_uri,
            flow.state,
            ("error", refused.error),
            ("error_description", refused.description),
        )
    if not decided.code_waits:
        await _explain_missing_code(context, marker)
    return answer_uri(
        context, flow.redirect_uri, flow.state, ("code", _code(context, client, decided.marker).text)
    )


async def _still_registered(context: Context, flow: ConsentFlow) -> Client:
    """The application may have lost the redirect URI, or everything, while the page was open."""
    application = await context.gathered.applications(flow.application_id)
    if application is None or application.client.status != "active":
        raise PageError(
            "This application is not available", "It was suspended or removed meanwhile. Nothing was shared."
        )
    match(flow.redirect_uri, application.client.redirect_uris, public=application.client.public)
    return application.client


async def _new_marker(context: Context, flow: ConsentFlow, member: Member, decision: Decision) -> Marker:
    """PostgreSQL is asked first: its clock gives approved_at, and a grant under this id ends the matter."""
    code_id = with_bucket(flow.flow_id, bucket_of(flow.customer_id))
    now_us, granted = await select_approval_state(context.database, code_id)
    if granted:
        raise AlreadyConnectedError
    return Marker(code_id, member.id, decision, context.keys.code_key_name, now_us)


def _approval(
    context: Context, flow: ConsentFlow, member: Member, client: Client, marker: Marker
) -> Approval:
    return Approval(
        code_id=marker.code_id,
        code_digest=_code(context, client, marker).digest,
        application_id=client.id,
        customer_id=flow.customer_id,
        member_id=member.id,
        redirect_uri=flow.redirect_uri,
        scope=flow.scope,
        audience=None,
        code_challenge=flow.code_challenge,
        approved_at_us=marker.approved_at_us,
    )


def _code(context: Context, client: Client, marker: Marker) -> TokenString:
    """Made from the id and a key, so that a double submit gets the same code though nobody stored it."""
    key = context.keys.code_keys.get(marker.key_name)
    if key is None:
        raise PageError("This approval has expired", "Please start again from the application.")
    token_class: Literal["c", "s"] = "s" if client.kind == "strict" else "c"
    return compose("ac", token_class, marker.code_id, code_secret(key, marker.code_id))


async def _explain_missing_code(context: Context, marker: Marker) -> None:
    """Marker without code: it was redeemed a moment ago, or nobody fetched it in time."""
    _, granted = await select_approval_state(context.database, marker.code_id)
    if granted:
        raise AlreadyConnectedError
    raise PageError("This approval has expired", "Please start again from the application.", 410)


def _left_ms(context: Context, flow: ConsentFlow) -> int:
    """The rest of the page's life: the marker must outlive every copy of the form, and no longer."""
    age_ms = int(context.now().timestamp() * 1000) - flow.begun_at_s * 1000
    return max(_milliseconds(context.policy.flow_life) - age_ms, _milliseconds(context.policy.code_life))


def _milliseconds(duration: timedelta) -> int:
    return int(duration.total_seconds() * 1000)

"""Flow state that travels through a browser: sealed, bound to the browser that began it, stored nowhere."""

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from hmac import compare_digest
from typing import Any
from uuid import UUID

import orjson

from app.context import Context
from app.oauth.keys import Purpose
from app.refused import ToldError
from app.sentence import Sentence


class FlowLostError(ToldError):
    """The state is missing, forged, too old, or another browser's; the person starts again from the application."""

    code = "flow_lost"
    title = Sentence("This page has expired")

    def __init__(self, detail: str) -> None:
        super().__init__(
            Sentence(
                "The page was open too long, or was begun in another browser or window. Nothing was changed. "
                "Please start again where you came from."
            ),
            detail=detail,
        )


@dataclass(frozen=True, slots=True)
class ApprovalFlow:
    """What a customer is asked to approve, and who saw it.

    details: authorization details, as `FleetDetails.text` writes them; None where the application sent none.
    """

    flow_id: UUID
    member_id: UUID
    customer_id: UUID
    application_id: UUID
    scope: str
    code_challenge: str | None
    details: str | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True)
class ConsentFlow(ApprovalFlow):
    """One consent page, and where the browser goes with the answer."""

    redirect_uri: str
    state: str | None


@dataclass(frozen=True, slots=True)
class SignInFlow:
    """Where a sign-in leads. path: ours, with its query. client_id: the application that asks for it."""

    path: str
    client_id: str | None = None


@dataclass(frozen=True, slots=True)
class CodeFlow:
    """A sign-in whose password was right, and that waits for a code. way: where it leads."""

    way: SignInFlow
    person_id: UUID
    password_digest: str


@dataclass(frozen=True, slots=True)
class FormFlow:
    """The purpose of a form on a signed-in page."""

    action: str
    subject: str


@dataclass(frozen=True, slots=True)
class ChallengeFlow:
    """A challenge that a passkey answers. purpose: what the answer may be used for."""

    purpose: str
    challenge: str


Flow = ConsentFlow | SignInFlow | CodeFlow | FormFlow | ChallengeFlow

_PURPOSES: dict[type[Flow], Purpose] = {
    ConsentFlow: "flow",
    SignInFlow: "flow",
    CodeFlow: "flow",
    FormFlow: "form",
    ChallengeFlow: "flow",
}
_CHALLENGE_LIFE = timedelta(minutes=5)


def seal_flow(context: Context, flow: Flow, *, browser: str) -> str:
    """Seal a flow. browser: the value of the cookie that marks the browser or session the flow belongs to."""
    payload = {"kind": type(flow).__name__, "browser": _digest(browser), "flow": flow}
    return context.keys.seal(
        _PURPOSES[type(flow)], orjson.dumps(payload, default=str), now_s=int(context.now().timestamp())
    )


def open_consent(context: Context, sealed: str | None, *, browser: str | None) -> ConsentFlow:
    """Raises FlowLostError when the state is missing, forged, too old, or another browser's."""
    fields = _open(context, ConsentFlow, sealed, browser)
    for name in ("flow_id", "member_id", "customer_id", "application_id"):
        fields[name] = UUID(fields[name])
    return ConsentFlow(**fields)


def open_sign_in(context: Context, sealed: str | None, *, browser: str | None) -> SignInFlow:
    """Raises FlowLostError when the state is missing, forged, too old, or another browser's."""
    fields = _open(context, SignInFlow, sealed, browser)
    return SignInFlow(fields["path"], fields["client_id"])


def open_code(context: Context, sealed: str | None, *, browser: str | None) -> CodeFlow:
    """Raises FlowLostError when the state is missing, forged, too old, or another browser's."""
    fields = _open(context, CodeFlow, sealed, browser)
    return CodeFlow(SignInFlow(**fields["way"]), UUID(fields["person_id"]), fields["password_digest"])


def open_form(context: Context, sealed: str | None, *, browser: str | None, action: str) -> FormFlow:
    """Raises FlowLostError for the same reasons, and when the form was made for another action."""
    form = FormFlow(**_open(context, FormFlow, sealed, browser))
    if form.action != action:
        raise FlowLostError("the form was made for something else")
    return form


def open_challenge(
    context: Context, sealed: str | None, *, browser: str | None, purpose: str
) -> bytes | None:
    """The challenge; None when it is missing, forged, older than 5 minutes, another browser's or made for another purpose."""
    try:
        flow = ChallengeFlow(**_open(context, ChallengeFlow, sealed, browser))
    except FlowLostError:
        return None
    return bytes.fromhex(flow.challenge) if flow.purpose == purpose else None


def _open(context: Context, kind: type[Flow], sealed: str | None, browser: str | None) -> dict[str, Any]:
    if not sealed or not browser:
        raise FlowLostError("no flow state, or no cookie of the browser that began it")
    life = _life_of(context, kind)
    payload = context.keys.unseal(
        _PURPOSES[kind], sealed, now_s=int(context.now().timestamp()), life_s=int(life.total_seconds())
    )
    if payload is None:
        raise FlowLostError("the flow state is forged or too old")
    opened = orjson.loads(payload)
    # Another browser's state would let an attacker's flow be finished by a victim.
    if opened["kind"] != kind.__name__ or not compare_digest(opened["browser"], _digest(browser)):
        raise FlowLostError("the flow state belongs to another browser")
    fields: dict[str, Any] = opened["flow"]
    return fields


def _life_of(context: Context, kind: type[Flow]) -> timedelta:
    if kind is ChallengeFlow:
        return _CHALLENGE_LIFE
    # A form of a signed-in page lives as long as the session it is bound to: signing out must never be too late.
    return context.policy.session_absolute if kind is FormFlow else context.policy.flow_life


def _digest(browser: str) -> str:
    return hashlib.sha256(browser.encode()).hexdigest()

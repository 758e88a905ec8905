"""Explain a token to those who run the service: its parties, and every reason for its death."""

from collections.abc import Iterator
from datetime import datetime
from hmac import compare_digest
from typing import NamedTuple
from uuid import UUID

from app.context import Context
from app.oauth.token_string import LegacyToken, TokenString, recognise
from app.storage.token.token_facts import TokenFacts, select_token_facts

_NOT_OURS = "it is no token of this service, or was mistyped or cut: its check digits do not fit"
_A_CODE = "it is an authorization code, which opens nothing: its application exchanges it for a token"
_KINDS = {
    "at": "access token",
    "rt": "refresh token",
    "ac": "authorization code",
    "legacy": "access token of a former system",
}
_UNKNOWN = "nobody was issued it here, or it ended so long ago that its row was deleted"


class Explained(NamedTuple):
    """reasons: why it is dead, empty for an active one. facts: None for a token that is not known."""

    kind: str
    reasons: tuple[str, ...]
    facts: TokenFacts | None


async def explain_token(context: Context, unverified_token: str) -> Explained:
    token = recognise(unverified_token)
    if token is None:
        return Explained("unknown", (_NOT_OURS,), None)
    kind = _KINDS[token.kind]
    if token.kind == "ac":
        return Explained(kind, (_A_CODE,), None)
    facts = await _find_facts(context, token)
    if facts is not None:
        reasons = [*_reasons(facts), *(_reasons_of_the_move(context) if token.kind == "legacy" else ())]
        return Explained(kind, tuple(reasons), facts)
    if token.kind == "legacy":  # any string may be one
        return Explained("unknown", (_NOT_OURS,), None)
    return Explained(kind, (_UNKNOWN,), None)


async def find_reasons(context: Context, token: TokenString) -> tuple[UUID, tuple[str, ...]] | None:
    """The application of a token, and why it is dead; None for one that nobody was issued."""
    facts = await _find_facts(context, token)
    return (facts.application_id, tuple(_reasons(facts))) if facts else None


def _reasons_of_the_move(context: Context) -> Iterator[str]:
    until = context.policy.legacy_tokens_until
    if until is None:
        yield "tokens of a former system are accepted only where ROVITRACKER_LEGACY_TOKENS_UNTIL is set"
    elif not context.policy.takes_legacy_tokens(context.now):
        yield f"all tokens of the former system ended at {_time(until)}"


async def _find_facts(context: Context, token: TokenString | LegacyToken) -> TokenFacts | None:
    """An id that is right with a secret that is wrong is a forged token: nothing is told of the right one."""
    facts = await select_token_facts(context.database, token, audience=context.policy.audience)
    return facts if facts is not None and compare_digest(facts.digest, token.digest) else None


def _reasons(facts: TokenFacts) -> Iterator[str]:
    if facts.revoked_at:
        yield f"it was revoked at {_time(facts.revoked_at)}"
    if facts.grant_revoked_at:
        yield f"all tokens of its approval were revoked at {_time(facts.grant_revoked_at)}"
    if facts.cut_at and facts.approved_at <= facts.cut_at:
        yield f"the customer's connection to the application was ended at {_time(facts.cut_at)}"
    if facts.connection_ends_at and facts.connection_ends_at <= facts.now:
        yield f"the customer shared their machines until {_time(facts.connection_ends_at)}"
    if facts.successor_id:
        yield "it was spent: its application has the refresh token that came in its place"
    if facts.expires_at and facts.expires_at <= facts.now:
        yield f"it expired at {_time(facts.expires_at)}"
    if facts.application_status != "active":
        yield f"its application is {facts.application_status}"
    if facts.customer_disabled_at:
        yield f"its customer is disabled since {_time(facts.customer_disabled_at)}"


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"

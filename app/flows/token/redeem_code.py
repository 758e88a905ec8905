"""Redeem an authorization code: taken from Valkey once, and turned into its grant and first token by one statement."""

from hmac import compare_digest
from typing import NoReturn
from uuid import UUID

from app.context import Context
from app.flows.token.issued_token import IssuedToken
from app.flows.token.revoke_surplus import revoke_surplus
from app.oauth.actor import Actor
from app.oauth.client import Client
from app.oauth.errors import invalid_grant, invalid_request
from app.oauth.pkce import verifier_matches
from app.oauth.request import TokenRequest, check_resource
from app.oauth.token_string import TokenString, mint, parse
from app.storage.errors import NotSentError, StatementRefusedError, StoreUnavailableError
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.token.codes import Approval, put_code_back, take_code
from app.storage.token.grants import Redemption, StandingGrant, mark_grant_revoked, select_grants
from app.throttling.look_up import redeem_in_turn


async def redeem_code(
    context: Context, client: Client, request: TokenRequest, asker: str | None
) -> IssuedToken:
    """RFC 6749 section 4.1.3. Whatever does not fit ends in the same invalid_grant, and the code is burned.

    Raises OAuthError 429, with the code left as it was, when the asker failed too often.
    """
    if request.code is None:
        raise invalid_request("code is missing")
    check_resource(request.resource, served=context.policy.audience)  # before anything is taken
    code = parse(request.code)
    if code is None or code.kind != "ac":
        raise invalid_grant("not one of our codes: no store was asked")
    return await redeem_in_turn(context.failures, asker, _redeem(context, client, request, code))


async def _redeem(context: Context, client: Client, request: TokenRequest, code: TokenString) -> IssuedToken:
    approval = await _take(context, code)
    if approval is None:
        await _refuse_second_use(context, client, request, code)
    _check(approval, client, request, code)
    return await _remember(context, client, request, code, approval)


async def _take(context: Context, code: TokenString) -> Approval | None:
    """GETDEL, and once more when its reply was lost: what stands then was not taken.

    None means somebody took it. When that may have been our own lost first attempt and no grant stands, nobody
    redeemed it: the outcome is unknown, and the caller hears that rather than "used" (R-5).
    """
    try:
        return await take_code(context.valkey, code.id)
    except NotSentError:  # nobody took it, and asking again would only lengthen the queue
        raise
    except StoreUnavailableError as lost:
        approval = await take_code(context.valkey, code.id)
        if approval is None and not await select_grants(context.database, [code.id]):
            raise StoreUnavailableError("the code was taken and the reply lost") from lost
        return approval


def _check(approval: Approval, client: Client, request: TokenRequest, code: TokenString) -> None:
    """What the code is bound to (RFC 6749 section 4.1.3, RFC 7636 section 4.6)."""
    if not compare_digest(approval.code_digest, code.digest):
        raise invalid_grant("the code's secret part is wrong")
    if approval.application_id != client.id:
        raise invalid_grant("the code belongs to another application")
    if request.redirect_uri is not None and request.redirect_uri != approval.redirect_uri:
        raise invalid_grant("redirect_uri differs from the one the code went to")
    if not verifier_fits(approval.code_challenge, request.code_verifier):
        raise invalid_grant("code_verifier does not fit the challenge")


def verifier_fits(code_challenge: str | None, code_verifier: str | None) -> bool:
    """A verifier without a challenge is refused too: somebody stripped the challenge on the way (RFC 9700 section 4.8.2)."""
    if code_challenge is None or code_verifier is None:
        return code_challenge is None and code_verifier is None
    return verifier_matches(code_challenge, code_verifier)


async def _remember(
    context: Context, client: Client, request: TokenRequest, code: TokenString, approval: Approval
) -> IssuedToken:
    strict, bucket = client.kind == "strict", code.bucket  # the customer's, as all ids of theirs
    token = mint("at", "s" if strict else "c", bucket)
    refresh = mint("rt", "s", bucket) if strict and client.allows("refresh_token") else None
    await _store(context, client, request, code, _redemption(approval, token, refresh))
    if strict:
        life_s = int(context.policy.strict_access_life.total_seconds())
        return IssuedToken(token.text, life_s, approval.scope, refresh.text if refresh else None)
    pair = (approval.customer_id, client.id)
    context.background.collect("surplus", pair, lambda pairs: revoke_surplus(context, pairs), pause_s=0.2)
    return IssuedToken(token.text, int(context.policy.classic_life.total_seconds()), approval.scope)


def _redemption(approval: Approval, token: TokenString, refresh: TokenString | None) -> Redemption:
    if refresh is None:
        return Redemption(approval, token.id, token.digest)
    return Redemption(approval, token.id, token.digest, refresh.id, refresh.digest)


async def _store(
    context: Context, client: Client, request: TokenRequest, code: TokenString, redemption: Redemption
) -> None:
    """Committed when it returns; raises whatever else became of it."""
    gathered = context.gathered
    redeem = gathered.strict_redemptions if client.kind == "strict" else gathered.redemptions
    try:
        inserted = await redeem(redemption)
    except (StatementRefusedError, NotSentError):
        # Proven to have had no effect, so the customer need not approve again: the code goes back with its own end.
        life_ms = int(context.policy.code_life.total_seconds() * 1000)
        await put_code_back(context.valkey, redemption.approval, code_life_ms=life_ms)
        raise
    if not inserted:
        await _judge_standing_grant(context, client, request, code, redemption.token_id)


async def _judge_standing_grant(
    context: Context, client: Client, request: TokenRequest, code: TokenString, token_id: UUID
) -> None:
    """No row came back. ON CONFLICT hides a row that was committed meanwhile, so a new snapshot is asked."""
    grant = (await select_grants(context.database, [code.id])).get(code.id)
    if grant is None:
        raise invalid_grant("expired, or the application, the customer or the approval no longer stands")
    if grant.first_token_id != token_id:
        await _refuse_replay(context, client, request, code, grant)
    # Our own first attempt committed and its answer was lost: the token stands.


async def _refuse_second_use(
    context: Context, client: Client, request: TokenRequest, code: TokenString
) -> NoReturn:
    grant = (await select_grants(context.database, [code.id])).get(code.id)
    if grant is None:
        raise invalid_grant("unknown or expired")
    await _refuse_replay(context, client, request, code, grant)


async def _refuse_replay(
    context: Context, client: Client, request: TokenRequest, code: TokenString, grant: StandingGrant
) -> NoReturn:
    """A second use ends everything issued from the code, if the caller holds the whole of it (RFC 6749 section 4.1.2).

    Anybody else could only kill a connection that is not theirs, so that is noted and nothing more.
    """
    entitled = (
        grant.application_id == client.id
        and grant.code_digest is not None
        and compare_digest(grant.code_digest, code.digest)
        and (not client.public or verifier_fits(grant.code_challenge, request.code_verifier))
    )
    if entitled:
        await mark_grant_revoked(context.database, grant.id)
        context.changes.note(grant.id)
    await insert_audit_event(
        context.database,
        AuditEvent(
            "code.replayed" if entitled else "code.replay_refused",
            Actor("application", client.id),
            application_id=grant.application_id,
            grant_id=grant.id,
        ),
    )
    raise invalid_grant("used before")

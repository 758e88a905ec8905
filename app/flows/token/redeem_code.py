"""Redeem an authorization code: read from Valkey, turned into its grant and first token by one statement, and deleted."""

from dataclasses import dataclass
from hmac import compare_digest
from typing import NoReturn
from uuid import UUID

from app.context import Context
from app.flows.token.granted_details import Given
from app.flows.token.issued_token import MintedTokens
from app.flows.token.revoke_surplus import revoke_surplus_soon
from app.oauth.actor import Actor
from app.oauth.client import Client
from app.oauth.code_secret import code_secret
from app.oauth.errors import OAuthError
from app.oauth.grant_type import Asked
from app.oauth.pkce import verifier_matches
from app.oauth.refused_grant import Cause, refuse, verifier_fault
from app.oauth.token_string import TokenString, compose
from app.storage.errors import NotSentError, StoreUnavailableError
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.token.codes import Approval, burn_code, forget_code, read_code
from app.storage.token.fallen import select_fallen_of_code
from app.storage.token.grants import Redemption, StandingGrant, mark_grant_revoked, select_grants


@dataclass(slots=True)
class ProvenCode:
    """A code in the hands of the application it was made for."""

    code: TokenString
    code_verifier: str | None
    approval: Approval

    @property
    def bucket(self) -> int:
        """The customer's, as in all ids of theirs."""
        return self.code.bucket


async def prove_code(context: Context, client: Client, asked: Asked) -> ProvenCode:
    """Read the approval that the code stands for (RFC 6749 section 4.1.3).

    Raises invalid_grant when anything does not fit, once the code is burned.
    """
    code = asked.spent
    assert code is not None  # noqa: S101  # the grant's row says that a code is spent
    code_verifier = asked.parameters.get("code_verifier")
    approval = await _read(context, code)
    if approval is None:
        await _refuse_second_use(context, client, code, code_verifier)
    try:
        _check(approval, client, code, asked)
    except OAuthError:
        await burn_code(context.valkey, code.id)
        raise
    return ProvenCode(code, code_verifier, approval)


async def remember_grant(context: Context, client: Client, proof: ProvenCode, tokens: MintedTokens) -> Given:
    """What was approved, once grant and tokens are committed. Raises invalid_grant when they may not be.

    Raises StoreUnavailableError when nobody knows. The code stays until a token of it is committed.
    """
    approval = proof.approval
    classic = tokens.access.token_class == "c"
    pair = (approval.customer_id, client.id)
    redemption = Redemption.of(approval, tokens.access, tokens.refresh)
    try:
        inserted = await context.gathered.insert_redemption(redemption, classic=classic)
    except NotSentError:
        raise
    except StoreUnavailableError:
        if classic:  # it may stand, though nobody will hear of it
            revoke_surplus_soon(context, pair)
        raise
    if not inserted:
        await _judge_standing_grant(context, client, proof, tokens.access.id)
    forget_code(context.valkey, proof.code.id)
    if classic:
        revoke_surplus_soon(context, pair)
    return Given(approval.scope, approval.details)


async def _read(context: Context, code: TokenString) -> Approval | None:
    """The approval, asked for once more when the reply was lost (R-5). None means that it was redeemed, burned or too old."""
    try:
        return await read_code(context.valkey, code.id)
    except NotSentError:  # asking again would only lengthen the queue
        raise
    except StoreUnavailableError:
        return await read_code(context.valkey, code.id)


def _check(approval: Approval, client: Client, code: TokenString, asked: Asked) -> None:
    """What the code is bound to (RFC 6749 section 4.1.3, RFC 7636 section 4.6).

    The verifier comes before the redirect URI: a public application is proved by it.
    """
    proved = not client.public
    if not compare_digest(approval.code_digest, code.digest):
        raise refuse("ac", "unknown", proved=proved, detail="the code's secret part is wrong")
    if approval.application_id != client.id:
        raise refuse("ac", "unknown", proved=proved, detail="the code belongs to another application")
    challenge, verifier = approval.code_challenge, asked.parameters.get("code_verifier")
    if not verifier_matches(challenge, verifier):
        raise refuse("ac", verifier_fault(challenge, verifier), proved=proved)
    if asked.parameters.get("redirect_uri", approval.redirect_uri) != approval.redirect_uri:
        raise refuse("ac", "redirect_uri", proved=_is_proved(client, verifier))


def _is_proved(client: Client, fitting_verifier: str | None) -> bool:
    """Whether the caller is known to be the application, once its verifier was found to fit."""
    return not client.public or fitting_verifier is not None


async def _judge_standing_grant(context: Context, client: Client, proof: ProvenCode, token_id: UUID) -> None:
    """No row came back. ON CONFLICT hides a row that was committed meanwhile, so a new snapshot is asked."""
    code = proof.code
    grant = (await select_grants(context.database, [code.id])).get(code.id)
    if grant is None:
        await burn_code(context.valkey, code.id)
        await _refuse_fallen(context, client, proof)
    if grant.first_token_id != token_id:
        await _refuse_replay(context, client, code, proof.code_verifier, grant)
    # Our own first attempt committed and its answer was lost: the token stands.


async def _refuse_second_use(
    context: Context, client: Client, code: TokenString, code_verifier: str | None
) -> NoReturn:
    grant = (await select_grants(context.database, [code.id])).get(code.id)
    if grant is None:
        # Nothing is left of its challenge either, so no public application can prove itself any more.
        was_theirs = not client.public and _was_given_to(context, client, code)
        cause: Cause = "expired or taken" if was_theirs else "unknown"
        raise refuse("ac", cause, proved=not client.public)
    await _refuse_replay(context, client, code, code_verifier, grant)


def _was_given_to(context: Context, client: Client, code: TokenString) -> bool:
    """Whether the code's secret part is what an approval of this application would have derived."""
    return any(
        compare_digest(
            compose("ac", code.token_class, code.id, code_secret(key, code.id, client.id)).digest, code.digest
        )
        for key in context.keys.code_keys.values()
    )


async def _refuse_fallen(context: Context, client: Client, proof: ProvenCode) -> NoReturn:
    fallen = await select_fallen_of_code(
        context.database,
        application_id=client.id,
        customer_id=proof.approval.customer_id,
        approved_at_us=proof.approval.approved_at_us,
        life=context.policy.lifetimes.code,
    )
    raise refuse("ac", fallen, proved=_is_proved(client, proof.code_verifier))


async def _refuse_replay(
    context: Context, client: Client, code: TokenString, code_verifier: str | None, grant: StandingGrant
) -> NoReturn:
    """A second use ends everything issued from the code, if the caller holds the whole of it (RFC 6749 section 4.1.2).

    Anybody else could only kill a connection that is not theirs, so that is noted and nothing more.
    """
    entitled = (
        grant.application_id == client.id
        and grant.code_digest is not None
        and compare_digest(grant.code_digest, code.digest)
        and (not client.public or verifier_matches(grant.code_challenge, code_verifier))
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
    proved = not client.public or entitled
    raise refuse("ac", "used" if entitled else "unknown", proved=proved, detail="used before")

"""Check a token: whether it is ours, whether everything it rests on stands, and for which customer it acts."""

from hmac import compare_digest
from typing import NewType
from uuid import UUID

from app.context import Context
from app.oauth.token_string import LegacyToken, TokenString, is_legacy
from app.storage.postgres.remembered import Remembered
from app.storage.token.legacy_tokens import update_legacy_token_used
from app.storage.token.refresh_tokens import StoredRefreshToken
from app.storage.token.tokens import StoredToken, update_token_used
from app.throttling.look_up import look_up

# A token that was active when it was read: a row that passed check_token, and no other.
AccessToken = NewType("AccessToken", StoredToken)
# The same of a refresh token, which opens nothing but the token endpoint: no route takes one.
RefreshToken = NewType("RefreshToken", StoredRefreshToken)


async def check_token(
    context: Context, token: TokenString | LegacyToken | None, asker: str
) -> AccessToken | None:
    """The token; None unless it is an active access token: unknown and revoked must look alike (O-77).

    token: None for a malformed or mistyped string, which no store is asked for. asker: whose failure a forged one is.
    Raises StoreUnavailableError, and OAuthError where the asker failed too often.
    """
    kept = _kept(context, token) if token is not None else None
    if token is None or kept is None:
        return None
    stored = kept.recall(token.id)
    if stored is None:
        stored = await look_up(context.failures, kept, token.id, asker)
    if stored is None:
        return None
    if not compare_digest(stored.digest, token.digest):
        context.failures.note(asker)
        return None
    return AccessToken(stored) if stored.active else None


def _kept(context: Context, token: TokenString | LegacyToken) -> Remembered[UUID, StoredToken] | None:
    if token.kind == "at":
        return context.gathered.tokens_of(token.token_class)
    if token.kind == "legacy" and context.policy.takes_legacy_tokens(context.now):
        return context.gathered.legacy_tokens
    return None


async def check_refresh_token(
    context: Context, token: TokenString | LegacyToken | None, asker: str
) -> RefreshToken | None:
    """The same for a refresh token, a spent one not being active."""
    if token is None or token.kind != "rt":
        return None
    stored = await look_up(context.failures, context.gathered.refresh_tokens, token.id, asker)
    if stored is None:
        return None
    if not compare_digest(stored.digest, token.digest):
        context.failures.note(asker)
        return None
    return RefreshToken(stored) if stored.active else None


def keep_alive(context: Context, token: AccessToken) -> None:
    """A classic token that is used lives on from here: written after the answer, and at most once a day.

    The same is written of a token of a former system, which lives no longer for it.
    """
    if token.renewable:
        idle = context.policy.lifetimes.classic_idle

        async def renew() -> None:
            if is_legacy(token.id):
                await update_legacy_token_used(context.database, token.id)
            else:
                await update_token_used(context.database, token.id, idle)
            context.changes.note(token.id)  # else what is remembered would be renewed again at each use

        context.background.start(("renew", token.id), renew)

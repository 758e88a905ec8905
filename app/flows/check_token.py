"""Check an access token: is it ours, does everything it rests on stand, and whom does it act for."""

from dataclasses import dataclass
from hmac import compare_digest
from uuid import UUID

from app.context import Context
from app.flows.look_up import look_up
from app.oauth.token_string import parse
from app.storage.tokens import update_token_used

_RENEWED_EVERY_S = 86_400


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token that is active now.

    customer_id: None where it acts for nobody but its application; used_at: last renewal, of a classic token.
    Times are seconds since 1970.
    """

    id: UUID
    application_id: UUID
    customer_id: UUID | None
    scope_text: str
    audience: str
    issued_at: int
    used_at: int | None
    expires_at: int

    @property
    def scope(self) -> tuple[str, ...]:
        return tuple(self.scope_text.split(" "))


async def check_token(context: Context, unverified_token: str, asker: str) -> AccessToken | None:
    """None for whatever is not an active access token of ours, whyever: unknown and revoked must look alike (O-77).

    A malformed or mistyped string is refused without asking a store. asker: whose failure a forged one is.
    Raises StoreUnavailableError, and OAuthError where the asker failed too often.
    """
    token = parse(unverified_token)
    if token is None or token.kind != "at":
        return None
    gathered = context.gathered
    tokens = gathered.classic_tokens if token.token_class == "c" else gathered.strict_tokens
    stored = await look_up(context, tokens, token.id, asker)
    if stored is None:
        return None
    if not compare_digest(stored.digest, token.digest):
        context.failures.note(asker)
        return None
    if not stored.active:
        return None
    return AccessToken(
        id=stored.id,
        application_id=stored.application_id,
        customer_id=stored.customer_id,
        scope_text=stored.scope,
        audience=stored.audience or context.policy.audience,
        issued_at=stored.issued_at,
        used_at=stored.used_at,
        expires_at=stored.expires_at,
    )


def keep_alive(context: Context, token: AccessToken) -> None:
    """A classic token that is used lives on from here: written after the answer, and at most once a day."""
    if token.used_at and context.now().timestamp() - token.used_at > _RENEWED_EVERY_S:
        idle = context.policy.classic_idle

        async def renew() -> None:
            await update_token_used(context.database, token.id, idle)
            context.changes.note(token.id)  # else what is remembered would be renewed again at each use

        context.background.start(("renew", token.id), renew)

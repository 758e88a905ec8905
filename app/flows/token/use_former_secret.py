"""Use the secret of a former system, as it was sent, against the slow hash that was kept of it."""

from dataclasses import replace
from uuid import UUID

from app.context import Context
from app.oauth.client import Client, ClientSecret, has_live_secret, live_slow_hashes
from app.oauth.errors import too_many_failures
from app.oauth.request import Credentials
from app.oauth.token_string import secret_digest
from app.storage.people.application_changes import replace_slow_hash


async def use_former_secret(
    context: Context, client: Client | None, credentials: Credentials, address: str
) -> tuple[Client | None, Credentials]:
    """The application and the credentials by which a digest proves it, whichever way the secret was sent.

    Raises OAuthError 429, before anything is hashed, when the caller failed too often: each guess costs us a slow hash.
    Raises StoreUnavailableError when no place is left to hash it.
    """
    client = await _with_used_secret(context, client, credentials, address)
    as_sent = credentials.read_as_sent()
    if as_sent is None or has_live_secret(client, credentials, context.now()):
        return client, credentials
    return await _with_used_secret(context, client, as_sent, address), as_sent


async def _with_used_secret(
    context: Context, client: Client | None, credentials: Credentials, address: str
) -> Client | None:
    """The application as it is once an imported secret was used: a digest stands in the place of the slow hash."""
    secret = credentials.former_secret
    if client is None or secret is None:
        return client
    caller = guesser_of(client.id, address)
    for slow_hash in live_slow_hashes(client, context.now()):
        if context.failures.over(caller):
            raise too_many_failures("nothing was hashed")
        if await context.passwords.matches_slow_hash(slow_hash, secret, asker=caller):
            return await _keep_digest(context, client, slow_hash, secret_digest(secret))
    return client


async def _keep_digest(context: Context, client: Client, slow_hash: str, digest: bytes) -> Client:
    await replace_slow_hash(context.database, client.id, slow_hash, digest)
    context.changes.note(client.id)
    used = ClientSecret(digest, expires_at=None)
    kept = tuple(
        replace(used, expires_at=each.expires_at) if each.slow_hash == slow_hash else each
        for each in client.secrets
    )
    return replace(client, secrets=kept)


def guesser_of(client_id: UUID | None, address: str) -> str:
    """Who fails when a secret or assertion is wrong."""
    return f"{client_id or 'unknown'} from {address}"

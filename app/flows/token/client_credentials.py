"""The client credentials grant (RFC 6749 section 4.4): an application acts by itself, for its own customer or for nobody."""

from typing import NamedTuple

from app.context import Context
from app.flows.token.granted_details import Given
from app.flows.token.issued_token import MintedTokens
from app.oauth.client import Client
from app.oauth.errors import unauthorized_client
from app.oauth.grant_type import Asked
from app.oauth.scope import narrow
from app.oauth.token_string import any_bucket, bucket_of
from app.storage.token.client_tokens import ClientToken


class OwnAuthority(NamedTuple):
    """The application's own: authenticating itself was the proof."""

    bucket: int
    scope: str
    resource: str | None


async def prove_client(context: Context, client: Client, asked: Asked) -> OwnAuthority:
    """Raises invalid_scope for more than the application is registered for.

    Raises unauthorized_client in test mode without a test customer: for nobody it might write anybody's machines.
    """
    if client.test and client.customer_id is None:
        raise unauthorized_client(
            "the application is in test mode: connect your test customer on its quick start page"
        )
    scope = " ".join(narrow(asked.scope, client.scope))
    return OwnAuthority(_bucket(context, client), scope, asked.resource)


def _bucket(context: Context, client: Client) -> int:
    """Nothing is found by it but the token itself, so a busy application need not keep one shard busy."""
    return any_bucket() if context.policy.distributed else bucket_of(client.customer_id or client.id)


async def remember_client_token(
    context: Context, client: Client, proof: OwnAuthority, tokens: MintedTokens
) -> Given:
    """The token's scope, once it is committed. Raises unauthorized_client when what it rests on fell."""
    token = tokens.access
    wanted = ClientToken(token.id, token.digest, client.id, client.customer_id, proof.scope, proof.resource)
    if not await context.gathered.insert_client_token(wanted) and not await _stands(context, wanted):
        raise unauthorized_client(
            "the application or its customer is suspended, or the customer disconnected it"
        )
    return Given(proof.scope)


async def _stands(context: Context, wanted: ClientToken) -> bool:
    """Another's in the batch may have been refused; or a first attempt committed, and its answer was lost."""
    return await context.gathered.strict_tokens.ask(wanted.id) is not None

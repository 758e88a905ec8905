"""Use a client assertion up: it proves its application once, whichever process it is shown to (RFC 7523 section 3)."""

from app.context import Context
from app.oauth.assertion import ClientAssertion
from app.oauth.client import Client
from app.oauth.errors import invalid_client
from app.storage.token.assertions import mark_assertion_used

# Longer than the assertion, for processes whose clocks are behind.
_MARGIN_S = 60


async def use_assertion(context: Context, client: Client, assertion: ClientAssertion) -> None:
    """Only for one that was verified: else anybody could use up another's. Raises invalid_client the second time.

    A lost reply leaves open whether it was used now, so it raises StoreUnavailableError: the next assertion is a new one.
    """
    life_s = assertion.ends_at - context.now().timestamp() + _MARGIN_S
    if not await mark_assertion_used(context.valkey, client.id, assertion.jti, life_ms=int(life_s * 1000)):
        raise invalid_client("the client assertion was used before")

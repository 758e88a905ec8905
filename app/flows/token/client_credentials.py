"""The client credentials grant (RFC 6749 section 4.4): an application acts by itself, for its own customer or for nobody."""

from app.context import Context
from app.flows.token.issued_token import IssuedToken
from app.oauth.client import Client
from app.oauth.errors import unauthorized_client
from app.oauth.request import TokenRequest, check_resource
from app.oauth.scope import narrow
from app.oauth.token_string import bucket_of, mint
from app.storage.token.client_tokens import ClientToken


async def issue_to_client(
    context: Context, client: Client, request: TokenRequest, _asker: str | None
) -> IssuedToken:
    """Short-lived for every kind of application, and without a refresh token: the secret is at hand (section 4.4.3).

    Nothing is looked up that could be made up, so nobody can fail.
    """
    if client.public:  # whoever knows the client_id would be the application
        raise unauthorized_client("public applications have no credentials to act by")
    check_resource(request.resource, served=context.policy.audience)
    scope = " ".join(narrow(request.scope, client.scope))
    token = mint("at", "s", bucket_of(client.customer_id or client.id))
    asked = ClientToken(token.id, token.digest, client.id, client.customer_id, scope, request.resource)
    if not await context.gathered.client_tokens(asked) and not await _stands(context, asked):
        raise unauthorized_client("the application or its customer is suspended")
    return IssuedToken(token.text, int(context.policy.strict_access_life.total_seconds()), scope)


async def _stands(context: Context, asked: ClientToken) -> bool:
    """Another's in the batch may have been refused; or a first attempt committed, and its answer was lost."""
    return await context.gathered.strict_tokens.ask(asked.id) is not None

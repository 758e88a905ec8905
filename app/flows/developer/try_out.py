"""Try an application from its owner's page: the token request that its server would send."""

from urllib.parse import urlencode
from uuid import UUID

from app.context import Context
from app.flows.developer.own_applications import find_own_application
from app.flows.token.issue_token import issue_to
from app.flows.token.issued_token import IssuedToken
from app.oauth.request import TokenRequest
from app.storage.people.people import Person


async def redeem_as_owner(
    context: Context, person: Person, application_id: UUID, *, code: str, code_verifier: str, address: str
) -> IssuedToken:
    """Redeem a code of the test customer. The owner's session stands for the secret, which nobody kept.

    Raises ApplicationError when the application is not theirs, and what `issue_token` raises.
    """
    application = await find_own_application(context, person, application_id)
    fields = {
        "grant_type": "authorization_code",
        "client_id": application.client.client_id,
        "code": code,
        "code_verifier": code_verifier,
    }
    request = TokenRequest.parse("application/x-www-form-urlencoded", urlencode(fields).encode(), None)
    return await issue_to(context, application.client, request, address)

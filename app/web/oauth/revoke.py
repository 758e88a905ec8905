"""POST /app/oauth2/revoke (RFC 7009)."""

from starlette.requests import Request
from starlette.responses import Response

from app.context import Context
from app.flows.token.revoke_token import revoke_token
from app.oauth.request import TokenQuery
from app.web.answer import Answer
from app.web.wire import Call, respond

# RFC 7009 section 2.2: clients ignore the body. Some libraries parse it all the same, and take an empty one for a failure.
_NOTHING_TO_SAY = b"{}"


async def answer_revocation(context: Context, call: Call) -> Answer:
    """200 for a token that is revoked now, was before, or never was ours to revoke."""
    query = TokenQuery.parse(call.content_type, call.body, call.authorization)
    call.client_id = query.credentials.client_id
    await revoke_token(context, query, call.address)
    return Answer(200, _NOTHING_TO_SAY)


async def revoke(request: Request) -> Response:
    return await respond(answer_revocation, request)

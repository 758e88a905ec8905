"""POST /app/oauth2/token (RFC 6749 section 3.2), and the documented wire that names no grant type."""

from starlette.requests import Request
from starlette.responses import Response

from app.context import Context
from app.flows.token.issue_token import issue_token
from app.oauth.answer import token_answer
from app.oauth.request import TokenRequest
from app.web.answer import Answer
from app.web.wire import Call, respond


async def answer_token(context: Context, call: Call) -> Answer:
    """Bytes in, bytes out: the answer leaves only after the token is committed."""
    # A code comes once; an application that asks for itself sends the same bytes each time.
    read = context.token_requests.read if b"=client_credentials" in call.body else TokenRequest.parse
    asked = read(call.content_type, call.body, call.authorization)
    call.client_id = asked.credentials.client_id
    issued = await issue_token(context, asked, call.address)
    body = token_answer(
        issued.text, "Bearer", issued.expires_in_s, issued.scope, issued.refresh_token, issued.details
    )
    return Answer(200, body)


async def token(request: Request) -> Response:
    return await respond(answer_token, request)

"""POST /app/oauth2/token (RFC 6749 section 3.2), and the documented wire that names no grant type."""

from starlette.requests import Request
from starlette.responses import Response

from app.flows.issue_token import issue_token
from app.oauth.answer import token_answer
from app.oauth.request import TokenRequest
from app.web.request import NO_STORE, context_of, read_form


async def token(request: Request) -> Response:
    """Bytes in, bytes out: the answer leaves only after the token is committed."""
    asked = TokenRequest.parse(*await read_form(request))
    issued = await issue_token(context_of(request), asked)
    answer = token_answer(issued.text, "Bearer", issued.expires_in_s, issued.scope)
    return Response(answer, media_type="application/json", headers=NO_STORE)

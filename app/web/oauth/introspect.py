"""POST /app/oauth2/introspect (RFC 7662), and the same signed (RFC 9701)."""

from starlette.requests import Request
from starlette.responses import Response

from app.context import Context
from app.flows.token.check_token import AccessToken, RefreshToken
from app.flows.token.granted_details import read_granted, tells_details
from app.flows.token.introspect_token import introspect_token
from app.flows.upkeep.signing_keys import sign_introspection
from app.oauth.answer import INACTIVE, Party, introspection_answer
from app.oauth.signing import JWT_TYPE, asks_for_jwt
from app.storage.token.refresh_tokens import StoredRefreshToken
from app.storage.token.tokens import StoredToken
from app.web.answer import NO_STORE, Answer
from app.web.wire import Call, respond

_LONGEST_REMEMBERED = 4 * 1024  # as long as a hundred machines with PINs

_SIGNED = [(b"content-type", JWT_TYPE.encode()), *NO_STORE]


async def answer_introspection(context: Context, call: Call) -> Answer:
    """200 with the token's state; every reason not to tell is the same inactive answer (O-102)."""
    query = context.token_queries.read(call.content_type, call.body, call.authorization)
    call.client_id = query.credentials.client_id
    token = await introspect_token(context, query, call.address)
    described = _recall(context, token) or await _describe(context, token)
    if call.accept is None or not asks_for_jwt(call.accept):
        return Answer(200, described)
    # Proved by now, so it is the caller's own name.
    caller = str(query.credentials.client_id)
    return Answer(200, await sign_introspection(context, described, audience=caller), _SIGNED)


async def introspect(request: Request) -> Response:
    return await respond(answer_introspection, request)


def _recall(context: Context, token: AccessToken | RefreshToken | None) -> bytes | None:
    """A token that is remembered is the same value each time, so what is said of it is written once.

    One that was read anew is another value, and takes the place of the former.
    """
    if not isinstance(token, StoredToken):
        return None
    kept = context.descriptions.get(token.id)
    return kept[1] if kept is not None and kept[0] is token else None


async def _describe(context: Context, token: AccessToken | RefreshToken | None) -> bytes:
    if token is None:
        return INACTIVE
    details = None
    if token.customer_id is not None and tells_details(token):
        details = await read_granted(context, token.customer_id, token.application_id)
        if details is None:  # it was cut after the token was found
            return INACTIVE
    described = _write(token, context.policy.issuer, details)
    if isinstance(token, StoredToken) and len(described) <= _LONGEST_REMEMBERED:
        context.descriptions.put(token.id, (token, described))
    return described


def party_of(token: AccessToken | RefreshToken) -> Party:
    return Party(token.client_id, token.customer_id, token.account, token.member_id, token.test)


def _write(token: AccessToken | RefreshToken, issuer: str, details: str | None) -> bytes:
    """token_type says how a token is presented to a resource, which a refresh token never is."""
    return introspection_answer(
        issuer=issuer,
        audience=token.audience,
        party=party_of(token),
        token_id=token.id,
        token_type=None if isinstance(token, StoredRefreshToken) else "Bearer",
        scope=token.scope,
        issued_at=token.issued_at,
        expires_at=token.expires_at,
        details=details,
    )

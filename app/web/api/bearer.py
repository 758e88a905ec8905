"""The introspection dependency: who calls a protected route, by the bearer token in the Authorization header (RFC 6750)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from starlette.requests import Request

from app.flows.token.check_token import AccessToken, check_token, keep_alive
from app.oauth.bearer import read_bearer
from app.oauth.errors import insufficient_scope, invalid_token, malformed_bearer
from app.oauth.parameters import has_parameter
from app.oauth.token_string import LegacyToken, TokenString, recognise
from app.storage.fleet.view import FleetView
from app.web.request import address_of, context_of, fields_of, raw_query


@dataclass(slots=True)  # not frozen: each request builds one
class Caller:
    """An application acting for a customer."""

    customer_id: UUID
    token: AccessToken

    @property
    def view(self) -> FleetView:
        """What the customer's connection to the application shows of the fleet."""
        return FleetView(self.customer_id, self.token.share, self.token.history_from)


@dataclass(frozen=True, slots=True)
class Gateway:
    """An application that writes for a customer; for all of them where it was registered without one."""

    application_id: UUID
    customer_id: UUID | None
    token_id: UUID


def bearer(scope: str) -> Callable[[Request], Awaitable[Caller]]:
    """A FastAPI dependency for a route that asks for this scope of a customer's data."""

    async def introspect(request: Request) -> Caller:
        token = await _introspect(request, scope)
        if token.customer_id is None:
            raise insufficient_scope(scope)
        return Caller(token.customer_id, token)

    return introspect


def gateway(scope: str) -> Callable[[Request], Awaitable[Gateway]]:
    """The same for a route that an application may use on its own account too."""

    async def introspect(request: Request) -> Gateway:
        token = await _introspect(request, scope)
        return Gateway(token.application_id, token.customer_id, token.id)

    return introspect


async def _introspect(request: Request, scope: str) -> AccessToken:
    context = context_of(request)
    # In the query it would end in logs and histories (RFC 9700 section 4.3.2).
    query = raw_query(request)
    if query and has_parameter(query, "access_token"):
        raise malformed_bearer("the token is accepted in the Authorization header only")
    digest = sha256(fields_of(request).get(b"authorization", b"")).digest()
    known = context.bearers.get(digest)
    recognised = known or _recognise(request, scope)
    token = await check_token(context, recognised, address_of(request.scope))
    request.scope["token"] = token or recognised  # whose request it was, if it is refused
    if token is None or token.audience != context.policy.audience:
        raise invalid_token(scope)
    if not token.reaches(scope):
        raise insufficient_scope(scope)
    if known is None and isinstance(recognised, TokenString):
        context.bearers.put(digest, recognised)
    keep_alive(context, token)
    return token


def _recognise(request: Request, scope: str) -> TokenString | LegacyToken | None:
    context = context_of(request)
    any_form = context.policy.takes_legacy_tokens(context.now)
    sent = (value for name, value in request.scope["headers"] if name == b"authorization")
    headers = [value.decode("latin-1") for value in sent]
    return recognise(read_bearer(headers, scope=scope, any_form=any_form))

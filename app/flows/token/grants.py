"""The grants: one row each, which registration, metadata, the reference and the token endpoint read."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from app.context import Context
from app.flows.token.client_credentials import prove_client, remember_client_token
from app.flows.token.granted_details import Given
from app.flows.token.issued_token import MintedTokens
from app.flows.token.redeem_code import prove_code, remember_grant
from app.flows.token.refresh_token import prove_refresh_token, remember_successor
from app.oauth.client import Client
from app.oauth.grant_type import Asked, GrantType


class Proof(Protocol):
    """What a grant found proved. bucket: where the tokens will lie."""

    @property
    def bucket(self) -> int: ...


Proven = TypeVar("Proven", bound=Proof)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant(GrantType, Generic[Proven]):
    """A grant type, and the two phases that are its own.

    prove: finds whose authority is shown. Raises OAuthError when nobody's is.
    remember: commits the minted tokens and says what they are good for. Raises OAuthError when they may not be.
    """

    prove: Callable[[Context, Client, Asked], Awaitable[Proven]]
    remember: Callable[[Context, Client, Proven, MintedTokens], Awaitable[Given]]


AUTHORIZATION_CODE = Grant(
    name="authorization_code",
    required=("code",),
    optional=("redirect_uri", "code_verifier"),
    spends="ac",
    prove=prove_code,
    remember=remember_grant,
    default_for=("classic", "strict"),
    redirects=True,
    refreshable=True,
)
REFRESH_TOKEN = Grant(
    name="refresh_token",
    required=("refresh_token",),
    optional=("scope",),
    spends="rt",
    prove=prove_refresh_token,
    remember=remember_successor,
    default_for=("strict",),
    strict_only=True,
    refreshable=True,
    continues=True,
)
CLIENT_CREDENTIALS = Grant(
    name="client_credentials",
    optional=("scope",),
    prove=prove_client,
    remember=remember_client_token,
    confidential_only=True,
    acts_alone=True,
    always_short=True,
)

_ROWS: tuple[Grant[Any], ...] = (AUTHORIZATION_CODE, REFRESH_TOKEN, CLIENT_CREDENTIALS)
GRANTS = {row.name: row for row in _ROWS}

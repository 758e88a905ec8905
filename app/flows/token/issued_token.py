"""What every grant gives in the end, and the strings it is made of."""

from dataclasses import dataclass

from app.oauth.client import Client
from app.oauth.grant_type import GrantType
from app.oauth.token_string import TokenString, mint


@dataclass(slots=True)
class MintedTokens:
    """Fresh strings that nobody knows yet. They are worth nothing until the grant remembers them."""

    access: TokenString
    refresh: TokenString | None


@dataclass(repr=False, slots=True)
class IssuedToken:
    """A token that is committed, with its refresh token where there is one: both known to nobody but the receiver.

    details: granted authorization details, in JSON; None where nobody asked for any.
    """

    text: str
    expires_in_s: int
    scope: str
    refresh_token: str | None = None
    details: str | None = None

    def __repr__(self) -> str:
        return f"IssuedToken(scope={self.scope!r})"


def mint_tokens(client: Client, grant: GrantType, bucket: int) -> MintedTokens:
    """Classic applications get a long-lived token, strict ones a short one and, if they may refresh, a refresh token.

    bucket: for the ids of all that is minted: of the customer or application that the tokens are for, as a rule.
    """
    if client.kind == "classic" and not grant.always_short:
        return MintedTokens(mint("at", "c", bucket), None)
    refreshes = grant.refreshable and client.allows("refresh_token")
    return MintedTokens(mint("at", "s", bucket), mint("rt", "s", bucket) if refreshes else None)

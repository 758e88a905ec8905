"""What every grant gives in the end."""

from typing import NamedTuple


class IssuedToken(NamedTuple):
    """A token that is committed, with its refresh token where there is one: both known to nobody but the receiver."""

    text: str
    expires_in_s: int
    scope: str
    refresh_token: str | None = None

    def __repr__(self) -> str:
        return f"IssuedToken(scope={self.scope!r})"

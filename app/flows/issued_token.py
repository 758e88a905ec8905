"""What every grant gives in the end."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token that is committed, with its refresh token where there is one: both known to nobody but the receiver."""

    text: str = field(repr=False)
    expires_in_s: int
    scope: str
    refresh_token: str | None = field(default=None, repr=False)

"""What every grant gives in the end."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token that is committed. text: known to nobody but its receiver from here on."""

    text: str = field(repr=False)
    expires_in_s: int
    scope: str

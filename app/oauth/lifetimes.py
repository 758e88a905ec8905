"""How long codes and tokens live, as one value."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """The lives of codes and tokens. idle: from the last use; absolute: from the approval.

    refresh_grace: how long a spent refresh token may be sent again, when the answer to it was lost.
    """

    code: timedelta
    classic_idle: timedelta
    classic_absolute: timedelta
    strict_access: timedelta
    refresh_idle: timedelta
    refresh_absolute: timedelta
    refresh_grace: timedelta

    def access(self, token_class: str) -> timedelta:
        """What an access token has before it is used for the first time. token_class: c or s."""
        return self.strict_access if token_class == "s" else min(self.classic_idle, self.classic_absolute)

"""The actor of an audited event."""

from typing import Literal, NamedTuple
from uuid import UUID

ActorKind = Literal["customer", "operator", "application owner", "application", "command line", "service"]


class Actor(NamedTuple):
    """id: of the member, the operator, the owner of applications or the application; None for all others."""

    kind: ActorKind
    id: UUID | None = None

    @property
    def person_id(self) -> UUID | None:
        """The id of the person who acts; None where nobody does who signs in."""
        return self.id if self.kind in ("customer", "operator", "application owner") else None


COMMAND_LINE = Actor("command line")  # whoever has an account on the machine
SERVICE = Actor("service")  # what it does by itself

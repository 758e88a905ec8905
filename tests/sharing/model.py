"""What each application may read, in plain Python: machines that change hands, and connections that narrow, end and are cut."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Way = Literal["code", "strict", "client", "manual", "imported"]
WAYS: tuple[Way, ...] = ("code", "strict", "client", "manual", "imported")


@dataclass(slots=True)
class Machine:
    """owner: None once nobody has it. told: when it reported, its hours then, and whose it was.

    latest: what it reported last to its owner.
    """

    pin: str
    owner: int | None
    told: list[tuple[datetime, float, int]] = field(default_factory=list)
    latest: tuple[datetime, float] | None = None


@dataclass(slots=True)
class Connection:
    """machines: None for all."""

    owner: int
    way: Way
    stands: bool = True
    machines: set[str] | None = None
    history_from: datetime | None = None

    def shows(self, machine: Machine) -> bool:
        mine = machine.owner == self.owner
        return mine and (self.machines is None or machine.pin in self.machines)

    def newest(self, machine: Machine) -> float | None:
        """The hours that its pages give; None where nothing may be shown."""
        if machine.latest is None or machine.latest[0] < (self.history_from or machine.latest[0]):
            return None
        return machine.latest[1]

    def series(self, machine: Machine) -> list[float]:
        """All hours of the owner's own time that may be shown, in order."""
        own = [(at, hours) for at, hours, owner in sorted(machine.told) if owner == self.owner]
        return [hours for at, hours in own if at >= (self.history_from or at)]


@dataclass(slots=True)
class Model:
    machines: dict[str, Machine] = field(default_factory=dict)
    connections: dict[tuple[int, Way], Connection] = field(default_factory=dict)

    def of(self, owner: int) -> list[Machine]:
        return [each for each in self.machines.values() if each.owner == owner]

    def leave(self, machine: Machine, to: int | None) -> None:
        """It leaves every choice for good, also if it comes back."""
        machine.owner, machine.latest = to, None
        for connection in self.connections.values():
            if connection.machines is not None:
                connection.machines.discard(machine.pin)

"""What a customer shares with an application, as it is asked for, chosen and told (RFC 9396), in plain Python."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tests.lifecycle.named import Named

BEGINNINGS = ("2026-05-01", "2026-06-01")  # days in UTC
ENDS = ("2990-01-01T00:00:00Z", "2999-12-31T12:30:00Z")

Told = list[dict[str, Any]]  # the member authorization_details of an answer


@dataclass(slots=True, eq=False, repr=False)
class Machine(Named):
    """Its name is its PIN."""


@dataclass(slots=True, eq=False, repr=False)
class Customer(Named):
    """machines: the fleet, in the order of its pages. away: machines that left it."""

    enabled: bool = True
    machines: list[Machine] = field(default_factory=list)
    away: list[Machine] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Terms:
    """machines: the chosen ones; None for all. begins: a day. ends: an instant. None: without that limit."""

    machines: tuple[Machine, ...] | None = None
    begins: str | None = None
    ends: str | None = None

    @property
    def told(self) -> Told:
        """As answers tell it: a limit that was not chosen has no member."""
        said: dict[str, Any] = {"type": "fleet"}
        if self.machines is not None:
            said["identifiers"] = [each.name for each in self.machines]
        if self.begins is not None:
            said["history_from"] = f"{self.begins}T00:00:00Z"
        if self.ends is not None:
            said["ends_at"] = self.ends
        return [said]

    def over(self, standing: "Terms", customer: Customer) -> "Terms":
        """What a page begins with: asked for by the application, over what stands, and machines of the customer alone."""
        machines = standing.machines
        if self.machines is not None:
            machines = tuple(each for each in self.machines if each in customer.machines)
        return Terms(machines, self.begins or standing.begins, self.ends or standing.ends)

    def in_order(self, customer: Customer) -> "Terms":
        """The same machines, as the pages of the fleet have them."""
        chosen = self.machines
        if chosen is None:
            return self
        return replace(self, machines=tuple(each for each in customer.machines if each in chosen))


@dataclass(slots=True)
class Connection:
    """What a customer and an application share, by whatever way in. The times are numbers of approvals; 0 is before all.

    ended: its end has come. detailed: the application asked by details since it began.
    """

    approved_at: int
    cut_at: int = 0
    ended: bool = False
    detailed: bool = False
    terms: Terms = Terms()

    @property
    def stands(self) -> bool:
        return self.counts(self.approved_at)

    @property
    def told(self) -> Told | None:
        """What introspection says of each token: how it stands now, asked for by details or only narrowed."""
        narrowed = self.terms.machines is not None or self.terms.begins is not None
        return self.terms.told if self.detailed or narrowed else None

    def counts(self, approved_at: int) -> bool:
        """Whether what was approved then may still be used."""
        return approved_at > self.cut_at and not self.ended

    def begin(self, approved_at: int) -> None:
        """Bring it back by a new approval; what was chosen stays, but for the end. One that stands stays as it is.

        What was approved before the end stays dead.
        """
        if not self.stands:
            self.cut_at = approved_at - 1 if self.ended else self.cut_at
            self.approved_at, self.ended, self.detailed = approved_at, False, False
            self.terms = replace(self.terms, ends=None)

    def choose(self, terms: Terms) -> None:
        """terms: in the order of the fleet. The same choice again keeps the order that its pages have."""
        present = self.terms.machines
        if terms.machines is not None and present is not None and set(terms.machines) == set(present):
            terms = replace(terms, machines=present)
        self.terms = terms

    def lose(self, machine: Machine) -> None:
        if self.terms.machines is not None and machine in self.terms.machines:
            self.terms = replace(self.terms, machines=tuple(without(self.terms.machines, machine)))


def without(machines: Sequence[Machine], gone: Machine) -> list[Machine]:
    """The last one takes the place of the one that left, so that all other places stay."""
    *others, last = machines
    return [last if each is gone else each for each in others]

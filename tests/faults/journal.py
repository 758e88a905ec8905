"""The journal of a run: each operation with its moments and its outcome, as the caller saw them."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

# open: it may have happened or not, and nobody will say. silent: a read that told nothing, so it counts for nothing.
Outcome = Literal["ok", "refused", "active", "inactive", "open", "silent"]
Verb = Literal["redeem", "burn", "issue", "refresh", "introspect", "read", "revoke"]


@dataclass(slots=True)
class Operation:
    """One request. Times are nanoseconds of the monotonic clock; an open one has no end.

    life: the code or client token that it belongs to. subject: what was presented. gave: the tokens of the answer.
    Codes and tokens stand here by their ids, without their secret part.
    """

    verb: Verb
    life: str
    subject: str
    outcome: Outcome
    called: int
    returned: int | None
    status: int | None = None
    gave: tuple[str, ...] = ()
    instance: int = 0

    @property
    def slowness_s(self) -> float:
        return 0.0 if self.returned is None else (self.returned - self.called) / 1e9


@dataclass(slots=True)
class Journal:
    """All operations of one schedule. faults: answers that no fault excuses, a line each."""

    operations: list[Operation] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def note(self, operation: Operation) -> Operation:
        self.operations.append(operation)
        return operation

    def by_life(self) -> dict[str, list[Operation]]:
        lives: dict[str, list[Operation]] = {}
        for each in self.operations:
            lives.setdefault(each.life, []).append(each)
        return lives

    def outcomes(self) -> Counter[str]:
        return Counter(f"{each.verb} {each.outcome}" for each in self.operations)

    def statuses(self) -> Counter[str]:
        """Answers by status; `none` where the connection broke or the time was over."""
        return Counter(str(each.status or "none") for each in self.operations)

    def since(self, moment: int) -> list[Operation]:
        return [each for each in self.operations if each.called >= moment]

    def write(self, path: Path) -> None:
        with path.open("w") as file:
            file.writelines(json.dumps(asdict(each)) + "\n" for each in self.operations)


def read_journal(path: Path) -> Journal:
    return Journal([_read(json.loads(line)) for line in path.read_text().splitlines()])


def _read(fields: dict[str, object]) -> Operation:
    return Operation(**{**fields, "gave": tuple(fields["gave"])})  # type: ignore[arg-type]  # as they were written


def slowest_s(operations: Iterable[Operation]) -> float:
    return max((each.slowness_s for each in operations), default=0.0)


def name_of(token: str) -> str:
    """A token without its secret part: prefix, class and id."""
    return token[:31]

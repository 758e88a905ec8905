"""The registers of a journal: one a code, refresh family and grant, each with the entries that the judges read.

A revocation has two entries in its grant. `ending` lies within the request: from then on a token may be found inactive.
`ended` returns a second after the answer: from then on it must be, in every process. An inactive answer shows that its
token has ended, and a second later everywhere: `settled`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from tests.faults.journal import Journal, Operation, Outcome

REVOKED_WITHIN_NS = 1_000_000_000
WHOLE_GRANT = 1 << 63

Register = Literal["code", "family", "grant"]
Place = tuple[Register, str, int, int | None]


@dataclass(frozen=True, slots=True)
class Entry:
    """One operation on one register. returns: None for one that stays open."""

    register: Register
    key: str
    call: int
    returns: int | None
    verb: str
    outcome: Outcome
    token: str = ""
    successor: str = ""
    mask: int = 0
    weak: bool = False

    @property
    def document(self) -> dict[str, object]:
        return {
            "register": self.register,
            "key": self.key,
            "call": self.call,
            "return": self.returns,
            "verb": self.verb,
            "outcome": self.outcome,
            "token": self.token,
            "successor": self.successor,
            "mask": self.mask,
            "weak": self.weak,
        }


def entries_of(journal: Journal, *, weak: bool = False) -> list[Entry]:
    """All entries, register by register.

    weak: what befell Valkey may lose codes that waited, and bring back those that were burned.
    """
    found: list[Entry] = []
    for life, operations in journal.by_life().items():
        told = [each for each in operations if each.outcome != "silent"]
        found += _of_code(life, told, weak=weak)
        found += _of_family(life, told)
        found += _of_grant(life, told)
    return found


def _of_code(life: str, operations: Sequence[Operation], *, weak: bool) -> Iterator[Entry]:
    for each in operations:
        if each.verb in ("redeem", "burn"):
            at: Place = ("code", life, each.called, each.returned)
            yield Entry(*at, each.verb, each.outcome, weak=weak)


def _of_family(life: str, operations: Sequence[Operation]) -> Iterator[Entry]:
    if not any(each.verb == "refresh" or each.subject.startswith("rovi_rt_") for each in operations):
        return
    for each in operations:
        at: Place = ("family", life, each.called, each.returned)
        if each.verb == "redeem" and each.outcome == "ok":
            yield Entry(*at, "begin", "ok", successor=_refresh_token(each))
        elif each.verb == "redeem":  # a second use of the code, if there was a first
            yield Entry(*at, "end", each.outcome)
        elif each.verb == "refresh":
            successor = _refresh_token(each) if each.outcome == "ok" else f"unknown {each.called}"
            yield Entry(*at, "refresh", each.outcome, each.subject, successor)
        elif each.verb == "introspect" and each.subject.startswith("rovi_rt_"):
            yield Entry(*at, "read", each.outcome, each.subject)
        elif each.verb == "revoke" and each.subject.startswith("rovi_rt_"):
            yield Entry(*at, "end", each.outcome)


def _refresh_token(operation: Operation) -> str:
    return next(each for each in operation.gave if each.startswith("rovi_rt_"))


def _of_grant(life: str, operations: Sequence[Operation]) -> Iterator[Entry]:
    tokens = _numbered(each for operation in operations for each in operation.gave)
    won = next((each.returned for each in operations if each.verb == "redeem" and each.outcome == "ok"), None)
    presented = Counter(each.subject for each in operations if each.verb == "refresh")
    seen_inactive: set[str] = set()
    for each in sorted(operations, key=lambda operation: operation.returned or operation.called):
        if each.verb in ("introspect", "read") and each.subject in tokens:
            mask = 1 << tokens[each.subject]
            yield Entry("grant", life, each.called, each.returned, "read", each.outcome, mask=mask)
            if each.outcome == "inactive" and each.subject not in seen_inactive:
                seen_inactive.add(each.subject)
                yield _a_second_later(life, each, "settled", "ok", mask)
        elif (end := _end_of(each, won, presented)) is not None:
            access = each.verb == "revoke" and each.subject in tokens
            mask = 1 << tokens[each.subject] if access else WHOLE_GRANT
            yield Entry("grant", life, each.called, each.returned, "ending", end, mask=mask)
            yield _a_second_later(life, each, "ended", end, mask)


def _numbered(given: Iterable[str]) -> dict[str, int]:
    tokens = sorted({each for each in given if each.startswith("rovi_at_")})
    if len(tokens) > 62:
        raise ValueError("a grant has more tokens than its register can tell apart")
    return {token: number for number, token in enumerate(tokens)}


def _end_of(operation: Operation, won: int | None, presented: Counter[str]) -> Outcome | None:
    """Whether an operation ends tokens: `ok` where it must have, `open` where it may, None where it cannot."""
    if operation.verb == "revoke":
        return operation.outcome
    if operation.verb == "refresh" and operation.outcome == "refused":
        return "ok"  # spent before, or its family had ended already
    if operation.verb == "refresh" and operation.outcome == "open":
        return "open" if presented[operation.subject] > 1 else None
    if operation.verb == "redeem" and operation.outcome != "ok" and won is not None:
        later = operation.called > won
        return "ok" if later and operation.outcome == "refused" else "open"
    return None


def _a_second_later(life: str, operation: Operation, verb: str, outcome: Outcome, mask: int) -> Entry:
    returns = None if operation.returned is None else operation.returned + REVOKED_WITHIN_NS
    return Entry("grant", life, operation.called, returns, verb, outcome, mask=mask)

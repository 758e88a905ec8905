"""The judges of a journal: Porcupine where Go is, and rules in Python that need nothing.

Porcupine tells whether any order of the operations explains what every caller saw. The rules know each single promise.
They find less, and they run everywhere.
"""

import json
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.ground.installation import UnavailableError, install_go
from tests.faults.registers import WHOLE_GRANT, Entry

PORCUPINE = Path(__file__).with_name("porcupine")
_PATIENCE_S = 600.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """judge: who judged. registers: how many of each kind. violations: a line each. undecided: not judged in time."""

    judge: str
    registers: dict[str, int]
    operations: int
    violations: list[str]
    undecided: list[str]


class NoJudgeError(Exception):
    """Porcupine cannot be had here; the text says why."""


def porcupine() -> Path:
    """The program of the judge, built on first use. Raises NoJudgeError where it cannot be had."""
    try:
        return install_go(PORCUPINE) / "porcupine"
    except UnavailableError as error:
        raise NoJudgeError(str(error)) from error


def judge(program: Path, entries: Sequence[Entry]) -> Verdict:
    """Let Porcupine judge every register."""
    lines = "".join(json.dumps(each.document) + "\n" for each in entries)
    done = subprocess.run(
        [program], input=lines, capture_output=True, text=True, check=True, timeout=_PATIENCE_S
    )
    found = json.loads(done.stdout)
    if found["operations"] != len(entries):
        raise ValueError(f"Porcupine read {found['operations']} of {len(entries)} entries")
    return Verdict(
        "Porcupine",
        found["registers"],
        found["operations"],
        sorted(f"{each['register']} {each['key']}: no order explains it" for each in found["illegal"]),
        sorted(f"{each['register']} {each['key']}" for each in found["undecided"]),
    )


def judge_by_rules(entries: Sequence[Entry]) -> Verdict:
    """Judge by the rules of this file."""
    registers: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for each in entries:
        registers[each.register, each.key].append(each)
    kinds: dict[str, int] = defaultdict(int)
    violations = []
    for (kind, key), history in registers.items():
        kinds[kind] += 1
        violations += [f"{kind} {key}: {fault}" for fault in _RULES[kind](history)]
    return Verdict("rules in Python", dict(kinds), len(entries), sorted(set(violations)), [])


def _faults_of_code(history: Sequence[Entry]) -> Iterator[str]:
    won = [each for each in history if each.verb == "redeem" and each.outcome == "ok"]
    if len(won) > 1:
        yield "it was redeemed twice"
    for refused in history:
        earlier = any(each is not refused and each.call <= _end(refused) for each in history)
        if refused.outcome == "refused" and not refused.weak and refused.verb == "redeem" and not earlier:
            yield "it was refused, and nobody had presented it"


def _faults_of_family(history: Sequence[Entry]) -> Iterator[str]:
    spent: set[str] = set()
    ends = [each.returns for each in history if each.verb == "end" and each.outcome == "ok" and each.returns]
    for each in history:
        if each.verb != "refresh":
            continue
        if each.outcome == "ok":
            if each.token in spent:
                yield "a refresh token was spent twice"
            spent.add(each.token)
            if any(end < each.call for end in ends):
                yield "it was refreshed after its end"
        elif each.outcome == "refused" and not _may_refuse(each, history):
            yield "its current token was refused"


def _may_refuse(refused: Entry, history: Sequence[Entry]) -> bool:
    """Whether the token had been presented by another, or the family may have ended."""
    others = (each for each in history if each is not refused and each.call <= _end(refused))
    return any(
        (each.verb in ("end", "refresh") and each.token != "") or each.verb == "end" for each in others
    )


def _faults_of_grant(history: Sequence[Entry]) -> Iterator[str]:
    ended = [each for each in history if each.verb in ("ended", "settled") and each.outcome == "ok"]
    ending = [each for each in history if each.verb == "ending"]
    for read in (each for each in history if each.verb == "read"):
        reached = read.mask | WHOLE_GRANT
        if read.outcome == "active" and any(each.mask & reached and _end(each) < read.call for each in ended):
            yield "a token was active more than a second after its end"
        if read.outcome == "inactive" and not any(
            each.mask & reached and each.call <= _end(read) for each in ending
        ):
            yield "a token was inactive, and nothing had ended it"


def _end(entry: Entry) -> float:
    return float("inf") if entry.returns is None else entry.returns


_RULES = {"code": _faults_of_code, "family": _faults_of_family, "grant": _faults_of_grant}

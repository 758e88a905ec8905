"""The same request, asked where answers are remembered, where they are not, and again: the three answers are one."""

import gzip
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.support.raw import RawAnswer

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_REQUEST_ID = "x-request-id"
# They tell of the request, and of the budget that a process keeps. The length is that of the body, which is compared.
_ASIDE = frozenset({"date", _REQUEST_ID, "content-length"})
_BUDGET = ("ratelimit", "x-ratelimit")
_NOT_FOUND = 404
_EXPECTED = frozenset({200, 304, _NOT_FOUND})
_DECODERS: Mapping[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "zstd": zstd.decompress,
    "identity": bytes,
}
_MOST_TOLD = 20


def difference(answers: Sequence[RawAnswer]) -> str | None:
    """The first thing in which answers are not alike, or what none of them should be; None where all is well."""
    first, *others = answers
    if first.status not in _EXPECTED:
        return f"the status is {first.status}"
    for other in others:
        if other.status != first.status:
            return f"the status is {first.status}, then {other.status}"
        mine, theirs = _headers(first), _headers(other)
        for name in sorted(mine.keys() | theirs.keys()):
            if mine.get(name) != theirs.get(name):
                return f"{name} is {mine.get(name)!r}, then {theirs.get(name)!r}"
        if (one := _body(first)) != (body := _body(other)):
            at = next((n for n, pair in enumerate(zip(one, body, strict=False)) if pair[0] != pair[1]), 0)
            return f"the bodies of {len(one)} and {len(body)} bytes part at {at}: {_around(one, at)}, then {_around(body, at)}"
    return None


def _headers(answer: RawAnswer) -> dict[str, str]:
    return {
        name: value
        for name, value in answer.headers.items()
        if name not in _ASIDE and not name.startswith(_BUDGET)
    }


def _body(answer: RawAnswer) -> bytes:
    """The body as it was before it was compressed. A refusal names its request there."""
    coding = answer.headers.get("content-encoding", "identity")
    body = _DECODERS[coding](answer.body) if answer.body else b""
    return body.replace(answer.headers[_REQUEST_ID].encode(), b"") if answer.status == _NOT_FOUND else body


def _around(body: bytes, at: int) -> str:
    return repr(body[max(0, at - 40) : at + 40])


@dataclass(slots=True)
class Tally:
    """compared: samples by kind that were equal. unsettled: asked while something changed. different: some that were not."""

    compared: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    unsettled: int = 0
    differences: int = 0
    different: list[str] = field(default_factory=list)

    def add(self, kind: str, asked: str, answers: Sequence[RawAnswer], *, settled: bool) -> None:
        if not settled:
            self.unsettled += 1
            return
        found = difference(answers)
        if found is None:
            self.compared[kind] += 1
            self.statuses[answers[0].status] += 1
            return
        self.differences += 1
        if len(self.different) < _MOST_TOLD:
            self.different.append(f"{kind}: {asked}: {found}")

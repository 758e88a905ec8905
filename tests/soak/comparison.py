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
    """The first thing in which answers are not alike, as each has it; or a status that none should have. None where all is well."""
    statuses = [each.status for each in answers]
    if len(set(statuses)) > 1 or statuses[0] not in _EXPECTED:
        return f"status {_each(statuses)}"
    headers = [_headers(each) for each in answers]
    for name in sorted({name for each in headers for name in each}):
        values = [each.get(name) for each in headers]
        if len(set(values)) > 1:
            return f"{name} {_each(values)}"
    bodies = [_body(each) for each in answers]
    if len(set(bodies)) > 1:
        at = next((at for at, found in enumerate(zip(*bodies, strict=False)) if len(set(found)) > 1), 0)
        return f"bodies part at byte {at}: {_each([each[max(0, at - 40) : at + 40] for each in bodies])}"
    return None


def _each(values: Sequence[object]) -> str:
    return ", ".join(map(repr, values))


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

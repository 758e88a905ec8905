"""One task, asked of ours and of the peers in turn on the same stores."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.ground.installation import InstallationError
from bench.ground.serving import ServingError
from bench.ground.token_path import Ground
from bench.load.generator import generate, load_of
from bench.load.records import read_requests
from bench.load.rounds import Contender, Rounds, interleave, ratios
from bench.peers.catalogue import OIDC_POSTGRES, OIDC_REDIS
from bench.peers.ours import OURS, OURS_UNCACHED, serving_ours
from bench.peers.peer import Peer, PeerError, Task

_OK = 200
CODES = 64  # that are sent twice at once


@dataclass(frozen=True, slots=True)
class Bar:
    """How many times the peer's rate ours has to be."""

    task: Task
    ours: str
    peer: str
    at_least: float


BARS = (
    Bar(Task.EXCHANGE, OURS, OIDC_POSTGRES, 6),
    Bar(Task.EXCHANGE, OURS, OIDC_REDIS, 3),
    Bar(Task.INTROSPECT, OURS_UNCACHED, OIDC_REDIS, 2.5),
    Bar(Task.INTROSPECT, OURS, OIDC_REDIS, 3),
)


@dataclass(frozen=True, slots=True)
class Ratio:
    """Ours to a peer's rate: the median of neighbours in time, and the least and the most of them.

    costs: a peer's processor time a request to ours, likewise; it wanders less.
    """

    ours: str
    peer: str
    median: float
    least: float
    most: float
    costs: float
    bar: float | None

    @property
    def met(self) -> bool:
        return self.bar is None or self.median >= self.bar


@dataclass(frozen=True, slots=True)
class Comparison:
    """doubled: of 64 codes that came twice at the same time, how many were answered with two tokens, by server.

    missing: why a peer was not measured.
    """

    task: Task
    rounds: Rounds
    doubled: dict[str, int]
    missing: dict[str, str]

    @property
    def ratios(self) -> list[Ratio]:
        ours = [name for name in (OURS, OURS_UNCACHED) if name in self.rounds]
        return [self._ratio(one, peer) for one in ours for peer in self.rounds if peer not in ours]

    def _ratio(self, ours: str, peer: str) -> Ratio:
        pairs = ratios(self.rounds, ours, peer, lambda each: each.rate)
        bars = {(bar.ours, bar.peer): bar.at_least for bar in BARS if bar.task is self.task}
        costs = median(ratios(self.rounds, peer, ours, lambda each: each.server_us))
        return Ratio(ours, peer, median(pairs), min(pairs), max(pairs), costs, bars.get((ours, peer)))


def compare(ground: Ground, task: Task, peers: Sequence[Peer], logs: Path) -> Comparison:
    """A peer that cannot be installed or does not serve is named in `missing`; a wrong answer ends the run."""
    missing: dict[str, str] = {}
    with ExitStack() as stack:
        contenders = _open_ours(stack, ground, task, logs)
        for peer in peers:
            try:
                contender = _open(stack, ground, task, peer, logs)
            except (InstallationError, ServingError, PeerError) as error:
                missing[peer.name] = f"{error}"
            else:
                contenders += [contender] if contender is not None else []
        doubled = {each.name: _count_doubled(ground, each) for each in contenders if each.once}
        rounds = interleave(contenders, ground.pids, ground.plan, ground.folder)
    return Comparison(task, rounds, doubled, missing)


def _open_ours(stack: ExitStack, ground: Ground, task: Task, logs: Path) -> list[Contender]:
    """Open ours with the token cache and without; a code exchange has no use for it and is measured once."""
    return [
        stack.enter_context(serving_ours(ground, task, cache=cache, log=logs / f"ours, cache {cache}.log"))
        for cache in ((True,) if task is Task.EXCHANGE else (True, False))
    ]


def _open(stack: ExitStack, ground: Ground, task: Task, peer: Peer, logs: Path) -> Contender | None:
    """None where the peer has no such thing."""
    if task not in peer.tasks:
        return None
    print(f"{task}: starting {peer.name}", flush=True)
    serving = stack.enter_context(
        peer.serving(ground.service_stores, ground.workers, logs / f"{peer.name}.log")
    )
    return serving.contender(task, ground.tokens)


def _count_doubled(ground: Ground, contender: Contender) -> int:
    """Codes that come twice at once; and one that was used already must be refused by everybody."""
    path = ground.folder / "requests"
    contender.write_requests(path, CODES)
    codes = read_requests(path)
    extra = _count_answered(contender, [code for code in codes for _ in range(2)]) - len(codes)
    if again := _count_answered(contender, codes):
        raise PeerError(f"{contender.name} answered {again} of {len(codes)} codes that were used already")
    return extra


def _count_answered(contender: Contender, requests: Sequence[bytes]) -> int:
    statuses: list[int] = []
    load = load_of(contender.url, requests, once=True)
    generate(load, lambda _position, status, _body: statuses.append(status))
    if len(statuses) < len(requests):
        raise PeerError(f"{contender.name} left {len(requests) - len(statuses)} requests unanswered")
    return statuses.count(_OK)

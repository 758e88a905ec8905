"""The price of a forged token: its refusal beside an honest introspection from memory, in rounds that take turns.

Both come through a trusted proxy, whose connections never rest. So each refusal is one that is made and answered.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bench.ground.token_path import Ground, serving
from bench.load.rounds import Plan, Round, Rounds, interleave, ratios
from bench.strain.askers import asking_introspection

NAME = "the price of a forged token"
HONEST, FORGED = "honest, from memory", "forged, turned away"


@dataclass(frozen=True, slots=True)
class Price:
    """All rounds of it. faults: none, since a round with a wrong answer ends the run."""

    plan: Plan
    rounds: Rounds
    name: str = NAME
    faults: Sequence[str] = ()

    @property
    def pairs(self) -> Sequence[float]:
        """Processor time a request, of service and stores together, forged to honest."""
        return ratios(self.rounds, FORGED, HONEST, _server_us)

    @property
    def met(self) -> bool:
        """It is shown, and not judged: no connection of a proxy rests, and the floods judge what a forger costs."""
        return True


def measure_price(ground: Ground) -> Price:
    settings = {**ground.service.settings, "TRUSTED_PROXIES": "127.0.0.1"}
    ground = replace(ground, service=replace(ground.service, settings=settings))
    with serving(ground, cache=True) as (url, pid):
        askers = asking_introspection(ground, url, pid, name=NAME)
        honest = replace(askers.honest, name=HONEST)
        forged = replace(askers.forger, name=FORGED, status=None)
        return Price(ground.plan, interleave([honest, forged], ground.pids, ground.plan, ground.folder))


def _server_us(done: Round) -> float:
    return done.server_us

"""The number of users changes over a run. Each user keeps its pace, so the load changes with it."""

from locust import LoadTestShape

from bench.scenarios.phases import SHAPES, Phase
from bench.scenarios.tally import Tally


class Shape(LoadTestShape):
    """Phases in turn. The warm-up is spent at the load of the first one."""

    abstract = True  # else locust makes one of every shape it finds, and uses it unasked

    def __init__(self, name: str, users: int, *, warm_up_s: float, seconds: float, tally: Tally) -> None:
        super().__init__()
        self._phases = SHAPES[name]
        self._users = users
        self._warm_up_s = warm_up_s
        self._seconds = seconds
        self._tally = tally

    def tick(self) -> tuple[int, float] | None:
        """The number of users to have, asked once a second; None ends the run."""
        share = (self.get_run_time() - self._warm_up_s) / self._seconds
        if share >= 1:
            return None
        phase = self._phase_at(max(0.0, share))
        self._tally.enter(phase.name)
        users = max(1, round(phase.times * self._users))
        return users, users

    def _phase_at(self, share: float) -> Phase:
        return [phase for phase in self._phases if phase.since <= share][-1]

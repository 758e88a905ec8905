"""The tally counts all answers for the verdict, and those within the measured time for the figures."""

from array import array
from collections import Counter, defaultdict
from time import perf_counter, process_time
from typing import Any

from bench.load.generator import percentiles_ms


class Tally:
    """phase: of a shape's load, such as the spike. Latencies are kept whole: locust's own are rounded to a millisecond."""

    def __init__(self) -> None:
        self.answered: Counter[str] = Counter()
        self.failed: Counter[tuple[str, str]] = Counter()
        self.phase = ""
        self.tasks = 0
        self.late = 0
        self._measuring = False
        self._latencies: defaultdict[tuple[str, str], array[float]] = defaultdict(lambda: array("d"))
        self._phases: dict[str, list[float]] = {}
        self._cpu_s = self._seconds = 0.0

    def note(self, name: str, response_time: float, exception: object, **_rest: object) -> None:
        """Handle locust's request event."""
        self.answered[name] += 1
        if exception is not None:
            self.failed[name, str(exception)] += 1
        if self._measuring:
            self._latencies[self.phase, name].append(response_time / 1000)

    def pace(self, wait_s: float) -> None:
        """A task is over and the next begins in so long; at once means that it was due before."""
        if self._measuring:
            self.tasks += 1
            self.late += wait_s <= 0

    def begin(self) -> None:
        """The warm-up is over."""
        self._measuring = True
        self._cpu_s, self._seconds = process_time(), perf_counter()
        self.enter(self.phase)

    def enter(self, phase: str) -> None:
        """Count the answers from now on to this phase."""
        if self._measuring:
            now = perf_counter()
            self._phases.setdefault(self.phase, [now, now])[1] = now
            self._phases.setdefault(phase, [now, now])
        self.phase = phase

    def end(self) -> None:
        if self._measuring:
            self.enter(self.phase)
            self._cpu_s, self._seconds = process_time() - self._cpu_s, perf_counter() - self._seconds
            self._measuring = False

    def figures(self) -> dict[str, Any]:
        """Latencies in milliseconds, by nearest rank; `seconds` and the processor time of the measured part alone."""
        parts = sorted({name for _, name in self._latencies})
        return {
            "seconds": round(self._seconds, 3),
            "generator_cpu_s": round(self._cpu_s, 3),
            "answered": self.answered.total(),
            "failed": [
                {"part": name, "why": why, "times": times} for (name, why), times in self.failed.items()
            ],
            "tasks": self.tasks,
            "late": self.late,
            "parts": {name: _figures(self._of(name=name), self._seconds) for name in parts},
            "all": _figures(self._of(), self._seconds),
            "phases": {
                phase: _figures(self._of(phase=phase), until - since)
                for phase, (since, until) in self._phases.items()
                if phase
            },
        }

    def _of(self, *, phase: str | None = None, name: str | None = None) -> "array[float]":
        found = array("d")
        for (its_phase, its_name), latencies in self._latencies.items():
            if phase in (None, its_phase) and name in (None, its_name):
                found.extend(latencies)
        return found


def _figures(latencies_s: "array[float]", seconds: float) -> dict[str, Any]:
    rate = len(latencies_s) / seconds if seconds else 0.0
    return {
        "requests": len(latencies_s),
        "rate": round(rate, 1),
        "latency_ms": percentiles_ms(latencies_s),
    }

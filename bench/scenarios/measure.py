"""One scenario from its preparation to its verdict."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from bench.ground.serving import stop
from bench.load.check import (
    CheckError,
    check_cap,
    check_client_tokens,
    check_exchanges,
    check_refreshes,
    check_replays,
)
from bench.load.generator import GeneratorError
from bench.load.machine import ProcessorTime, read_processor_time
from bench.scenarios.catalogue import SIGN_IN, Scenario
from bench.scenarios.ground import Ground
from bench.scenarios.material import Folder, answers_of, read_families
from bench.scenarios.options import Options

_LOCUSTFILE = Path(__file__).with_name("locustfile.py")
_TASK_S = 10  # what a simulated user may still take when time is up
_SPARE_S = 60.0  # locust's own start, and its reports


class MeasureError(Exception):
    """Why there is no result."""


@dataclass(frozen=True, slots=True)
class Result:
    """figures: as the tally has them. used: processor time of the whole load, warm-up too. faults: none in a good run."""

    scenario: Scenario
    figures: dict[str, Any]
    used: ProcessorTime
    checked: int
    faults: tuple[str, ...]

    @property
    def generator_share(self) -> float:
        """The generator's share of one core, which is all that locust can use."""
        return float(self.figures["generator_cpu_s"] / self.figures["seconds"])

    @property
    def late_share(self) -> float:
        """The share of the open model's tasks that began after they were due."""
        return float(self.figures["late"] / self.figures["tasks"]) if self.figures["tasks"] else 0.0

    def cost_us(self, seconds: float) -> float:
        """The cost of one request."""
        return seconds / int(self.figures["answered"]) * 1e6


def measure(scenario: Scenario, ground: Ground, options: Options) -> Result:
    print(f"{scenario.name}: {scenario.about}", flush=True)
    folder = ground.prepare(scenario, options.load)
    print(f"  loading {ground.service.url} for {options.load.total_s:g} s", flush=True)
    before = read_processor_time(ground.pid, ground.pids)
    _load(scenario, ground, options, folder)
    used = read_processor_time(ground.pid, ground.pids).since(before)
    figures = _read_figures(folder, options.out / f"{scenario.name}.log")
    checked, wrong = _check(scenario, ground, folder)
    faults = (*_failures(figures), *wrong, *_slow(figures, options.p99_ms))
    return Result(scenario, figures, used, checked, faults)


def _load(scenario: Scenario, ground: Ground, options: Options, folder: Folder) -> None:
    """Run locust to its end; what it found is in the figures."""
    with (options.out / f"{scenario.name}.log").open("wb") as stream:
        process = subprocess.Popen(
            _command(scenario, ground.service.url, options, folder),
            cwd=folder.path,
            stdout=stream,
            stderr=stream,
        )
    try:
        process.wait(timeout=options.load.total_s + _TASK_S + _SPARE_S)
    except subprocess.TimeoutExpired:
        raise MeasureError(f"locust does not end, see {stream.name}") from None
    finally:
        stop(process)


def _command(scenario: Scenario, url: str, options: Options, folder: Folder) -> list[str | Path]:
    load, prefix = options.load, options.out / scenario.name
    return [
        *(sys.executable, "-m", "locust", "--headless", "--only-summary", "--locustfile", _LOCUSTFILE),
        *(scenario.user, "--host", url, "--material", folder.path, "--csv", prefix),
        *("--html", prefix.with_suffix(".html"), "--stop-timeout", str(_TASK_S)),
        *("--users", str(load.users), "--spawn-rate", str(load.users), "--warm-up", str(load.warm_up_s)),
        *(["--rate", str(load.rate)] if load.rate else []),
        *("--measured", str(load.seconds)),
        *(["--shape", load.shape] if load.shape else []),
    ]


def _read_figures(folder: Folder, log: Path) -> dict[str, Any]:
    if not folder.figures.exists():
        raise MeasureError(f"locust left no figures, see {log}")
    figures: dict[str, Any] = orjson.loads(folder.figures.read_bytes())
    if not figures["answered"] or not figures["seconds"]:
        raise MeasureError(f"nothing was measured, see {log}")
    return figures


def _check(scenario: Scenario, ground: Ground, folder: Folder) -> tuple[int, tuple[str, ...]]:
    """How many answered tokens were looked for in PostgreSQL, and what was wrong with them."""
    database_url, url = ground.stores.database_url, ground.service.url
    checked = 0
    try:
        if scenario.capped:
            check_cap(database_url)
        for requests in filter(_answered, (folder.codes, folder.consented)):
            checked += check_exchanges(database_url, requests, answers_of(requests))
            check_replays(database_url, url, requests, answers_of(requests))
        for requests in filter(_answered, (folder.client_tokens,)):
            checked += check_client_tokens(database_url, requests, answers_of(requests))
        for families in filter(_answered, (folder.families,)):
            begun = [(each.credentials, each.refresh_token) for each in read_families(families)]
            checked += check_refreshes(database_url, url, begun, answers_of(families))
    except (CheckError, GeneratorError) as error:
        return checked, (f"{error}",)
    return checked, ()


def _answered(requests: Path) -> bool:
    """Whether any were: not every scenario asks everything, and locust says which of its parts had no answer."""
    answers = answers_of(requests)
    return answers.exists() and answers.stat().st_size > 0


def _failures(figures: dict[str, Any]) -> Iterator[str]:
    for failed in figures["failed"]:
        yield f"{failed['part']}: {failed['why']} ({failed['times']} times)"
    if figures["missing"]:
        yield f"never answered: {', '.join(figures['missing'])}"


def _slow(figures: dict[str, Any], most_ms: float) -> Iterator[str]:
    """The sign-in is left out: hashing a password is meant to be slow."""
    for name, part in figures["parts"].items():
        if name != SIGN_IN and part["latency_ms"]["p99"] > most_ms:
            yield f"{name}: p99 {part['latency_ms']['p99']:.0f} ms, at most {most_ms:.0f}"

"""Measurements for Prometheus, named by OpenTelemetry's conventions, served on a port of their own."""

import asyncio
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPMethod
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from wsgiref.types import StartResponse, WSGIEnvironment

from prometheus_client import (
    PLATFORM_COLLECTOR,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    start_http_server,
)
from prometheus_client.multiprocess import MultiProcessCollector

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)  # seconds
_REQUESTS = Histogram(
    "http_server_request_duration_seconds",
    "Requests by method, route and status",
    ["method", "route", "status"],
    buckets=_BUCKETS,
)
REFUSED = Counter(
    "http_server_refused_connections",
    "Connections that the HTTP edge ended because of what came, or did not come in time, by status",
    ["status"],
)
MAILS = Counter("mail_attempts", "Attempts to hand a mail over to the mail server, by outcome", ["outcome"])
_METHODS = frozenset(HTTPMethod.__members__)
HAND_ON_EVERY_S = 0.1

# Close together where a block begins to hurt: the door may hold the loop for 50 ms at most.
LAG_BUCKETS = (0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1)  # seconds
_LAG = Histogram(
    "rovitracker_loop_lag_seconds", "How late the event loop came to a timer of 10 ms", buckets=LAG_BUCKETS
)
_BUSY = Histogram(
    "rovitracker_loop_busy_seconds",
    "How much of that lateness the loop's own thread computed; the rest it waited, for the processor as a rule",
    buckets=LAG_BUCKETS,
)
_LONGEST_LAG = Gauge(
    "rovitracker_loop_lag_longest_seconds", "The longest lateness since the start", multiprocess_mode="max"
)
_LONGEST_BUSY = Gauge(
    "rovitracker_loop_busy_longest_seconds", "The most computed in a lateness", multiprocess_mode="max"
)
# The port is open to whoever reaches it: what the service is made of is told there no more than elsewhere.
REGISTRY.unregister(PLATFORM_COLLECTOR)
_SERVER = "RoviTracker"
_NOSNIFF = ("X-Content-Type-Options", "nosniff")


class _Tally:
    """Measurements of one series on their way to its histogram.

    Each on its own would cost as much as a look-up: workers keep their histograms in files that /metrics reads.
    """

    def __init__(self, histogram: Histogram, buckets: Sequence[float]) -> None:
        self._histogram = histogram
        self._buckets = buckets
        self._counts = [0] * (len(buckets) + 1)
        self._seconds = 0.0

    def add(self, seconds: float) -> None:
        self._counts[bisect_left(self._buckets, seconds)] += 1
        self._seconds += seconds

    def add_least(self, count: int, seconds: float) -> None:
        """Add many at once that all belong into the first bucket. seconds: their sum."""
        self._counts[0] += count
        self._seconds += seconds

    def hand_on(self) -> None:
        """Add all to the histogram at once, for which the library has no call."""
        for number, count in enumerate(self._counts):
            if count:
                self._histogram._buckets[number].inc(count)  # noqa: SLF001  # the library has no call
        self._histogram._sum.inc(self._seconds)  # noqa: SLF001  # likewise
        self._counts = [0] * len(self._counts)
        self._seconds = 0.0


class Measurements:
    """The measurements of one process."""

    def __init__(self) -> None:
        self._tallies: dict[tuple[str, str, int], _Tally] = {}
        self._touched: set[_Tally] = set()

    def add(self, method: str, route: str, status: int, seconds: float) -> None:
        """route: as it stands in the routes, never an address, or every machine would be a series."""
        tally = self._tallies.get((method, route, status)) or self._begin(method, route, status)
        tally.add(seconds)
        if not self._touched:
            asyncio.get_running_loop().call_later(HAND_ON_EVERY_S, self.flush)
        self._touched.add(tally)

    def flush(self) -> None:
        for tally in self._touched:
            tally.hand_on()
        self._touched.clear()

    def _begin(self, method: str, route: str, status: int) -> _Tally:
        known = method if method in _METHODS else "_OTHER"
        key = (known, route, status)
        if key not in self._tallies:
            self._tallies[key] = _Tally(_REQUESTS.labels(known, route, str(status)), _BUCKETS)
        return self._tallies[key]


MEASUREMENTS = Measurements()


class LagMeasurements:
    """The lateness of the event loop. Nothing is written before `hand_on`."""

    def __init__(self) -> None:
        self._lag = _Tally(_LAG, LAG_BUCKETS)
        self._busy = _Tally(_BUSY, LAG_BUCKETS)
        self.longest_lag_s = 0.0
        self.longest_busy_s = 0.0

    def add_punctual(self, count: int, seconds: float) -> None:
        """Add many that were less late than the first bucket is wide. seconds: the sum of their lateness."""
        self._lag.add_least(count, seconds)
        self._busy.add_least(count, 0.0)

    def add_late(self, lag_s: float, busy_s: float) -> None:
        self._lag.add(lag_s)
        self._busy.add(busy_s)
        self.longest_lag_s = max(self.longest_lag_s, lag_s)
        self.longest_busy_s = max(self.longest_busy_s, busy_s)

    def hand_on(self) -> None:
        self._lag.hand_on()
        self._busy.hand_on()
        _LONGEST_LAG.set(self.longest_lag_s)
        _LONGEST_BUSY.set(self.longest_busy_s)


LAGS = LagMeasurements()


@contextmanager
def serve_metrics(host: str, port: int, *, workers: int) -> Iterator[dict[str, str]]:
    """Serve GET /metrics until the block ends; yield the environment that worker processes need for it."""
    if workers == 1:
        server, thread = _start(host, port, REGISTRY)
        environment: dict[str, str] = {}
        folder = None
    else:
        folder = TemporaryDirectory(prefix="rovitracker-metrics-")
        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=folder.name)  # type: ignore[no-untyped-call]  # the library has no types there
        server, thread = _start(host, port, registry)
        environment = {"PROMETHEUS_MULTIPROC_DIR": folder.name}
    try:
        yield environment
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        if folder is not None:
            folder.cleanup()


def _start(host: str, port: int, registry: CollectorRegistry) -> tuple[WSGIServer, Thread]:
    """The library's server, which says no more of itself than the service does."""
    server, thread = start_http_server(port, host, registry)
    answer: Any = server.get_app()

    def answer_plainly(environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        def start(status: str, headers: list[tuple[str, str]]) -> Any:
            return start_response(status, [*headers, ("Server", _SERVER), _NOSNIFF])

        return answer(environ, start)

    server.set_app(answer_plainly)
    server.RequestHandlerClass = _Handler
    return server, thread


class _Handler(WSGIRequestHandler):
    """Refuses what is no HTTP as plainly."""

    server_version, sys_version = _SERVER, ""

    def end_headers(self) -> None:
        self.send_header(*_NOSNIFF)
        super().end_headers()

    def log_message(self, *_said: object) -> None:
        """Requests for measurements are no line in the log."""

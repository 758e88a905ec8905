"""Measurements for Prometheus, named by OpenTelemetry's conventions, served on a port of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPMethod
from tempfile import TemporaryDirectory

from prometheus_client import REGISTRY, CollectorRegistry, Histogram, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector

_REQUESTS = Histogram(
    "http_server_request_duration_seconds",
    "Requests by method, route and status",
    ["method", "route", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
_METHODS = frozenset(HTTPMethod.__members__)
_observers: dict[tuple[str, str, int], Histogram] = {}  # found quicker than by the library's own way


def observe_request(method: str, route: str, status: int, seconds: float) -> None:
    """route: as it stands in the routes, never an address, or every machine would be a series."""
    key = (method, route, status)
    observer = _observers.get(key)
    if observer is None:
        known = method if method in _METHODS else "_OTHER"
        observer = _REQUESTS.labels(known, route, str(status))
        if known == method:
            _observers[key] = observer
    observer.observe(seconds)


@contextmanager
def serve_metrics(host: str, port: int, *, workers: int) -> Iterator[dict[str, str]]:
    """GET /metrics until the block ends; the environment that workers, which are processes of their own, need for it."""
    if workers == 1:
        server, thread = start_http_server(port, host, REGISTRY)
        environment: dict[str, str] = {}
        folder = None
    else:
        folder = TemporaryDirectory(prefix="rovitracker-metrics-")
        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=folder.name)  # type: ignore[no-untyped-call]
        server, thread = start_http_server(port, host, registry)
        environment = {"PROMETHEUS_MULTIPROC_DIR": folder.name}
    try:
        yield environment
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        if folder is not None:
            folder.cleanup()

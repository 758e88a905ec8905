"""The contenders of a run are started here."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.ground.service import Service
from bench.ground.serving import free_port, serving

# The service's own supervisor starts it with these.
_UVICORN = (
    *("--loop", "uvloop", "--http", "httptools", "--timeout-keep-alive", "5"),
    *("--no-access-log", "--no-server-header", "--log-level", "warning"),
)


@contextmanager
def service_serving(service: Service, workers: int, log: Path) -> Iterator[int]:
    """The service itself; its process id."""
    command = [*service.command, "serve", "--workers", str(workers)]
    ready = f"{service.url}/health/ready"
    with serving(
        command, url=ready, log=log, folder=service.folder, environment=service.environment
    ) as process:
        yield process.pid


@contextmanager
def guard_serving(
    service: Service, workers: int, log: Path, more: Mapping[str, str] | None = None
) -> Iterator[tuple[str, int]]:
    """The service with its empty route, on the same server; its address and process id. more: variables."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "bench.ground.guard", "--workers", str(workers)]
    environment = {**service.environment, "ROVITRACKER_PORT": str(port), **(more or {})}
    ready = f"{url}/health/ready"
    with serving(command, url=ready, log=log, folder=log.parent, environment=environment) as process:
        yield url, process.pid


@contextmanager
def application_serving(
    application: str, environment: Mapping[str, str], workers: int, log: Path
) -> Iterator[tuple[str, int]]:
    """An ASGI application's factory under uvicorn; its address and process id. Its every GET is answered 200."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "uvicorn", "--factory", application, "--workers", str(workers)]
    options = ["--host", "127.0.0.1", "--port", str(port), *_UVICORN]
    ready = f"{url}/health/ready"
    with serving(
        [*command, *options], url=ready, log=log, folder=log.parent, environment=environment
    ) as process:
        yield url, process.pid

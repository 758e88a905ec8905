"""This service as it is shipped, beside the peers: with its token cache and without."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bench.ground.guarded_path import GUARDED
from bench.ground.servers import guard_serving, service_serving
from bench.ground.service import Service
from bench.ground.serving import free_port
from bench.ground.token_path import Ground, exchanging, introspecting, make_tokens
from bench.load.records import get_request, write_requests
from bench.load.rounds import Contender
from bench.peers.peer import Task
from bench.peers.stores import set_fsync

OURS = "ours"
OURS_UNCACHED = "ours, token cache off"


@contextmanager
def serving_ours(ground: Ground, task: Task, *, cache: bool, log: Path) -> Iterator[Contender]:
    """Asked for one thing, until the end."""
    settings = {**ground.service.settings, "TOKEN_CACHE": str(cache).lower()}
    service = replace(ground.service, port=free_port(), settings=settings)
    name = OURS if cache else OURS_UNCACHED
    with service_serving(service, ground.workers, log) as pid:
        if task is Task.EXCHANGE:
            yield _durable(ground, exchanging(ground, name, service.url, pid, ground.service_stores))
        elif task is Task.INTROSPECT:
            yield introspecting(ground, name, service.url, pid, ground.service_stores)
        else:
            with _guarded(ground, service, log.with_suffix(".guard.log")) as (url, guard_pid, requests):
                yield Contender(name, url, guard_pid, lambda path, _: _write(path, requests))


def _durable(ground: Ground, contender: Contender) -> Contender:
    """Valkey syncs every write, as it does in the private servers, whatever it did for a peer."""

    def write(path: Path, count: int) -> None:
        set_fsync(ground.service_stores.redis_url, "always")
        contender.write_requests(path, count)

    return replace(contender, write_requests=write)


@contextmanager
def _guarded(ground: Ground, service: Service, log: Path) -> Iterator[tuple[str, int, list[bytes]]]:
    """The guard alone, as at the peers: the service with one route more, whose answer needs no store."""
    tokens = make_tokens(ground, service.url, ground.service_stores, ground.tokens)
    requests = [get_request(GUARDED, bearer=token) for _, token in tokens]
    with guard_serving(service, ground.workers, log) as server:
        yield *server, requests


def _write(path: Path, requests: list[bytes]) -> None:
    write_requests(path, requests)

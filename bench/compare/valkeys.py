"""The Valkeys of a comparison: several for the working tree, and one for the base, all on ports of the loopback interface."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import uvloop

from bench.ground.cluster import cluster_nodes, join
from bench.ground.valkeys import new_valkey, running, until_true, watched_valkeys

KINDS = ("sentinel", "cluster")


@contextmanager
def valkeys_of(kind: str | None, folder: Path) -> Iterator[Sequence[str] | None]:
    """Addresses for the working tree and the base; None without a kind, where both have what the run has."""
    if kind is None:
        yield None
        return
    folder.mkdir()
    one = new_valkey(folder, secrets.token_hex(16))
    with running([one]), _sentinels(folder) if kind == "sentinel" else _cluster(folder) as url:
        yield url, f"redis://:{one.password}@127.0.0.1:{one.port}/0"


@contextmanager
def _sentinels(folder: Path) -> Iterator[str]:
    with watched_valkeys(folder, down_after_ms=30_000) as watched:
        uvloop.run(until_true(watched.is_whole))
        yield watched.url


@contextmanager
def _cluster(folder: Path) -> Iterator[str]:
    with cluster_nodes(folder, timeout_ms=30_000) as cluster:
        uvloop.run(join(cluster))
        yield cluster.url

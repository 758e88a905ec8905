"""A cluster of Valkeys of a run's own: how it is joined, what its nodes say, and how slots move."""

import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot

from bench.ground.serving import free_port
from bench.ground.valkeys import Valkey, new_valkey, running, until_true


@dataclass(frozen=True, slots=True)
class Joined:
    """A cluster: three primaries in the beginning, and a replica of each, in this order."""

    nodes: tuple[Valkey, ...]

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{each.port}" for each in self.nodes)
        return f"redis+cluster://:{self.nodes[0].password}@{hosts}"

    async def owner_of(self, key: str, *, by: Valkey | None = None) -> Valkey:
        """The node that serves the key's slot. by: the node that is asked."""
        slot = key_slot(key.encode())
        for first, last, primary, *_ in await (by or self.nodes[-1]).tell("CLUSTER", "SLOTS"):
            if first <= slot <= last:
                return next(node for node in self.nodes if node.port == primary[1])
        raise AssertionError(f"nobody serves the slot of {key}")

    async def replica_of(self, primary: Valkey) -> Valkey:
        name = str(await primary.tell("CLUSTER", "MYID"))
        for line in str(await primary.tell("CLUSTER", "NODES")).splitlines():
            _, address, _, follows, *_ = line.split()
            if follows == name:
                port = int(address.partition("@")[0].rpartition(":")[2])
                return next(node for node in self.nodes if node.port == port)
        raise AssertionError("it has no replica")

    async def ids(self) -> Mapping[int, str]:
        """By port."""
        return {node.port: str(await node.tell("CLUSTER", "MYID")) for node in self.nodes if node.process}

    async def begin_move(self, slot: int, source: Valkey, target: Valkey) -> None:
        ids = await self.ids()
        await target.tell("CLUSTER", "SETSLOT", str(slot), "IMPORTING", ids[source.port])
        await source.tell("CLUSTER", "SETSLOT", str(slot), "MIGRATING", ids[target.port])

    async def move_keys(self, slot: int, source: Valkey, target: Valkey) -> None:
        while keys := await source.tell("CLUSTER", "GETKEYSINSLOT", str(slot), "100"):
            to = ("127.0.0.1", str(target.port), "", "0", "5000", "AUTH", target.password)
            await source.tell("MIGRATE", *to, "KEYS", *keys)

    async def end_move(self, slot: int, source: Valkey, target: Valkey) -> None:
        ids = await self.ids()
        for node in (target, source):
            await node.tell("CLUSTER", "SETSLOT", str(slot), "NODE", ids[target.port])

    async def is_whole(self) -> bool:
        """Whether all know that every slot is served, and each replica hears its primary."""
        for node in self.nodes:
            info = str(await node.tell("CLUSTER", "INFO")).splitlines()
            if not {"cluster_state:ok", f"cluster_known_nodes:{len(self.nodes)}"} <= set(info):
                return False
        primaries = [await node.is_primary() for node in self.nodes]
        in_step = [await node.is_in_step() for node in self.nodes]
        return sum(primaries) == len(self.nodes) // 2 and sum(in_step) == len(self.nodes) // 2


@contextmanager
def cluster_nodes(folder: Path, count: int = 6, *, timeout_ms: int = 1000) -> Iterator[Joined]:
    """Nodes that do not know each other yet."""
    password = secrets.token_hex(16)
    nodes = tuple(_new_node(folder, password, timeout_ms) for _ in range(count))
    with running(nodes):
        yield Joined(nodes)


def _new_node(folder: Path, password: str, timeout_ms: int) -> Valkey:
    own = Path(tempfile.mkdtemp(dir=folder))
    lines = (
        "cluster-enabled yes",
        "cluster-config-file nodes.conf",
        f"cluster-port {free_port()}",
        f"cluster-node-timeout {timeout_ms}",
    )
    return new_valkey(own, password, *lines)


async def join(cluster: Joined) -> None:
    """Give the first half of the nodes the slots, and each a replica of the second half."""
    nodes, half = cluster.nodes, len(cluster.nodes) // 2
    ends = [REDIS_CLUSTER_HASH_SLOTS * number // half for number in range(half + 1)]
    for number, (node, (first, end)) in enumerate(zip(nodes, pairwise(ends), strict=False), 1):
        await node.tell("CLUSTER", "ADDSLOTSRANGE", str(first), str(end - 1))
        await node.tell("CLUSTER", "SET-CONFIG-EPOCH", str(number))
    for node in nodes[1:]:
        bus = node.file.read_text().partition("cluster-port ")[2].split()[0]
        await nodes[0].tell("CLUSTER", "MEET", "127.0.0.1", str(node.port), bus)
    ids = await cluster.ids()
    for primary, replica in zip(nodes[:half], nodes[half:], strict=True):
        await until_true(partial(_knows, replica, ids[primary.port]))
        await replica.tell("CLUSTER", "REPLICATE", ids[primary.port])
    await until_true(cluster.is_whole)


async def _knows(node: Valkey, name: str) -> bool:
    return name in str(await node.tell("CLUSTER", "NODES"))

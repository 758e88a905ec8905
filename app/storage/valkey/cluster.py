"""A cluster: each key goes to the node that serves its slot, over one connection a node."""

import asyncio
import random
from collections.abc import Sequence
from functools import partial
from itertools import count
from time import monotonic
from typing import Any

from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot

from app.ending import end
from app.storage.errors import (
    NotSentError,
    OtherKindError,
    RedirectedError,
    RetiredError,
    StoreUnavailableError,
)
from app.storage.valkey.address import Address, Host, read_host, shown_host
from app.storage.valkey.node import Node, NodeBounds

# So many nodes are asked for the map at once, and the first answer counts: one may be dead, and another silent.
_ASKED_FOR_MAP = 3
_MAP_STANDS_S = 0.2  # slots that move one by one each send us elsewhere, and need no new map each
_PAUSE_S, _LONGEST_PAUSE_S = 0.02, 0.2


class Cluster:
    """The map of slots is read at first need, and anew when a node leads elsewhere or cannot be reached.

    A command that took no effect is sent again, within the time for one command. Any other failure leaves the outcome
    unknown, and nothing is repeated here.
    """

    def __init__(self, address: Address, bounds: NodeBounds) -> None:
        self._maker, self._bounds = address.servers, bounds
        self._named = frozenset(address.hosts)
        self._known = self._named  # and every node of the last map
        self._nodes: dict[Host, Node] = {}
        self._owners: list[Node | None] = [None] * REDIS_CLUSTER_HASH_SLOTS
        self._reading: asyncio.Task[None] | None = None
        self._read_at = 0.0
        self._led = 0

    async def call(self, *command: bytes | str, limited: bool = True) -> Any:
        """As `Node.call` does, on the node that serves the slot of the command's key.

        Raises NotSentError when no node took it in time, else StoreUnavailableError: the outcome is unknown.
        """
        key = command[3 if command[0] == "EVAL" else 1]  # a script's stands behind the number of its keys
        slot = key_slot(key.encode() if isinstance(key, str) else key)
        node = self._owners[slot]
        try:
            if node is None:
                raise RetiredError("Valkey: no node is known that serves the slot")
            pipe = node.standing or await node.open_pipe()
            return await pipe.call(*command, limited=limited)
        except NotSentError as refused:
            return await self._call_elsewhere(slot, command, node, refused, limited=limited)

    def delete_soon(self, key: str) -> None:
        """As `Pipe.delete_soon` does. What is served elsewhere by now stays to its end."""
        owner = self._owners[key_slot(key.encode())]
        if owner is not None:
            owner.delete_soon(key)

    async def _call_elsewhere(
        self,
        slot: int,
        command: Sequence[bytes | str],
        asked: Node | None,
        refused: NotSentError,
        *,
        limited: bool,
    ) -> Any:
        """Go where the nodes lead until one takes the command. Raises the last refusal when the time is over.

        The first step is taken at once, and later ones after pauses: a slot that moves, or fails over, needs its time.
        """
        if limited and self._led >= self._bounds.most_waiting:
            raise refused
        self._led += 1
        deadline, pause_s = monotonic() + self._bounds.timeout_s, 0.0
        try:
            while True:
                asked, asking = await self._turn_to(slot, asked, refused)
                if monotonic() + pause_s >= deadline:
                    raise refused
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s or _PAUSE_S, _LONGEST_PAUSE_S)
                try:
                    return await self._call_on(asked, command, asking=asking, limited=limited)
                except NotSentError as again:
                    refused = again
        finally:
            self._led -= 1

    async def _turn_to(self, slot: int, asked: Node | None, refused: NotSentError) -> tuple[Node, bool]:
        """The node to go to next, and whether the slot is only on its way there. Raises the refusal when there is none."""
        word, led_to = _read_redirection(refused, asked)
        if led_to is not None:
            node = self._node(led_to)
            if word == "MOVED":
                self._owners[slot] = node
                if monotonic() - self._read_at > _MAP_STANDS_S:
                    self._begin_reading()
            return node, word == "ASK"
        passing = isinstance(refused, RedirectedError | RetiredError)
        if not passing and asked is not None and asked.standing:  # too many wait there
            raise refused
        if word != "TRYAGAIN":
            await asyncio.shield(self._begin_reading())
        owner = self._owners[slot]
        if owner is None or (owner is asked and not passing):
            raise refused
        return owner, False

    async def _call_on(
        self, node: Node, command: Sequence[bytes | str], *, asking: bool, limited: bool
    ) -> Any:
        pipe = node.standing or await node.open_pipe()
        if asking:  # it holds for the next command on the connection, which nothing comes before
            pipe.call("ASKING", limited=False).add_done_callback(_forget)
        return await pipe.call(*command, limited=limited)

    def _node(self, host: Host) -> Node:
        if host not in self._nodes:
            self._nodes[host] = Node(partial(self._maker.connect, host), self._bounds, host)
        return self._nodes[host]

    def _begin_reading(self) -> asyncio.Task[None]:
        """Callers that come while the map is being read wait for the same one, and get the same failure."""
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())
            self._reading.add_done_callback(_forget)
        return self._reading

    async def _read(self) -> None:
        try:
            async with asyncio.timeout(self._bounds.timeout_s):
                await self._take(*await self._ask_for_map())
        except TimeoutError as error:
            raise NotSentError("Valkey: no node of the cluster answers in time") from error
        finally:
            self._reading, self._read_at = None, monotonic()

    async def _ask_for_map(self) -> tuple[Host, list[Any]]:
        """The first answer of a few nodes, of those that we are connected to if there are so many."""
        near = sorted(self._known, key=lambda host: (not self._is_connected(host), random.random()))  # noqa: S311  # no secret
        asked = [asyncio.create_task(self._ask_one(host)) for host in near[:_ASKED_FOR_MAP]]
        faults: list[NotSentError] = []
        try:
            for each in asyncio.as_completed(asked):
                try:
                    return await each
                except NotSentError as fault:
                    faults.append(fault)
        finally:
            await end(*asked)
        raise next((fault for fault in faults if isinstance(fault, OtherKindError)), faults[0])

    def _is_connected(self, host: Host) -> bool:
        return host in self._nodes and self._nodes[host].standing is not None

    async def _ask_one(self, host: Host) -> tuple[Host, list[Any]]:
        try:
            ranges = await self._node(host).call("CLUSTER", "SLOTS", limited=False)
        except NotSentError:
            raise
        except StoreUnavailableError as error:
            raise _judge(host, str(error)) from error
        if not ranges:
            raise OtherKindError(
                f"{shown_host(host)} serves no slot and knows nobody who does: join the nodes by `valkey-cli --cluster create`"
            )
        return host, ranges

    async def _take(self, asked: Host, ranges: list[Any]) -> None:
        """ranges: as CLUSTER SLOTS replies. A node that does not say its name has that by which it was asked."""
        owners: list[Node | None] = [None] * REDIS_CLUSTER_HASH_SLOTS
        known = set(self._named)
        for first, last, *nodes in ranges:
            hosts = [(name.decode() if name else asked[0], int(port)) for name, port, *_ in nodes]
            known.update(hosts)
            owners[first : last + 1] = [self._node(hosts[0])] * (last + 1 - first)
        self._owners, self._known = owners, frozenset(known)
        for host, node in tuple(self._nodes.items()):
            if host not in known and node.idle:
                await node.close()

    async def owners(self) -> Sequence[Node]:
        """The nodes that serve slots, by a map that was just read. Raises NotSentError when a slot has none."""
        await asyncio.shield(self._begin_reading())
        owners = dict.fromkeys(self._owners)
        if None in owners:
            raise NotSentError("Valkey: no node serves some of the slots")
        return [node for node in owners if node is not None]

    async def key_a_node(self, pattern: str) -> list[str]:
        """For each node a key that it serves. pattern: of keys, with {} for a number in their hash tag."""
        wanted, found = set(await self.owners()), list[str]()
        numbers = count()
        while wanted:
            key = pattern.format(next(numbers))
            owner = self._owners[key_slot(key.encode())]
            if owner in wanted:
                wanted.remove(owner)
                found.append(key)
        return found

    async def close(self) -> None:
        if self._reading is not None:
            await end(self._reading)
        for node in tuple(self._nodes.values()):
            await node.close()


def _read_redirection(refused: NotSentError, asked: Node | None) -> tuple[str, Host | None]:
    """Its word and where it leads, as in `MOVED 3999 10.0.0.1:6379`. Without a name it is the host that was asked."""
    if not isinstance(refused, RedirectedError):
        return "", None
    word, *rest = str(refused).removeprefix("Valkey: ").split()
    if word not in ("MOVED", "ASK"):
        return word, None
    name, port = read_host(rest[1], 0)
    return word, (name or (asked.host[0] if asked and asked.host else ""), port)


def _judge(host: Host, error: str) -> NotSentError:
    if "cluster support disabled" in error or "unknown command" in error:
        return OtherKindError(
            f"{shown_host(host)} is no node of a cluster ({error}): write redis:// before its address, or start it with "
            "cluster-enabled yes"
        )
    return NotSentError(error)


def _forget(done: asyncio.Future[Any]) -> None:
    """Nobody waits for it: those who do hear of the failure themselves."""
    if not done.cancelled():
        done.exception()

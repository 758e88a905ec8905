"""Valkey (or Redis): short time-outs and no repeats, since a command whose reply was lost may have taken effect."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from time import monotonic
from typing import Any, cast

from app.first_step import in_task
from app.storage.errors import NotSentError, StoreUnavailableError
from app.storage.valkey.address import read_address, shown_host
from app.storage.valkey.cluster import Cluster
from app.storage.valkey.node import Node, NodeBounds
from app.storage.valkey.sentinel import Sentinels

# Only requests that cannot do without Valkey wait for it, so patience costs nobody else anything. At 0.3 s a busy
# disk or event loop refused codes of a healthy store.
_TIMEOUT_S = 1.0

# Keys that nobody writes: XX keeps what is not there from being made, and a server that takes no writes says so first.
_UNWRITTEN = "rovi:{{unwritten{}}}:code"

# Nobody notices a wait as short as this. After such a silence nobody waits again for a while.
_BRIEF_S = 0.2
_PAUSE_S = 2.0


class Valkey:
    """One server, the primary that sentinels name, or a cluster: as the address says.

    A command that took no effect is sent again on another connection. Any other failure ends as StoreUnavailableError:
    the outcome is unknown.
    """

    def __init__(
        self,
        url: str,
        *,
        connections: int,
        most_waiting: int,
        timeout_s: float = _TIMEOUT_S,
        pause_s: float = _PAUSE_S,
    ) -> None:
        """connections: at most to one server, with those whose last replies are on their way.

        timeout_s: for a command that must be answered. pause_s: how long nobody waits again after a silence.
        """
        address = read_address(url, timeout_s=timeout_s)
        bounds = NodeBounds(connections, most_waiting, timeout_s)
        self.sentinels: Sentinels | None = None
        self._way: Node | Cluster
        if address.kind == "cluster":
            self._way = Cluster(address, bounds)
        elif address.kind == "sentinel":
            self.sentinels = Sentinels(address)
            self._way = Node(self.sentinels.connect, bounds)
            self.sentinels.tell(self._way.leave)
        else:
            self._way = Node(address.servers.connect, bounds)
        self._call = self._way.call  # bound once: the token path has no step between
        self._silent_until = 0.0
        self._pause_s = pause_s

    def get(self, key: str) -> Coroutine[Any, Any, bytes | None]:
        """A value, from a server that takes writes: GETEX changes nothing here, and a former primary refuses it."""
        return self._call("GETEX", key)

    async def delete(self, key: str) -> None:
        """Delete a key; sent once more when the reply was lost, since deleting it twice changes nothing."""
        try:
            await self._call("DEL", key, limited=False)
        except StoreUnavailableError:
            await self._call("DEL", key, limited=False)

    def delete_soon(self, key: str) -> None:
        """Delete a key that would end by itself, ahead of the next commands or a moment later.

        Nobody waits for it, and where it fails the key stays to its end.
        """
        self._way.delete_soon(key)

    async def mark(self, key: str, *, life_ms: int) -> bool:
        """Set a key, and tell whether it was new. If several set it at once, on any process, only one is told so."""
        return await self._call("SET", key, b"", "NX", "PX", str(life_ms)) is not None

    async def get_soon(self, key: str) -> bytes | None:
        """A value that a request can do without: None also when Valkey does not answer at once."""
        return cast("bytes | None", await self._soon("GET", key))

    async def set_soon(self, key: str, value: bytes, *, life_ms: int) -> bool:
        """Set a value; False when Valkey does not answer at once."""
        return await self._soon("SET", key, value, "PX", str(life_ms)) is not None

    async def _soon(self, *command: bytes | str) -> Any:
        """While Valkey hangs, callers wait at most 0.2 s, and only once every two seconds."""
        if monotonic() < self._silent_until:
            return None
        await in_task()
        try:
            async with asyncio.timeout(_BRIEF_S):
                return await self._call(*command)
        except (StoreUnavailableError, TimeoutError):
            self._silent_until = monotonic() + self._pause_s
            return None

    async def run(self, script: str, keys: Sequence[str], arguments: Sequence[bytes | int]) -> Any:
        """Run a script that may be repeated: it is sent once more when nobody knows whether it took effect."""
        values = (each if isinstance(each, bytes) else str(each) for each in arguments)
        command = ("EVAL", script, str(len(keys)), *keys, *values)
        try:
            return await self._call(*command)
        except NotSentError:
            raise
        except StoreUnavailableError:
            return await self._call(*command)

    async def check_writable(self) -> None:
        """Raises StoreUnavailableError when a server would take no code: away, a replica, or without memory or disk."""
        way = self._way
        keys = await way.key_a_node(_UNWRITTEN) if isinstance(way, Cluster) else [_UNWRITTEN.format("")]
        await asyncio.gather(*(self._call("SET", key, b"", "XX", "PX", "1", limited=False) for key in keys))

    async def servers(self) -> Mapping[str, Node]:
        """All that take writes, by their names for people. Raises NotSentError when a cluster's are not to be learned."""
        if isinstance(self._way, Cluster):
            return {f"Valkey {shown_host(node.host)}": node for node in await self._way.owners() if node.host}
        return {"Valkey": self._way}

    async def close(self) -> None:
        if self.sentinels is not None:
            await self.sentinels.close()
        await self._way.close()

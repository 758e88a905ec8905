"""One connection to Valkey that many callers share: commands leave together, and replies come in their order."""

import asyncio
import re
import select
from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import Any, cast

import hiredis
from redis.asyncio.connection import AbstractConnection

from app.storage.errors import NotSentError, RedirectedError, RetiredError, StoreUnavailableError

_MOMENT_S = 0.01

# A former primary, or a server that cannot serve yet. Redis before 7 puts the word of a script's command behind a dash.
_WRONG_SERVER = re.compile(r"(?:^|-)(?:READONLY|LOADING|MASTERDOWN|NOREPLICAS)\b")

# A node of a cluster says where the slot of the key is, or that it is nowhere just now. It stays good for other keys.
_ELSEWHERE = re.compile(r"(?:MOVED|ASK|TRYAGAIN|CLUSTERDOWN)\b")

# What the kernel knows of a peer that closed, which the loop may not have heard of yet; not every system tells.
_CLOSED = getattr(select, "POLLRDHUP", 0) | select.POLLHUP | select.POLLERR
_SILENCE_S = 0.1

_DELETED_WITHIN_S = 0.05


class Pipe(asyncio.Protocol):
    """A connection that the redis package opens, with TLS and accounts, and that we speak on.

    The package's own way waits for the replies of one batch before it sends the next, and costs three times as much.
    A command whose caller went away is answered to nobody. Silence for longer than the patience ends the connection,
    and with it every command that waits: their outcome is unknown.
    """

    def __init__(
        self, connection: AbstractConnection, *, most: int, patience_s: float, in_cluster: bool = False
    ) -> None:
        """in_cluster: the keys of one command must lie in one slot, so each is deleted by its own."""
        self._in_cluster = in_cluster
        self._connection = connection  # kept, since it closes what it opened when it goes
        self._most = most
        self._patience_s = patience_s
        self._loop = asyncio.get_running_loop()
        self._replies = hiredis.Reader()
        self._unsent: list[bytes] = []
        self._leaving: list[str] = []
        self._leaves: asyncio.TimerHandle | None = None
        self._waiting: deque[tuple[asyncio.Future[Any], float]] = deque()
        self._watch: asyncio.TimerHandle | None = None
        self._nobody = self._loop.create_future()  # it stands for all who do not wait
        self._nobody.set_result(None)
        self._transport = cast("asyncio.Transport", connection._writer.transport)  # type: ignore[union-attr]  # noqa: SLF001  # it is connected
        self._transport.set_protocol(self)
        self._kernel = select.poll()
        self._kernel.register(self._transport.get_extra_info("socket").fileno(), _CLOSED)
        self._heard_at = self._loop.time()
        self.open = not self._transport.is_closing()

    @property
    def idle(self) -> bool:
        return not self._waiting

    def call(self, *command: bytes | str, limited: bool = True) -> asyncio.Future[Any]:
        """Send a command, and return the future of its reply.

        limited: False for a command that ends a request that was let in before.
        Raises NotSentError when too many wait already. The future raises RetiredError or RedirectedError when the command
        took no effect, else StoreUnavailableError: the outcome is unknown.
        """
        if limited and len(self._waiting) >= self._most:
            raise NotSentError("too many requests wait for Valkey")
        future = self._loop.create_future()
        self._send(command, future)
        return future

    def give_up(self) -> None:
        """Let nothing new be sent. What waits still hears its replies."""
        self.open = False
        if not self._waiting:
            self._end("the connection was given up")

    def delete_soon(self, key: str) -> None:
        """Delete a key ahead of the next commands, or a moment later alone. Nobody hears of it.

        Alone it would cost a write and a read, as much as all the commands of a turn.
        """
        self._leaving.append(key)
        if self._leaves is None:
            self._leaves = self._loop.call_later(_DELETED_WITHIN_S, self._let_leave)

    def _let_leave(self) -> None:
        self._leaves = None
        if self._leaving and self.open:
            if not self._unsent:
                self._loop.call_soon(self._flush)
            self._delete_leaving()

    def _delete_leaving(self) -> None:
        leaving, self._leaving = self._leaving, []
        for keys in [[each] for each in leaving] if self._in_cluster else [leaving]:
            self._add(("DEL", *keys), self._nobody)

    def _send(self, command: Sequence[bytes | str], future: asyncio.Future[Any]) -> None:
        if not self._unsent:
            self._loop.call_soon(self._flush)
            if self._leaving:
                self._delete_leaving()
        self._add(command, future)

    def _add(self, command: Sequence[bytes | str], future: asyncio.Future[Any]) -> None:
        self._unsent.append(hiredis.pack_command(command))  # type: ignore[arg-type]  # declared for one argument
        self._waiting.append((future, self._loop.time()))
        if self._watch is None:
            self._watch = self._loop.call_later(self._patience_s, self._look)

    async def close(self) -> None:
        self._end("the connection was closed")
        await self._connection.disconnect(nowait=True)

    def data_received(self, data: bytes) -> None:
        self._heard_at = self._loop.time()
        self._replies.feed(data)
        while (reply := self._replies.gets()) is not False:
            if isinstance(reply, hiredis.PushNotification):
                continue
            future, _ = self._waiting.popleft()
            if isinstance(reply, hiredis.ReplyError):
                self._refuse(future, str(reply))
            elif not future.done():
                future.set_result(reply)
        if not self.open and not self._waiting:
            self._end("the connection was given up")

    def _refuse(self, future: asyncio.Future[Any], reply: str) -> None:
        if _ELSEWHERE.match(reply):
            _fail(future, RedirectedError, reply)
            return
        self.open = False
        _fail(future, RetiredError if _WRONG_SERVER.search(reply) else StoreUnavailableError, reply)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(f"the connection was lost: {exc}")

    def _flush(self) -> None:
        if self._transport.is_closing() or self._is_closed_by_peer():
            self._end("the connection was closed")
            return
        unsent, self._unsent = self._unsent, []
        self._transport.write(b"".join(unsent))

    def _is_closed_by_peer(self) -> bool:
        """Asked after a silence only: while replies come, the loop hears of a close soon enough."""
        in_flight = len(self._waiting) > len(self._unsent)
        if in_flight or self._loop.time() - self._heard_at < _SILENCE_S:
            return False
        return bool(self._kernel.poll(0))

    def _look(self, *, again: bool = False) -> None:
        """End the connection when the oldest command has waited too long. One timer serves all commands.

        again: it was late a moment ago. A loop that stalled hears of the time before it reads what has come.
        """
        self._watch = None
        if not self._waiting:
            return
        late_at = self._waiting[0][1] + self._patience_s
        if late_at > self._loop.time():
            self._watch = self._loop.call_at(late_at, self._look)
        elif again:
            self._end("no reply in time")
        else:
            self._watch = self._loop.call_later(_MOMENT_S, partial(self._look, again=True))

    def _end(self, why: str) -> None:
        self.open = False
        self._transport.abort()
        unsent, self._unsent = len(self._unsent), []
        while self._waiting:
            kind = RetiredError if len(self._waiting) <= unsent else StoreUnavailableError
            _fail(self._waiting.popleft()[0], kind, why)


def _fail(future: asyncio.Future[Any], kind: type[StoreUnavailableError], message: str) -> None:
    if not future.done():
        future.set_exception(kind(f"Valkey: {message}"))

"""Sentinels say which server is the primary, and when it changes; the server itself is asked whether it is one."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import AuthenticationError, RedisError, ResponseError

from app.ending import end
from app.storage.errors import NotSentError, OtherKindError
from app.storage.valkey.address import OPENING_S, Address, Host, shown_host

# A machine that lost its power answers nothing: the others are enough before the time for a connection is over.
_ANSWER_S = 0.4
_CHANGED, _LISTEN_AGAIN_S = "+switch-master", 1.0
_SILENCE_S = 60.0  # after which a connection to a sentinel may be dead


@dataclass(frozen=True, slots=True)
class NamedPrimary:
    """The primary as one sentinel knows it. epoch: of the fail-over that made it one; a later one is a larger number."""

    epoch: int
    host: Host


class Sentinels:
    """Several sentinels, of which a majority is heard: one that was cut off still names the primary of before.

    They are listened to from the first connection on. A primary that lives on after a fail-over takes writes for some
    seconds more, until it is demoted, and all of them are lost.
    """

    def __init__(self, address: Address) -> None:
        assert address.sentinels is not None  # noqa: S101  # an address of this kind has them
        self._hosts, self._maker = address.hosts, address.sentinels
        self._primary, self._servers = address.primary, address.servers
        self._leave: Callable[[], None] = _nothing
        self._connected: Host | None = None
        self._changes = 0
        self._closed = False
        self._listening: list[asyncio.Task[None]] = []

    def tell(self, leave: Callable[[], None]) -> None:
        """leave: is called when another server than the last connected one becomes the primary."""
        self._leave = leave

    async def connect(self) -> AbstractConnection:
        """Open a connection to the primary, within the time for any other.

        Raises NotSentError when no sentinel names a server that says it is one, and OtherKindError when those who answer
        are no sentinels or do not know the name.
        """
        try:
            async with asyncio.timeout(OPENING_S):
                host, connection = await self._reach()
        except TimeoutError as error:
            raise NotSentError(
                "Valkey: no sentinel answers in time, or not the primary that they name"
            ) from error
        self._connected = host
        if not self._listening:
            self._listening = [asyncio.create_task(self._listen(host)) for host in self._hosts]
        return connection

    async def _reach(self) -> tuple[Host, AbstractConnection]:
        while True:
            changes, host = self._changes, (await self.ask()).host
            connection = await self._servers.connect(host)
            try:
                facts = _text(await _ask(connection, "INFO", "replication"))
            except BaseException:
                await connection.disconnect(nowait=True)
                raise
            if "role:master" in facts.splitlines() and changes == self._changes:
                return host, connection
            await connection.disconnect(nowait=True)
            if changes == self._changes:
                raise NotSentError(f"Valkey: {shown_host(host)} is named as the primary, and is none (yet)")

    async def _listen(self, host: Host) -> None:
        """Until the end. What changed before it listened, it asks for, and anew after a long silence."""
        while not self._closed:
            with suppress(RedisError, OSError, NotSentError):
                connection = await self._maker.connect(host)
                try:
                    await connection.send_command("SUBSCRIBE", _CHANGED)
                    while not self._closed:
                        await self._hear(
                            *await connection.read_response(timeout=_SILENCE_S, push_request=True)
                        )
                finally:
                    await connection.disconnect(nowait=True)
            if not self._closed:
                await asyncio.sleep(_LISTEN_AGAIN_S)

    async def _hear(self, kind: bytes, _channel: bytes, data: Any) -> None:
        """data: of a change: name of a primary, address and port of the former, and of the new one."""
        if kind == b"subscribe":
            async with asyncio.timeout(OPENING_S):
                primary = (await self.ask()).host
        else:
            name, _, _, address, port = _text(data).split()
            if name != self._primary:
                return
            primary = (address, int(port))
        if primary != self._connected:
            self._changes += 1
            self._leave()

    async def close(self) -> None:
        self._closed = True
        await end(*self._listening)

    async def ask(self) -> NamedPrimary:
        """What more than half of them say, or those who answer soon. The latest fail-over counts.

        Raises OtherKindError when those who answer are no sentinels, else NotSentError.
        """
        answers: list[NamedPrimary] = []
        faults: list[BaseException] = []
        asked = [asyncio.create_task(self._ask_one(host)) for host in self._hosts]
        enough_at, waiting = monotonic() + _ANSWER_S, set(asked)
        try:
            while waiting and 2 * len(answers) <= len(asked):
                patience_s = max(0.0, enough_at - monotonic()) if answers else None
                done, waiting = await asyncio.wait(
                    waiting, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED
                )
                if not done:
                    break
                answers += [each.result() for each in done if each.exception() is None]
                faults += [fault for each in done if (fault := each.exception()) is not None]
        finally:
            # Nobody waits for them to end: while it connects, the package may pass over a cancellation.
            for task in asked:
                task.cancel()
                task.add_done_callback(_forget)
        if answers:
            return max(answers, key=lambda named: named.epoch)
        raise next(
            (fault for fault in faults if isinstance(fault, OtherKindError)),
            NotSentError(f"Valkey: no sentinel answers: {faults[0]}"),
        )

    async def survey(self) -> tuple[list[NamedPrimary], list[Host]]:
        """What each of them says, and those who do not answer.

        Raises OtherKindError when one is no sentinel, does not know the name, or may not be listened to.
        """
        asked = [self._ask_one(host, listen=True) for host in self._hosts]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        for answer in answers:
            if isinstance(answer, OtherKindError):
                raise answer
        silent = [
            host
            for host, answer in zip(self._hosts, answers, strict=True)
            if not isinstance(answer, NamedPrimary)
        ]
        return [each for each in answers if isinstance(each, NamedPrimary)], silent

    async def _ask_one(self, host: Host, *, listen: bool = False) -> NamedPrimary:
        """listen: try that, too."""
        connection: AbstractConnection | None = None
        try:
            connection = await self._maker.connect(host)
            state = await _ask(connection, "SENTINEL", "MASTER", self._primary)
            if listen:
                await connection.send_command("SUBSCRIBE", _CHANGED)
                await connection.read_response(push_request=True)
        except AuthenticationError as error:
            raise OtherKindError(
                f"the sentinel {shown_host(host)} refuses the account ({error}): add sentinel_username and "
                "sentinel_password to ROVITRACKER_REDIS_URL"
            ) from error
        except ResponseError as error:
            raise self._judge(host, str(error)) from error
        finally:
            if connection is not None:
                await connection.disconnect(nowait=True)
        facts = _read_state(state)
        return NamedPrimary(int(facts["config-epoch"]), (facts["ip"], int(facts["port"])))

    def _judge(self, host: Host, error: str) -> OtherKindError:
        if "No such master" in error:
            return OtherKindError(
                f"the sentinel {shown_host(host)} knows no primary {self._primary!r}: name one of those that "
                f"`valkey-cli -h {host[0]} -p {host[1]} sentinel masters` lists"
            )
        if "permissions" in error:
            return OtherKindError(
                f"the sentinel {shown_host(host)} refuses the account ({error}): grant it "
                "+hello +client|setinfo +sentinel|master +subscribe and &*"
            )
        return OtherKindError(
            f"{shown_host(host)} is no sentinel ({error}): name the sentinels after redis+sentinel://, or write redis:// "
            "before the server itself"
        )


def _forget(done: asyncio.Task[NamedPrimary]) -> None:
    if not done.cancelled():
        done.exception()


def _nothing() -> None:
    """Nobody wants to hear of it."""


async def _ask(connection: AbstractConnection, *command: str) -> Any:
    await connection.send_command(*command)
    return await connection.read_response()


def _read_state(state: Any) -> dict[str, str]:
    """The reply of either protocol: names and values in turn, or a mapping."""
    pairs = state.items() if isinstance(state, dict) else zip(state[::2], state[1::2], strict=True)
    return {_text(name): _text(value) for name, value in pairs}


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)

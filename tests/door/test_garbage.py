"""A connection that has ended is gone: nothing of it waits for the garbage collector, whose pauses are others' (R-110).

A full collection waits until few are open.
"""

import asyncio
import gc
from collections.abc import Iterator

import pytest
import uvloop
from starlette.types import Receive, Scope, Send

from app.door.bounds import Bounds
from app.door.watch import Watch
from tests.door.serving import Client, echo, serving
from tests.support.raw import get, head

SLOW_S = 0.05

ENDS = {
    "silent": b"",
    "answered": get(b"/"),
    "answered often": get(b"/") * 3,
    "cut in a head": get(b"/")[:9],
    "refused": b"\x01\r\n\r\n",
    "cut in a body": head(b"POST /", b"Content-Length: 9") + b"ab",
    "refused before its body": head(b"POST /slow", b"Content-Length: 9") + b"ab",
    "gone before its answer": get(b"/slow"),
    "gone before its answers": get(b"/slow") * 3,
}


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["path"] == "/slow":
        await asyncio.sleep(2 * SLOW_S)
    await echo(scope, receive, send)


@pytest.fixture
def saved() -> Iterator[list[object]]:
    """The objects that a collection finds, kept so that they can be named."""
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    yield gc.garbage
    gc.set_debug(0)
    gc.garbage.clear()
    gc.enable()


@pytest.mark.parametrize("sent", ENDS.values(), ids=ENDS)
def test_a_connection_that_ended_leaves_nothing_to_collect(sent: bytes, saved: list[object]) -> None:
    async def come_and_go(port: int) -> None:
        async with Client.to(port) as client:
            client.say(sent)
            await asyncio.sleep(SLOW_S)
        await asyncio.sleep(3 * SLOW_S)

    async def run() -> list[str]:
        async with serving(answer) as port:
            await come_and_go(port)  # what is made once is made now
            gc.collect()
            saved.clear()
            await come_and_go(port)
            gc.collect()
            return [type(each).__name__ for each in saved if is_ours(each)]

    assert uvloop.run(run()) == []


class Idle:
    """A connection that nothing happens on."""

    network = "127.0.0.1"

    def sweep(self) -> None:
        pass


@pytest.mark.parametrize(("connections", "waits"), [(100, False), (101, True)])
@pytest.mark.usefixtures("saved")
async def test_a_full_collection_waits_while_many_connections_are_open(
    connections: int,
    waits: bool,  # noqa: FBT001  # a parameter of the test
) -> None:
    """R-110: with a thousand it blocked the loop for more than 50 ms."""
    watch = Watch(Bounds(sweep_s=0.05))
    for _ in range(1_000):
        gc.collect(1)
    idle = [Idle() for _ in range(connections)]
    for each in idle:
        watch.enter(each)
    await asyncio.sleep(0.2)
    for each in idle:
        watch.leave(each)
    assert (gc.get_count()[2] >= 1_000) is waits


def is_ours(thing: object) -> bool:
    """The client of this test, of the standard library, may leave what it likes."""
    return type(thing).__module__.split(".")[0] in ("app", "uvicorn", "uvloop", "httptools")
